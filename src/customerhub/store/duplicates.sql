-- What customers have in common, by keys that are written beside them. `{…}` marks what `duplicates.py` fills with column
-- names and how many entries are looked at; values are always parameters.

-- name: list_shared
-- Others that have a key of one customer's, some of each key. $1 team, $2 customer, $3 how many of each
select k.kind, k.key, o.customer
from duplicate_key k
cross join lateral (
    select d.customer from duplicate_key d
    where d.team = $1 and d.kind = k.kind and d.key = k.key and d.customer <> $2
    order by d.customer
    limit $3
) o
where k.team = $1 and k.customer = $2

-- name: list_holders
-- Of each key whoever has it, some of them. $1 team, $2 kinds, $3 keys in the same order, $4 how many of each
select n.place, h.customer
from unnest($2::text[], $3::text[]) with ordinality as n (kind, key, place)
cross join lateral (
    select d.customer from duplicate_key d
    where d.team = $1 and d.kind = n.kind and d.key = n.key
    order by d.customer
    limit $4
) h
order by n.place, h.customer

-- name: find_end
-- The customer at whom so many keys end, in the order of customers. $1 team, $2 the first customer, $3 how many
select k.customer from duplicate_key k
where k.team = $1 and k.customer >= $2
order by k.customer
offset $3
limit 1

-- name: list_groups
-- Keys that more than one customer has, each with the first of these, if that is one of a stretch. $1 team, $2 the first
-- customer of the stretch, $3 the one behind the last
select k.customer, k.kind, k.key
from duplicate_key k
where k.team = $1 and k.customer >= $2 and k.customer < $3
    and exists (
        select from duplicate_key d
        where d.team = $1 and d.kind = k.kind and d.key = k.key and d.customer > k.customer
    )
    and not exists (
        select from duplicate_key e
        where e.team = $1 and e.kind = k.kind and e.key = k.key and e.customer < k.customer
    )

-- name: find_end_key
-- The key at which so many entries end, in the order of keys. $1 team, $2 behind which kind, $3 and key
select k.kind, k.key from duplicate_key k
where k.team = $1 and (k.kind, k.key) > ($2, $3)
order by k.kind, k.key
offset {most}
limit 1

-- name: list_alike
-- Keys that more than one customer has, in order, of so many entries. That is no parameter: for any number of them a plan
-- would sort all entries there are. $1 team, $2 behind which kind, $3 and key
select s.kind, s.key
from (
    select k.kind, k.key from duplicate_key k
    where k.team = $1 and (k.kind, k.key) > ($2, $3)
    order by k.kind, k.key
    limit {most}
) s
group by s.kind, s.key
having count(*) > 1
order by s.kind, s.key

-- name: get_summaries
-- $1 team, $2 customers
select c.id, c.name, c.number, c.reference_id, c.email, c.phone, c.status
from customer c
where c.team = $1 and c.id = any ($2::uuid[]) and c.deleted_at is null

-- name: list_page
-- Live customers in the order of their ids. $1 team, $2 the customer after which to go on, $3 limit
select {columns} from customer c
where c.team = $1 and c.id > $2 and c.deleted_at is null
order by c.id
limit $3

-- name: hold
-- Live ones of these customers, whom nobody changes until the transaction ends. $1 team, $2 customers
select {columns} from customer c
where c.team = $1 and c.id = any ($2::uuid[]) and c.deleted_at is null
order by c.id
for no key update of c

-- name: list_keys
-- $1 team, $2 customers
select d.customer, d.kind, d.key from duplicate_key d where d.team = $1 and d.customer = any ($2::uuid[])

-- name: delete_keys
-- $1 team, $2 customers
delete from duplicate_key where team = $1 and customer = any ($2::uuid[])

-- name: insert_keys
-- $1 team, $2 customers, $3 kinds, $4 keys
insert into duplicate_key (team, kind, key, customer)
select $1, n.kind, n.key, n.customer
from unnest($2::uuid[], $3::text[], $4::text[]) as n (customer, kind, key)

-- name: forget_deleted
-- Takes away the keys of customers that are not there any more. $1 team
delete from duplicate_key d
where d.team = $1
    and not exists (select from customer c where c.team = $1 and c.id = d.customer and c.deleted_at is null)
