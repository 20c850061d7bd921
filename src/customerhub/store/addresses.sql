-- Addresses by themselves: those that no customer has stand in rows of their own, as they would stand in a customer's.
-- `{…}` marks what `addresses.py` fills with the pieces below; values are always parameters.

-- name: get_unowned
-- $1 team, $2 ids
select u.address, u.version from unowned_address u where u.team = $1 and u.id = any ($2::uuid[])

-- name: lock_unowned
-- The same, held until the transaction ends. $1 team, $2 ids
select u.address, u.version from unowned_address u where u.team = $1 and u.id = any ($2::uuid[])
order by u.id
for update

-- name: delete_unowned
-- $1 team, $2 ids
delete from unowned_address where team = $1 and id = any ($2::uuid[])

-- name: insert_unowned
-- $1 team, $2 id, $3 address, $4 at
insert into unowned_address (team, id, address, version, created_at, updated_at) values ($1, $2, $3, 1, $4, $4)

-- name: update_unowned
-- The next version of one whose row is held. $1 team, $2 id, $3 address, $4 version, $5 at
update unowned_address set address = $3, version = $4, updated_at = $5 where team = $1 and id = $2

-- name: find
-- One address wherever it is. $1 team, $2 id, $3 the id as a list of one address, which the index finds
select c.id as customer, c.version, a.value as address
from customer c
cross join lateral jsonb_array_elements(c.addresses) a
where c.team = $1 and c.deleted_at is null and c.addresses @> $3::jsonb and a.value ->> 'id' = $2::uuid::text
union all
select null, u.version, u.address
from unowned_address u
where u.team = $1 and u.id = $2

-- name: walk
-- A page of all of them. $1 team, $2 limit, further ones as the pieces say
(
    select null::uuid as customer, u.version, u.address, u.created_at, u.id
    from unowned_address u
    where u.team = $1{unowned}
    order by u.created_at {order}, u.id {order}
    limit $2
)
union all
(
    select c.id, c.version, a.value, (a.value ->> 'created_at')::timestamptz, (a.value ->> 'id')::uuid
    from customer c
    cross join lateral jsonb_array_elements(c.addresses) a
    where c.team = $1 and c.deleted_at is null{owned}
    order by 4 {order}, 5 {order}
    limit $2
)
order by 4 {order}, 5 {order}
limit $2

-- name: unowned_after
 and (u.created_at, u.id) < ({at}::timestamptz, {id}::uuid)

-- name: unowned_before
 and (u.created_at, u.id) > ({at}::timestamptz, {id}::uuid)

-- name: owned_after
 and ((a.value ->> 'created_at')::timestamptz, (a.value ->> 'id')::uuid) < ({at}::timestamptz, {id}::uuid)

-- name: owned_before
 and ((a.value ->> 'created_at')::timestamptz, (a.value ->> 'id')::uuid) > ({at}::timestamptz, {id}::uuid)

-- name: text
 and (
    strpos(lower({address} ->> 'name'), lower({text}::text)) > 0
    or strpos(lower({address} ->> 'line1'), lower({text}::text)) > 0
    or strpos(lower({address} ->> 'line2'), lower({text}::text)) > 0
    or strpos(lower({address} ->> 'city'), lower({text}::text)) > 0
    or strpos(lower({address} ->> 'state'), lower({text}::text)) > 0
    or strpos(lower({address} ->> 'postal_code'), lower({text}::text)) > 0
    or strpos(lower({address} ->> 'country'), lower({text}::text)) > 0
)
