-- Sinks: where a team's changes go. `{columns}` are those of a sink, in the order of its members.

-- name: list
-- The oldest first. $1 team, $2 dialect, null for every one
select {columns}
from sink s
where s.team = $1 and s.deleted_at is null and ($2::text is null or s.dialect = $2)
order by s.created_at, s.id

-- name: find
-- $1 team, $2 id
select {columns} from sink s where s.team = $1 and s.id = $2 and s.deleted_at is null

-- name: hold
-- The same, held until the transaction ends. $1 team, $2 id
select {columns} from sink s where s.team = $1 and s.id = $2 and s.deleted_at is null for update

-- name: find_anywhere
-- By its id alone, for a message from outside that names nothing else. $1 id
select {columns} from sink s where s.id = $1 and s.deleted_at is null

-- name: insert
-- $1 team, $2 id, $3 kind, $4 dialect, $5 form, $6 name, $7 url, $8 events, $9 types, $10 fields, $11 config, $12 secret,
-- $13 status, $14 holds, $15 is trusted, $16 at, $17 actor
insert into sink (
    team, id, kind, dialect, form, name, url, events, types, fields, config, secret, status, holds, is_trusted,
    created_at, updated_at, created_by, updated_by
) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $16, $17, $17)

-- name: insert_state
-- A new sink hears of what comes from now on. $1 team, $2 sink
insert into sink_state (team, sink, taken)
select $1, $2, coalesce((select c.next - 1 from feed_counter c where c.team = $1), 0)

-- name: skip
-- What has happened up to now is nothing to a sink. $1 team, $2 sink
update sink_state
set taken = greatest(taken, coalesce((select c.next - 1 from feed_counter c where c.team = $1), 0))
where team = $1 and sink = $2

-- name: update
-- $1 team, $2 id, $3 name, $4 url, $5 events, $6 types, $7 fields, $8 config, $9 secret, $10 former secret,
-- $11 former until, $12 status, $13 reason, $14 version, $15 at, $16 actor
update sink
set name = $3, url = $4, events = $5, types = $6, fields = $7, config = $8, secret = $9, former_secret = $10,
    former_until = $11, status = $12, reason = $13, version = $14, updated_at = $15, updated_by = $16
where team = $1 and id = $2

-- name: set_secret
-- What a credential that renews itself is now; no version of the sink. $1 team, $2 id, $3 secret, $4 the secret as read
update sink set secret = $3 where team = $1 and id = $2 and secret = $4

-- name: delete_state
-- One that ends gets nothing more: whoever gives it something is waited for. $1 team, $2 sink
delete from sink_state where team = $1 and sink = $2

-- name: delete
-- $1 team, $2 id, $3 version, $4 at, $5 actor
update sink
set deleted_at = $4, secret = null, former_secret = null, former_until = null, version = $3, updated_at = $4,
    updated_by = $5
where team = $1 and id = $2

-- name: lock_sinks
-- Whether the team has sinks is decided by one transaction at a time. $1 team
select has_sinks from team where id = $1 for no key update

-- name: settle_sinks
-- Events are written only for a team that somebody listens to, or will: also a sink that the hub itself disabled, for a
-- reason, since its owner may not know yet. $1 team
update team
set has_sinks = s.has_sinks
from (
    select exists (
        select from sink s
        where s.team = $1 and s.deleted_at is null
            and (s.status = 'active' or s.holds and (s.status = 'paused' or s.reason is not null))
    ) as has_sinks
) s
where id = $1 and team.has_sinks <> s.has_sinks

-- name: list_states
-- How the sinks of a team fare. $1 team
select {state} from sink_state h where h.team = $1

-- name: survey
-- Every sink of every team: whether it rests, how many deliveries wait for it, how many changes it has not taken yet, for
-- how many seconds the oldest of them all, failures in a row, and what became of deliveries.
select
    s.team, s.id, s.kind, s.name, s.status, coalesce(h.resume_at > now(), false), coalesce(w.number, 0),
    coalesce(b.number, 0), coalesce(extract(epoch from now() - least(w.oldest, b.oldest)), 0)::double precision,
    h.failures, h.delivered, h.superseded, h.skipped, h.retried, h.dead
from sink s
join sink_state h on h.team = s.team and h.sink = s.id
left join (
    select team, sink, count(*) as number, min(at) as oldest from delivery where status = 'waiting' group by team, sink
) w on w.team = s.team and w.sink = s.id
left join lateral (
    select c.next - 1 - h.taken as number, (
        select e.at
        from feed f
        join event e on e.team = s.team and e.customer = f.customer and e.version = f.version
        where f.team = s.team and f.position = h.taken + 1
    ) as oldest
    from feed_counter c
    where c.team = s.team and c.next - 1 > h.taken and (s.status = 'active' or s.holds and (s.status = 'paused' or s.reason is not null))
) b on true
where s.deleted_at is null
order by s.team, s.id

-- name: revive
-- A sink that is set up anew or started again is tried at once. $1 team, $2 sink
update sink_state set resume_at = null, failures = 0, failing_since = null where team = $1 and sink = $2

-- name: note_failure
-- One more failure in a row; how many there are, since when, and how long that is. $1 team, $2 sink
update sink_state
set failures = failures + 1, failing_since = coalesce(failing_since, (select now()))
where team = $1 and sink = $2
returning failures, failing_since, (select now()) - failing_since

-- name: rest
-- It is left alone for a while. $1 team, $2 sink, $3 seconds
update sink_state set resume_at = greatest(resume_at, now() + make_interval(secs => $3)) where team = $1 and sink = $2

-- name: note_success
-- The row of failures has ended. $1 team, $2 sink
update sink_state set failures = 0, failing_since = null, resume_at = null
where team = $1 and sink = $2 and failures > 0

-- name: count
-- What became of attempts since the last count. $1 team, $2 sink, $3 delivered, $4 superseded, $5 skipped, $6 retried,
-- $7 dead, $8 when the last one was delivered
update sink_state
set delivered = delivered + $3, superseded = superseded + $4, skipped = skipped + $5, retried = retried + $6,
    dead = dead + $7, succeeded_at = greatest(succeeded_at, $8)
where team = $1 and sink = $2
