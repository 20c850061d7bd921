-- Customers as people look through them: any filters in any order, where no page may cost more for how many there are.
--
-- Nobody keeps an index for every filter. So a page looks through a bounded number of customers in the order of the list
-- and says where it stopped. `{…}` marks what `browse.py` fills with the pieces below; values are always parameters.

-- name: keys
-- Which of the next customers answer the filters, with the key that they stand at. $1 team, $2 limit, $3 how many are
-- looked through, further ones as the pieces say
select c.id, c.place as key
from (
    select c.*, {key} as place
    from customer c
    where c.team = $1 and c.deleted_at is null{bounds}
    order by {key} {order}, c.id {order}
    limit $3
) c
where true{filters}
order by c.place {order}, c.id {order}
limit $2

-- name: reach
-- The last of those that were looked through, if there are so many. $1 team, $2 how many, further ones as the pieces say
select c.id, {key} as key
from customer c
where c.team = $1 and c.deleted_at is null{bounds}
order by {key} {order}, c.id {order}
offset $2 - 1 limit 1

-- name: count
-- How many of the first customers answer the filters, and how many were looked through. $1 team, $2 how many are looked
-- through, further ones as the pieces say
select count(*) filter (where true{filters}) as found, count(*) as looked
from (
    select c.*
    from customer c
    where c.team = $1 and c.deleted_at is null{bounds}
    order by {key} {order}, c.id {order}
    limit $2
) c

-- name: among
-- Which of some customers answer the filters, in the order of the list. $1 team, $2 customers, further ones as the pieces
-- say
select c.id
from customer c
where c.team = $1 and c.id = any ($2::uuid[]) and c.deleted_at is null{bounds}{filters}
order by {key} {order}, c.id {order}

-- name: rows
-- $1 team, $2 customers
select {columns} from customer c where c.team = $1 and c.id = any ($2::uuid[]) and c.deleted_at is null

-- name: by_index
-- For the rest of the transaction: a plan that reads rows until enough of them match may read a million.
set local enable_seqscan = off; set local enable_indexscan = off; set local enable_bitmapscan = on

-- name: at_address
-- Customers with an address that holds all of it, from the index of addresses. $1 team, $2 limit, $3 what it holds
select c.id from customer c where c.team = $1 and c.deleted_at is null and c.addresses @> $3::jsonb limit $2

-- name: key_created_at
c.created_at

-- name: key_updated_at
c.updated_at

-- name: key_name
lower(c.name)

-- name: key_number
c.number

-- name: after
 and ({key}, c.id) {sign} ({value}, {id}::uuid)
