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

-- name: note_use
-- $1 team, $2 credential, $3 at
update credential set last_used_at = $3
where team = $1 and id = $2 and (last_used_at is null or last_used_at < $3)
