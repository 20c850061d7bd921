-- Subscriptions: who is to be told of changes, over a URL of theirs.

-- name: list
-- $1 team, $2 dialect
select id, dialect, event, url, secret, status, version, created_at, updated_at
from subscription
where team = $1 and dialect = $2 and deleted_at is null
order by created_at, id

-- name: find
-- Held until the transaction ends. $1 team, $2 dialect, $3 id
select id, dialect, event, url, secret, status, version, created_at, updated_at
from subscription
where team = $1 and dialect = $2 and id = $3 and deleted_at is null
for update

-- name: insert
-- $1 team, $2 id, $3 dialect, $4 event, $5 url, $6 secret, $7 status, $8 at, $9 actor
insert into subscription (
    team, id, dialect, event, url, secret, status, created_at, updated_at, created_by, updated_by
) values ($1, $2, $3, $4, $5, $6, $7, $8, $8, $9, $9)

-- name: update
-- $1 team, $2 id, $3 event, $4 url, $5 secret, $6 status, $7 version, $8 at, $9 actor
update subscription
set event = $3, url = $4, secret = $5, status = $6, version = $7, updated_at = $8, updated_by = $9
where team = $1 and id = $2

-- name: delete
-- $1 team, $2 id, $3 version, $4 at, $5 actor
update subscription
set deleted_at = $4, secret = null, version = $3, updated_at = $4, updated_by = $5
where team = $1 and id = $2

-- name: lock_sinks
-- Whether the team has sinks is decided by one transaction at a time. $1 team
select has_sinks from team where id = $1 for no key update

-- name: settle_sinks
-- Events are written only for a team that somebody listens to. $1 team
update team
set has_sinks = s.has_sinks
from (
    select exists (
        select from subscription where team = $1 and status = 'active' and deleted_at is null
    ) as has_sinks
) s
where id = $1 and team.has_sinks <> s.has_sinks
