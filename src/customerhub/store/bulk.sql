-- Many versions of customers in few statements, for imports; each is what `customers.sql` writes of one. New rows come by
-- COPY. `{…}` marks what `bulk.py` fills with column names; values are always parameters.

-- name: plan_anew
-- Until the transaction ends each statement is planned for itself: a plan from when the table was empty would look through
-- all of it for each value once it is full.
select set_config('plan_cache_mode', 'force_custom_plan', true)

-- name: hold_team
-- What the team's writes must know; its email policy does not change until the transaction ends. $1 team
select coalesce(settings ->> 'email_policy', 'unique') = 'unique', has_sinks from team where id = $1 for key share

-- name: count_held
-- How many of these entries cannot be deleted until the transaction ends. $1 team, $2 entries
with held as (
    select e.id from catalogue_entry e
    where e.team = $1 and e.id = any ($2::uuid[]) and e.deleted_at is null
    for key share
)
select count(*) from held

-- name: update
-- One version on each, of those that still are at the version read; which ones. $1 team, $2 rows as a JSON array
update customer c
set version = n.version, updated_at = n.updated_at, updated_by = n.updated_by{assignments}
from jsonb_to_recordset($2) as n (id uuid, version bigint, updated_at timestamptz, updated_by uuid{columns})
where c.team = $1 and c.id = n.id and c.version = n.version - 1
returning c.id

-- name: search
-- $1 team, $2 customers, $3 texts
insert into customer_search (team, customer, text)
select $1, n.customer, n.text from unnest($2::uuid[], $3::text[]) as n (customer, text)
on conflict (team, customer) do update set text = excluded.text

-- name: unmatch
-- $1 team, $2 customers, whose keys go
delete from duplicate_key where team = $1 and customer = any ($2::uuid[])

-- name: learn
-- What the planner knows of the keys of customers is taken anew: of a team that it has never seen it thinks that it has no
-- customers, and would look through all of them instead of finding a few.
analyze customer (team, number, reference_id, email_key, unique_email_key)

-- name: find_matches
-- Live customers that have one of these values in a column that is a key. $1 team, $2 values
select {columns} from customer c
where c.team = $1 and c.deleted_at is null and c.{key} is not null and c.{key} = any ($2::{type}[])

-- name: find_taken
-- Which of these values live customers have, with whose they are. $1 team, $2 unique email keys, $3 numbers,
-- $4 references
select 'email', c.unique_email_key, c.id from customer c
where c.team = $1 and c.unique_email_key is not null and c.unique_email_key = any ($2::text[])
union all
select 'number', c.number, c.id from customer c
where c.team = $1 and c.deleted_at is null and c.number = any ($3::text[])
union all
select 'reference_id', c.reference_id, c.id from customer c
where c.team = $1 and c.deleted_at is null and c.reference_id is not null and c.reference_id = any ($4::text[])
