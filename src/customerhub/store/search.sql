-- Search of customers. `{…}` marks what `search.py` fills with conditions from the pieces below; values are parameters.

-- name: find_keys
-- Live customers by their whole number, reference or email address. $1 team, $2 spellings, $3 email key, $4 limit
select s.customer, s.text
from customer_search s
where s.team = $1 and s.customer in (
    select c.id from customer c where c.team = $1 and c.number = any ($2::text[]) and c.deleted_at is null
    union
    select c.id from customer c where c.team = $1 and c.reference_id = any ($2::text[]) and c.deleted_at is null
    union
    select c.id from customer c where c.team = $1 and c.email_key = $3 and c.deleted_at is null
)
limit $4

-- name: by_index
-- For the rest of the transaction: a plan that reads rows until enough of them match may read a million.
set local enable_seqscan = off; set local enable_indexscan = off; set local enable_bitmapscan = on

-- name: find_texts
-- Customers whose text has one of the wanted patterns. $1 team, $2 limit, further ones as the pieces say
select s.customer, s.text from customer_search s where s.team = $1 and ({patterns}) limit $2

-- name: pattern
s.text like {0}

-- name: get_found
-- $1 team, $2 customers
select {columns} from customer c where c.team = $1 and c.id = any ($2::uuid[]) and c.deleted_at is null

-- name: forget_deleted
-- Takes away the texts of customers that are not there any more. $1 team
delete from customer_search s
where s.team = $1
    and not exists (select from customer c where c.team = $1 and c.id = s.customer and c.deleted_at is null)

-- name: find_unwritten
-- Some of the live customers without a text, which nobody changes until the transaction ends. $1 team, $2 the customer
-- after which to go on, $3 limit
select {columns}
from customer c
where c.team = $1 and c.id > $2 and c.deleted_at is null
    -- Twice the same bound, or each page would read all texts before it.
    and not exists (select from customer_search s where s.team = $1 and s.customer = c.id and s.customer > $2)
order by c.id
limit $3
for no key update of c

-- name: insert_texts
-- $1 team, $2 customers, $3 their texts
insert into customer_search (team, customer, text)
select $1, n.customer, n.text
from unnest($2::uuid[], $3::text[]) as n (customer, text)
on conflict (team, customer) do nothing
