-- What a process does beside its requests: what is too old goes, in small pieces, and what somebody else is at is left.

-- name: list_teams_with_old_logs
-- $1 highest id that is too old
select t.id from team t where exists (select from request_log l where l.team = t.id and l.id <= $1)

-- name: delete_old_logs
-- $1 team, $2 highest id that goes, $3 limit
with old as (
    select l.id from request_log l where l.team = $1 and l.id <= $2 order by l.id limit $3 for update skip locked
)
delete from request_log r using old where r.team = $1 and r.id = old.id

-- name: find_first_excess
-- The newest entry that is one too many. $1 team, $2 how many may stay
select l.id from request_log l where l.team = $1 order by l.id desc offset $2 limit 1

-- name: list_teams_with_old_keys
-- $1 before
select distinct k.team from idempotency_key k where k.created_at < $1

-- name: delete_old_keys
-- $1 team, $2 before, $3 limit
with old as (
    select k.dialect, k.key from idempotency_key k
    where k.team = $1 and k.created_at < $2
    limit $3
    for update skip locked
)
delete from idempotency_key i using old where i.team = $1 and i.dialect = old.dialect and i.key = old.key

-- name: list_teams_with_old_events
-- $1 before
select distinct e.team from event e where e.at < $1

-- name: delete_old_events
-- $1 team, $2 before, $3 limit
with old as (
    select e.customer, e.version from event e
    where e.team = $1 and e.at < $2
    limit $3
    for update skip locked
)
delete from event o using old where o.team = $1 and o.customer = old.customer and o.version = old.version

-- name: list_teams_with_old_audits
-- $1 before
select t.id from team t where exists (select from audit a where a.team = t.id and a.at < $1)

-- name: delete_old_audits
-- $1 team, $2 before, $3 limit
with old as (
    select a.kind, a.subject, a.version from audit a
    where a.team = $1 and a.at < $2
    limit $3
    for update skip locked
)
delete from audit o using old
where o.team = $1 and o.kind = old.kind and o.subject = old.subject and o.version = old.version

-- name: delete_ended_tokens
-- $1 before, $2 limit
with old as (select t.token_hash from partner_token t where t.expires_at < $1 limit $2 for update skip locked)
delete from partner_token p using old where p.token_hash = old.token_hash

-- name: note_use
-- $1 team, $2 credential, $3 at
update credential set last_used_at = $3
where team = $1 and id = $2 and (last_used_at is null or last_used_at < $3)
