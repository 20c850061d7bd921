-- Syncs: what mirrors know of customers on the other side.

-- name: find
-- $1 team, $2 sink, $3 customer
select customer, external_id, version, written, left_out, creation, error, at
from sync
where team = $1 and sink = $2 and customer = $3

-- name: lock
-- The same, held until the transaction ends. $1 team, $2 sink, $3 customer
select customer, external_id, version, written, left_out, creation, error, at
from sync
where team = $1 and sink = $2 and customer = $3
for update

-- name: find_by_external_id
-- $1 team, $2 sink, $3 external id
select customer, external_id, version, written, left_out, creation, error, at
from sync
where team = $1 and sink = $2 and external_id = $3

-- name: list
-- The next by customer. $1 team, $2 sink, $3 behind which customer, $4 limit
select customer, external_id, version, written, left_out, creation, error, at
from sync
where team = $1 and sink = $2 and customer > $3
order by customer
limit $4

-- name: list_troubled
-- Those of them with an error, or of which something was left out. $1 team, $2 sink, $3 behind which customer, $4 limit
select customer, external_id, version, written, left_out, creation, error, at
from sync
where team = $1 and sink = $2 and customer > $3 and (error is not null or left_out <> '{}')
order by customer
limit $4

-- name: count
-- All, those with an error, those of which something was left out. $1 team, $2 sink
select count(*), count(*) filter (where error is not null), count(*) filter (where left_out <> '{}')
from sync
where team = $1 and sink = $2

-- name: put
-- Without any value where the customer was erased since the version that it is about. Of a creation that is found by the
-- hub's id alone it stays since when: whatever it made is to be emptied.
-- $1 team, $2 sink, $3 customer, $4 external id, $5 version, $6 written, $7 left out, $8 creation, $9 at, $10 error
insert into sync (team, sink, customer, external_id, version, written, left_out, creation, at, error)
select $1, $2, $3, $4, $5,
    case when e.is_erased then '{}' else $6::jsonb end, case when e.is_erased then '{}' else $7::jsonb end,
    case
        when not e.is_erased then $8::jsonb
        when $8::jsonb ? 'since' then $8::jsonb || '{"body": {}, "is_spent": true}'
    end, $9, case when not e.is_erased then $10::text end
from (
    select exists (select from erasure where team = $1 and customer = $3 and version > $5) as is_erased
) e
on conflict (team, sink, customer) do update
set external_id = excluded.external_id, version = excluded.version, written = excluded.written,
    left_out = excluded.left_out, creation = excluded.creation, at = excluded.at, error = excluded.error

-- name: remember_message
-- Whether a message is new; it is not from now on. $1 team, $2 sink, $3 id, $4 at
insert into sync_message (team, sink, id, at) values ($1, $2, $3, $4) on conflict (team, sink, id) do nothing

-- name: forget_messages
-- A piece of those from before a time. $1 team, $2 before, $3 limit
delete from sync_message
where team = $1 and (team, sink, id) in (
    select m.team, m.sink, m.id from sync_message m where m.team = $1 and m.at < $2 limit $3
)

-- name: forget
-- All that was known of the other side of a sink that ends. $1 team, $2 sink
delete from sync where team = $1 and sink = $2
