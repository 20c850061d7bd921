-- Customers of the peer, of the same ids and sizes as the hub's (bench/data.sql).

-- name: team
-- $1 team, $2 hash of its API key
with made as (insert into team (id, name) values ($1, 'Bench') returning id)
insert into api_key (secret_hash, team_id, name) select $2, id, 'bench' from made

-- name: references
-- Sales reps and price lists. $1 team
with reps as (
    insert into sales_rep (id, team_id, email, first_name, last_name, created_at, updated_at)
    select md5('rep ' || n)::uuid, $1, 'rep' || n || '@bench.example', 'Priya', 'Nair', now(), now()
    from generate_series(0, 1) as n
)
insert into price_list (id, team_id, reference_id, name, created_at, updated_at)
select md5('price list ' || n)::uuid, $1, 'PL-' || n, 'Wholesale ' || n, now(), now() from generate_series(0, 1) as n

-- name: customers
-- $1 team, $2 how many
insert into customer (
    id, team_id, version, reference_id, display_id, name, display_name, first_name, last_name, phone, email, status,
    freight_term, shipping_method, payment_mode, payment_term, price_list_id, attributes, created_at, updated_at
)
select
    md5('customer ' || n)::uuid, $1, 1, to_char(n, '"ERP-"FM00000000'), to_char(n, '"C"FM00000000'),
    'Company ' || md5('name ' || n), 'Company ' || n, 'Ingrid', 'Berg', to_char(n, '"+472"FM0000000'),
    'ingrid.berg' || n || '@nordlys.example', 'active', '', '', 'AMEX', 'Net 30',
    md5('price list ' || n % 2)::uuid,
    jsonb_build_array(jsonb_build_object(
        'id', md5('attribute ' || n)::uuid, 'name', 'Region', 'value', 'Nordics', 'created_at', now(), 'updated_at', now()
    )),
    now(), now()
from generate_series(1, $2::integer) as n

-- name: reps
-- $1 how many customers
insert into customer_sales_rep (customer_id, sales_rep_id)
select md5('customer ' || n)::uuid, md5('rep ' || n % 2)::uuid from generate_series(1, $1::integer) as n

-- name: addresses
-- Two of each customer. $1 how many customers
insert into address (
    id, customer_id, reference_id, address_line_1, address_line_2, city, state, country, zip_code, first_name,
    last_name, phone, email, type, status, is_default, created_at, updated_at
)
select
    (left(md5('address ' || n), 28) || lpad(to_hex(k), 4, '0'))::uuid, md5('customer ' || n)::uuid,
    'A-' || n || '-' || k, 'Storgata ' || n % 200, 'Floor ' || k, 'Oslo', '', 'NO', lpad((n % 10000)::text, 4, '0'),
    'Ingrid', 'Berg', '+4722' || 100000 + n % 900000, '', case when k = 1 then 'billing' else 'shipping' end, 'active',
    true, now(), now()
from generate_series(1, $1::integer) as n, generate_series(1, 2) as k

-- name: contacts
-- Two of each customer. $1 how many customers
insert into contact (
    id, customer_id, reference_id, first_name, last_name, email, phone, designation, status, is_default, created_at,
    updated_at
)
select
    (left(md5('contact ' || n), 28) || lpad(to_hex(k), 4, '0'))::uuid, md5('customer ' || n)::uuid,
    'P-' || n || '-' || k, 'Lars', 'Berg', 'lars' || n || '@nordlys.example', '+4723' || 100000 + n % 900000, 'Buyer',
    'active', k = 1, now(), now()
from generate_series(1, $1::integer) as n, generate_series(1, 2) as k
