-- Customers by the million, as the hub itself would have written them. Ids follow from numbers, as `data.py` says.

-- name: prepare
-- A pick leans towards the first of a list, as names and towns of real customers do.
create or replace function pg_temp.pick(number bigint, salt integer, size integer) returns integer
language sql immutable
as 'select 1 + floor(size * power((hashint8extended(number, salt) & 1048575)::float8 / 1048576, 3))::integer';
create temp table if not exists filling (
    number bigint not null,
    id uuid not null,
    at timestamptz not null,
    said text not null,
    name text not null,
    name_line text not null,
    domain text not null,
    domain_line text not null,
    first_names text[] not null,
    last_names text[] not null,
    first_lines text[] not null,
    last_lines text[] not null,
    towns text[] not null,
    town_lines text[] not null
) on commit delete rows

-- name: draw
-- What is picked from lists of words, each with its line of a search text. $1 first number, $2 last number, $3 when the
-- one of number 0 would have been made, $4 addresses of each, $5 names, $6 their lines, $7 people, $8 their lines,
-- $9 towns, $10 their lines
insert into filling
select
    n, md5('customer ' || n)::uuid, a.at, to_char(a.at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
    ($5::text[])[p.name] || ' ' || ($5::text[])[p.other], ($6::text[])[p.name] || ' ' || ($6::text[])[p.other],
    lower(($5::text[])[p.domain]), ($6::text[])[p.domain],
    array[($7::text[])[p.first], ($7::text[])[p.second]], array[($7::text[])[p.last], ($7::text[])[p.latter]],
    array[($8::text[])[p.first], ($8::text[])[p.second]], array[($8::text[])[p.last], ($8::text[])[p.latter]],
    t.towns, t.lines
from generate_series($1::bigint, $2::bigint) as n
cross join lateral (select $3::timestamptz + n * interval '1 second' as at) a
cross join lateral (
    select
        pg_temp.pick(n, 1, cardinality($5::text[])) as name, pg_temp.pick(n, 2, cardinality($5::text[])) as other,
        pg_temp.pick(n, 3, cardinality($5::text[])) as domain, pg_temp.pick(n, 4, cardinality($7::text[])) as first,
        pg_temp.pick(n, 5, cardinality($7::text[])) as last, pg_temp.pick(n, 6, cardinality($7::text[])) as second,
        pg_temp.pick(n, 7, cardinality($7::text[])) as latter
) p
cross join lateral (
    select
        coalesce(array_agg(($9::text[])[w.place] order by w.k), '{}') as towns,
        coalesce(array_agg(($10::text[])[w.place] order by w.k), '{}') as lines
    from (select k, pg_temp.pick(n, 10 + k, cardinality($9::text[])) as place from generate_series(1, $4::integer) as k) w
) t

-- name: insert_customers
-- $1 team, $2 actor, $3 to $7 what they refer to: payment terms, shipping terms, price lists, sales reps, currencies
insert into customer (
    team, id, version, created_at, updated_at, created_by, updated_by, name, number, display_name, reference_id,
    first_name, last_name, email, email_key, unique_email_key, phone, website, note, payment_term, shipping_term,
    payment_mode, sales_reps, default_sales_rep, price_list, credit_limit, credit_limit_unit, credit_limit_id,
    tax_number, addresses, contacts, attributes, bill_to, ship_to, primary_contact
)
select
    $1, f.id, 1, f.at, f.at, $2, $2, f.name, to_char(f.number, '"C"FM00000000'), f.name || ' AS',
    to_char(f.number, '"ERP-"FM00000000'), f.first_names[1], f.last_names[1], m.email, m.email,
    case when t.is_unique then m.email end, to_char(f.number, '"+472"FM0000000'), 'https://' || f.domain || '.example',
    'Delivers before noon; ring the bell at the gate and ask for ' || f.first_names[2] || '.',
    ($3::uuid[])[1 + f.number % nullif(cardinality($3::uuid[]), 0)], ($4::uuid[])[1 + f.number % nullif(cardinality($4::uuid[]), 0)], 'AMEX',
    case when r.rep is null then '{}' else array[r.rep] end, r.rep, ($5::uuid[])[1 + f.number % nullif(cardinality($5::uuid[]), 0)],
    l.amount, l.unit, case when l.unit is not null then md5('credit limit ' || f.number)::uuid end,
    to_char(f.number, '"NO"FM000000000"MVA"'), n.addresses, n.contacts, n.attributes,
    (n.addresses -> 0 ->> 'id')::uuid, (n.addresses -> 1 ->> 'id')::uuid, (n.contacts -> 0 ->> 'id')::uuid
from filling f
cross join (
    select coalesce(settings ->> 'email_policy', 'unique') = 'unique' as is_unique from team where id = $1
) t
cross join lateral (
    select lower(f.first_names[1] || '.' || f.last_names[1] || f.number || '@' || f.domain || '.example') as email
) m
cross join lateral (select ($6::uuid[])[1 + f.number % nullif(cardinality($6::uuid[]), 0)] as rep) r
cross join lateral (select u.unit, case when u.unit is not null then 1000.50 + f.number % 9000 end as amount
    from (select ($7::uuid[])[1 + f.number % nullif(cardinality($7::uuid[]), 0)] as unit) u
) l
cross join lateral (
    select
        (
            select coalesce(jsonb_agg(jsonb_build_object(
                'id', (left(md5('address ' || f.number), 28) || lpad(to_hex(k), 4, '0'))::uuid,
                'created_at', f.said, 'updated_at', f.said, 'reference_id', 'A-' || f.number || '-' || k,
                'type', case when k % 2 = 1 then 'billing' else 'shipping' end, 'name', f.name,
                'first_name', f.first_names[1], 'last_name', f.last_names[1], 'phone', '+4722' || 100000 + f.number % 900000,
                'line1', 'Storgata ' || 1 + (f.number + k) % 200, 'line2', 'Floor ' || 1 + k % 9, 'city', f.towns[k],
                'postal_code', lpad(((f.number + k) % 10000)::text, 4, '0'), 'country', 'NO'
            ) order by k), '[]')
            from generate_series(1, cardinality(f.towns)) as k
        ) as addresses,
        (
            select jsonb_agg(jsonb_build_object(
                'id', (left(md5('contact ' || f.number), 28) || lpad(to_hex(k), 4, '0'))::uuid,
                'created_at', f.said, 'updated_at', f.said, 'reference_id', 'P-' || f.number || '-' || k,
                'first_name', f.first_names[k], 'last_name', f.last_names[k],
                'email', lower(f.first_names[k]) || k || '@' || f.domain || '.example',
                'phone', '+4723' || 100000 + f.number % 900000, 'designation', 'Buyer'
            ) order by k)
            from generate_series(1, 2) as k
        ) as contacts,
        jsonb_build_array(jsonb_build_object(
            'id', md5('attribute ' || f.number)::uuid, 'name', 'Region', 'value', 'Nordics', 'created_by', $2::uuid,
            'updated_by', $2::uuid, 'created_at', f.said, 'updated_at', f.said
        )) as attributes
) n

-- name: insert_changes
-- The whole record, as its first version has it. $1 team, $2 actor, $3 dialect
insert into change (
    team, customer, version, at, action, actor, actor_name, credential, dialect, request_id, changes
)
select
    $1, f.id, 1, f.at, 'created', $2, 'fill', $2, $3, 'fill', jsonb_build_array(jsonb_build_object(
        'path', '',
        'new', to_jsonb(c) - '{email_key,unique_email_key}'::text[] || jsonb_build_object(
            'created_at', f.said, 'updated_at', f.said, 'credit_limit', c.credit_limit::text
        )
    ))
from filling f
join customer c on c.team = $1 and c.id = f.id

-- name: insert_feed
-- At the positions of their numbers. $1 team
insert into feed (team, position, customer, version) select $1, f.number, f.id, 1 from filling f

-- name: insert_searches
-- The lines of model/search.py. $1 team
insert into customer_search (team, customer, text)
select
    $1, f.id, concat_ws(
        e'\n',
        f.name_line, to_char(f.number, '"^C"FM00000000'), to_char(f.number, '"^ERPr^"FM00000000'),
        f.first_lines[1] || 'q' || f.last_lines[1] || f.number || 's' || f.domain_line || 'q^EXAMPLE',
        to_char(f.number, '"^472"FM0000000'), f.first_lines[1] || ' ' || f.last_lines[1],
        f.first_lines[2] || ' ' || f.last_lines[2], array_to_string(f.town_lines, e'\n')
    )
from filling f

-- name: insert_duplicates
-- The keys of model/duplicates.py. $1 team
insert into duplicate_key (team, kind, key, customer)
select $1, 'email', c.email_key, c.id from filling f join customer c on c.team = $1 and c.id = f.id
union all
select $1, 'phone', to_char(f.number, '"+472"FM0000000'), f.id from filling f
union all
select $1, 'tax_number', to_char(f.number, '"no"FM000000000"mva"'), f.id from filling f
union all
select distinct $1, 'name_and_postal_code', lower(f.name) || ', ' || lpad(((f.number + k) % 10000)::text, 4, '0'), f.id
from filling f
cross join lateral generate_series(1, least(cardinality(f.towns), 100)) as k

-- name: set_counters
-- $1 team, $2 how many there are
with numbered as (
    update number_counter set next = greatest(next, $2::bigint + 1) where team = $1
)
insert into feed_counter (team, next) values ($1, $2::bigint + 1)
on conflict (team) do update set next = excluded.next

-- name: list_references
-- What customers of the team may refer to, by kind. $1 team
select e.kind, array_agg(e.id order by e.id) from catalogue_entry e
where e.team = $1 and e.deleted_at is null and e.status = 'active'
    and e.kind in ('payment_term', 'shipping_term', 'price_list', 'unit')
group by e.kind
union all
select 'user', array_agg(u.id order by u.id) from team_user u where u.team = $1 and u.status = 'active'

-- name: list_slow_indexes
-- Indexes that are made faster at the end than row by row: name, statement.
select i.indexrelid::regclass::text, pg_get_indexdef(i.indexrelid)
from pg_index i
join pg_class c on c.oid = i.indexrelid
join pg_am a on a.oid = c.relam
where a.amname = 'gin' and not c.relispartition and i.indrelid::regclass::text = any ('{customer,customer_search}')

-- name: allow_lists
-- Foreign keys are not looked up for each row: what is referred to was just read. Only a superuser may say so.
select set_config('session_replication_role', 'replica', true)
from pg_roles where rolname = current_user and rolsuper
