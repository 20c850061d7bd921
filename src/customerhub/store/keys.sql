-- Idempotency keys outside a customer's own write: refusals, no-ops, and writes of everything else.

-- name: find
-- $1 team, $2 dialect, $3 key
select fingerprint, status, headers, body, created_at
from idempotency_key where team = $1 and dialect = $2 and key = $3

-- name: delete
-- Only the row of that time: another request may have taken the key anew. $1 team, $2 dialect, $3 key, $4 at
delete from idempotency_key where team = $1 and dialect = $2 and key = $3 and created_at = $4

-- name: insert
-- Returns nothing where the key is taken, also by a transaction that is waited for. Of an answer that speaks of a
-- customer who has just been erased it is kept that there was one.
-- $1 team, $2 dialect, $3 key, $4 fingerprint, $5 status, $6 headers, $7 body or null for a secret one, $8 at
insert into idempotency_key (team, dialect, key, fingerprint, status, headers, body, created_at)
select $1, $2, $3, $4, $5, $6, case when not exists (
    select
    from erasure x cross join unnest(x.marks) as m (mark)
    where x.team = $1 and x.settled_at is null and position(convert_to(m.mark, 'UTF8') in $7::bytea) > 0
) then $7::bytea end, $8
on conflict (team, dialect, key) do nothing
returning true
