-- Deliveries: what is on its way to sinks, lane by lane, and what came of it.

-- name: list_due
-- Sinks of any teams that have something due, or are behind the feed, and do not rest. $1 limit
select h.failures, coalesce(c.next - 1 > h.taken, false), {columns}
from sink s
join sink_state h on h.team = s.team and h.sink = s.id
left join feed_counter c on c.team = s.team
where s.status = 'active' and s.deleted_at is null and (h.resume_at is null or h.resume_at <= now())
    and (
        c.next - 1 > h.taken
        or exists (
            select from lane l
            where l.team = s.team and l.sink = s.id and l.due_at <= now()
                and (l.claimed_until is null or l.claimed_until <= now())
        )
    )
order by random()
limit $1

-- name: hold_state
-- How far a sink has its deliveries; nothing where somebody else gives it more, or it has ended. From here on nothing that
-- others hold is waited for any longer than $3: other sinks would wait too. $1 team, $2 sink, $3 with its unit
select h.taken, set_config('lock_timeout', $3, true)
from sink_state h
where h.team = $1 and h.sink = $2
for update skip locked

-- name: wait_for_state
-- Nobody gives a sink more until the transaction ends. $1 team, $2 sink
select from sink_state h where h.team = $1 and h.sink = $2 for update

-- name: count_due
-- Of how many customers something is due, counted as far as it matters. $1 team, $2 sink, $3 as far
select count(*) from (
    select from lane l where l.team = $1 and l.sink = $2 and l.due_at <= now() limit $3
) w

-- name: take
-- A piece of the feed becomes deliveries, and their lanes are due unless they wait for a next attempt. How many changes
-- there were. $1 team, $2 sink, $3 behind which position, $4 limit, $5 types, none for all
with piece as materialized (
    select f.position, f.customer, f.version
    from feed f
    where f.team = $1 and f.position > $3
    order by f.position
    limit $4
), told as (
    insert into delivery (team, sink, customer, version, id, type, position, at)
    select $1, $2, p.customer, p.version, {id}, e.type, p.position, e.at
    from piece p
    join event e on e.team = $1 and e.customer = p.customer and e.version = p.version
    where $5::text[] = '{{}}' or e.type = any ($5::text[])
    order by p.customer, p.version
    on conflict (team, sink, customer, version) do nothing
    returning customer
), woken as (
    insert into lane as l (team, sink, customer, due_at)
    select distinct $1::uuid, $2::uuid, t.customer, now() from told t order by t.customer
    on conflict (team, sink, customer) do update set due_at = coalesce(l.due_at, excluded.due_at)
), moved as (
    update sink_state set taken = (select max(p.position) from piece p)
    where team = $1 and sink = $2 and exists (select from piece)
)
select count(*) from piece

-- name: announce
-- A hint to all who listen that something is due; whoever misses it looks by themselves. $1 channel
select pg_notify($1, '')

-- name: claim
-- Lanes that are due and nobody else's, the longest due first, for so many seconds unless renewed.
-- $1 team, $2 sink, $3 who claims, $4 limit, $5 seconds
with due as (
    select l.customer
    from lane l
    where l.team = $1 and l.sink = $2 and l.due_at <= now() and (l.claimed_until is null or l.claimed_until <= now())
    order by l.due_at
    limit $4
    for update skip locked
)
update lane o
set claimed_by = $3, claimed_until = now() + make_interval(secs => $5)
from due d
where o.team = $1 and o.sink = $2 and o.customer = d.customer
returning o.customer

-- name: renew
-- Claims that are still worked on, of any teams, and which ones they are: a lane that somebody holds at this moment is left
-- out, or all of them would wait for it. $1 teams, $2 sinks, $3 customers, $4 who claimed them, $5 seconds
with held as (
    select l.team, l.sink, l.customer
    from unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::uuid[]) as c (team, sink, customer, claim)
    join lane l on l.team = c.team and l.sink = c.sink and l.customer = c.customer
    where l.claimed_by = c.claim
    for update of l skip locked
)
update lane o
set claimed_until = now() + make_interval(secs => $5)
from held h
where o.team = h.team and o.sink = h.sink and o.customer = h.customer
returning o.team, o.sink, o.customer, o.claimed_by

-- name: find_oldest
-- A customer's next delivery to a sink that is active, and as it was when the lane was claimed: one that was changed since is
-- told as it is now. $1 team, $2 sink, $3 customer, $4 the sink's version
select {delivery}
from delivery d
where d.team = $1 and d.sink = $2 and d.customer = $3 and d.status = 'waiting' and exists (
    select from sink s where s.team = $1 and s.id = $2 and s.status = 'active' and s.version = $4 and s.deleted_at is null
)
order by d.version
limit 1

-- name: find_newest
-- The one that stands for all that wait. $1 team, $2 sink, $3 customer, $4 the sink's version
select {delivery}
from delivery d
where d.team = $1 and d.sink = $2 and d.customer = $3 and d.status = 'waiting' and exists (
    select from sink s where s.team = $1 and s.id = $2 and s.status = 'active' and s.version = $4 and s.deleted_at is null
)
order by d.version desc
limit 1

-- name: find_told
-- What the history says of the version that a delivery is about. $1 team, $2 customer, $3 version
select c.actor, c.actor_name, c.dialect, c.request_id, c.changes
from change c
where c.team = $1 and c.customer = $2 and c.version = $3

-- name: hold_lane
-- Whether the lane still is the claimer's; held until the transaction ends. $1 team, $2 sink, $3 customer, $4 who claimed
select l.claimed_by = $4 from lane l where l.team = $1 and l.sink = $2 and l.customer = $3 for update

-- name: settle
-- Without the reason where the customer was erased meanwhile, of whom it may speak; and it goes on waiting where it was
-- asked for once more meanwhile. $1 team, $2 sink, $3 customer, $4 version, $5 status, $6 tries, $7 parts, $8 reason,
-- $9 rounds as they were when it was told
update delivery
set status = case when rounds = $9 then $5 else 'waiting' end, attempts = attempts + 1,
    tries = case when rounds = $9 then $6 else tries end, parts = case when rounds = $9 then $7 else parts end,
    reason = case
        when not exists (select from erasure e where e.team = $1 and e.customer = $3 and e.version > $4) then $8::text
    end,
    settled_at = case when $5 = 'waiting' or rounds <> $9 then null else (select now()) end
where team = $1 and sink = $2 and customer = $3 and version = $4

-- name: supersede
-- What waits before a newer state that was told; how many. $1 team, $2 sink, $3 customer, $4 version, $5 reason
update delivery
set status = 'superseded', reason = $5, settled_at = now()
where team = $1 and sink = $2 and customer = $3 and version < $4 and status = 'waiting'

-- name: insert_attempt
-- Of a customer who was erased meanwhile without what was said. $1 team, $2 sink, $3 customer, $4 version, $5 number,
-- $6 at, $7 seconds, $8 outcome, $9 reason, $10 exchanges
insert into attempt (team, sink, customer, version, number, at, latency_us, outcome, reason, exchanges)
select $1, $2, $3, $4, $5, $6, $7::float8 * 1000000, $8,
    case when e.is_erased then null else $9 end, case when e.is_erased then null else $10::jsonb end
from (select exists (select from erasure where team = $1 and customer = $3 and version > $4) as is_erased) e
on conflict (team, sink, customer, version, number) do nothing

-- name: release
-- The lane goes on after so many seconds, or at once if something waits; null is at once.
-- $1 team, $2 sink, $3 customer, $4 seconds
update lane l
set claimed_by = null, claimed_until = null, due_at = case
    when exists (
        select from delivery d
        where d.team = $1 and d.sink = $2 and d.customer = $3 and d.status = 'waiting'
    ) then (select now() + make_interval(secs => coalesce($4, 0)))
end
where l.team = $1 and l.sink = $2 and l.customer = $3

-- name: list
-- Of one sink, the newest first. $1 team, $2 sink, $3 before which position, $4 limit, then the filters' values
select {delivery}
from delivery d
where d.team = $1 and d.sink = $2 and d.position < $3{filters}
order by d.position desc
limit $4

-- name: look
-- The newest of so many deliveries of one sink, whatever became of them, that are as the filter says: to look for what is rare
-- takes no longer than that. $1 team, $2 sink, $3 before which position, $4 limit, $5 how many are looked at
select {delivery}
from (
    select * from delivery l where l.team = $1 and l.sink = $2 and l.position < $3 order by l.position desc limit $5
) d
where true{filters}
order by d.position desc
limit $4

-- name: reach
-- Where the last one of so many stands; nothing where there are no more. $1 team, $2 sink, $3 before which position, $4 how
-- many less one
select d.position
from delivery d
where d.team = $1 and d.sink = $2 and d.position < $3
order by d.position desc
offset $4
limit 1

-- name: filter_status
-- One of our own words and no parameter: a plan for any of them would look through all deliveries for the few dead ones.
and d.status = '{0}'

-- name: filter_customer
and d.customer = {0}

-- name: find_by_id
-- $1 team, $2 sink, $3 id
select {delivery} from delivery d where d.team = $1 and d.sink = $2 and d.id = $3

-- name: find_latest
-- The last that a sink was to be told of a customer, by the primary key. $1 team, $2 sink, $3 customer
select {delivery} from delivery d
where d.team = $1 and d.sink = $2 and d.customer = $3
order by d.version desc
limit 1

-- name: list_known
-- Which of these ids are deliveries to a sink. $1 team, $2 sink, $3 ids
select d.id from delivery d where d.team = $1 and d.sink = $2 and d.id = any ($3::uuid[])

-- name: list_attempts
-- $1 team, $2 sink, $3 customer, $4 version
select a.number, a.at, a.latency_us / 1e6::float8, a.outcome, a.reason, a.exchanges
from attempt a
where a.team = $1 and a.sink = $2 and a.customer = $3 and a.version = $4
order by a.number

-- name: replay
-- Events that are kept, of a piece of the feed, go to a sink once more, whatever became of them; those of which it was
-- never told too. What waits goes on waiting, and is tried now. Lanes are held before deliveries, as whoever tells them
-- does, so that neither waits for the other. How many, and where the piece ends (null: nothing behind it).
-- $1 team, $2 sink, $3 behind which position, $4 up to which, $5 limit, $6 types, none for all
with piece as materialized (
    select f.position, f.customer, f.version
    from feed f
    where f.team = $1 and f.position > $3 and f.position <= $4
    order by f.position
    limit $5
), chosen as materialized (
    select p.customer, p.version, p.position, e.type, e.at
    from piece p
    join event e on e.team = $1 and e.customer = p.customer and e.version = p.version
    where $6::text[] = '{{}}' or e.type = any ($6::text[])
), held as (
    insert into lane as l (team, sink, customer, due_at)
    select distinct $1::uuid, $2::uuid, c.customer, now() from chosen c order by c.customer
    on conflict (team, sink, customer) do update set due_at = excluded.due_at
    returning l.customer
), told as (
    insert into delivery as d (team, sink, customer, version, id, type, position, at)
    select $1, $2, p.customer, p.version, {id}, p.type, p.position, p.at
    from chosen p
    where (select count(*) from held) > 0
    order by p.customer, p.version
    on conflict (team, sink, customer, version) do update
    set status = 'waiting', rounds = d.rounds + 1, tries = 0, parts = 0, reason = null, settled_at = null
    where d.status <> 'waiting'
    returning d.customer
)
select (select count(*) from told), (select max(position) from piece)

-- name: replay_some
-- The same for single ones, by id, and for dead ones where none is named. Found again by their key as new ones would be,
-- since whoever plans this does not know how many there are. $1 team, $2 sink, $3 ids or null, $4 limit
with chosen as materialized (
    select d.customer, d.version, d.id, d.type, d.position, d.at
    from delivery d
    where d.team = $1 and d.sink = $2 and d.status <> 'waiting'
        and ($3::uuid[] is not null and d.id = any ($3::uuid[]) or $3::uuid[] is null and d.status = 'dead')
    order by d.position, d.customer, d.version
    limit $4
), held as (
    insert into lane as l (team, sink, customer, due_at)
    select distinct $1::uuid, $2::uuid, c.customer, now() from chosen c order by c.customer
    on conflict (team, sink, customer) do update set due_at = excluded.due_at
    returning l.customer
), told as (
    insert into delivery as d (team, sink, customer, version, id, type, position, at)
    select $1, $2, c.customer, c.version, c.id, c.type, c.position, c.at
    from chosen c
    where (select count(*) from held) > 0
    on conflict (team, sink, customer, version) do update
    set status = 'waiting', rounds = d.rounds + 1, tries = 0, parts = 0, reason = null, settled_at = null
    where d.status <> 'waiting'
    returning d.customer
)
select count(*) from told

-- name: hurry
-- What waits for its next attempt is tried now. Lanes are held in one order by everybody, or two would wait crosswise.
-- $1 team, $2 sink
with held as (
    select l.customer from lane l
    where l.team = $1 and l.sink = $2 and l.due_at > now()
    order by l.customer
    for update
)
update lane o set due_at = now() from held h where o.team = $1 and o.sink = $2 and o.customer = h.customer

-- name: enqueue
-- A customer as it stands goes to a mirror, though nothing changed: the newest event of it once more. The lane first, as
-- for a replay. How many. $1 team, $2 sink, $3 customers, $4 at
with newest as materialized (
    select c.id as customer, c.version from customer c where c.team = $1 and c.id = any ($3::uuid[])
), held as (
    insert into lane as l (team, sink, customer, due_at)
    select $1::uuid, $2::uuid, n.customer, now() from newest n order by n.customer
    on conflict (team, sink, customer) do update set due_at = excluded.due_at
    returning l.customer
), told as (
    insert into delivery as d (team, sink, customer, version, rounds, id, type, position, at)
    select $1, $2, p.customer, p.version, 1, {id}, 'customer.updated', coalesce((
        select f.position from feed f where f.team = $1 and f.customer = p.customer and f.version = p.version
    ), (select c.next from feed_counter c where c.team = $1), 1), $4
    from newest p
    where (select count(*) from held) > 0
    order by p.customer
    on conflict (team, sink, customer, version) do update
    set status = 'waiting', rounds = d.rounds + 1, tries = 0, parts = 0, reason = null, settled_at = null
    returning d.customer
)
select count(*) from told

-- name: end
-- What is on its way to a sink that ends goes nowhere. $1 team, $2 sink, $3 reason
update delivery set status = 'skipped', reason = $3, settled_at = now()
where team = $1 and sink = $2 and status = 'waiting'

-- name: delete_lanes
-- Those in which something waits, or that somebody works on, in the same order; the others, which may be very many, are
-- tidied up later. $1 team, $2 sink
with held as (
    select l.customer
    from lane l
    where l.team = $1 and l.sink = $2 and l.due_at is not null
    order by l.customer
    for update
)
delete from lane o using held h where o.team = $1 and o.sink = $2 and o.customer = h.customer

-- name: list_ended
-- Sinks that have ended and still have lanes.
select s.team, s.id
from sink s
where s.deleted_at is not null and exists (select from lane l where l.team = s.team and l.sink = s.id)

-- name: delete_ended_lanes
-- A piece of the lanes of one of them. $1 team, $2 sink, $3 limit
delete from lane
where team = $1 and sink = $2 and customer in (
    select l.customer from lane l where l.team = $1 and l.sink = $2 limit $3
)

-- name: depth
-- How many deliveries wait, how many changes are not taken yet, and the time of the oldest of them all, by sink.
-- $1 team
select
    h.sink, w.number,
    case when s.status = 'active' or s.holds and (s.status = 'paused' or s.reason is not null) then greatest(c.next - 1 - h.taken, 0) else 0 end,
    least(w.oldest, case when s.status = 'active' or s.holds and (s.status = 'paused' or s.reason is not null) then (
        select e.at
        from feed f
        join event e on e.team = $1 and e.customer = f.customer and e.version = f.version
        where f.team = $1 and f.position = h.taken + 1
    ) end)
from sink_state h
join sink s on s.team = $1 and s.id = h.sink and s.deleted_at is null
left join feed_counter c on c.team = $1
cross join lateral (
    select count(*) as number, min(d.at) as oldest
    from delivery d
    where d.team = $1 and d.sink = h.sink and d.status = 'waiting'
) w
where h.team = $1

-- name: list_troubles
-- Of each sink how many dead letters there are, as far as they are counted, and of what failed the newest: a dead letter, or
-- one that was tried and waits. $1 team, $2 up to how many are counted
select s.id, n.number, f.id, f.status, f.reason, f.settled_at
from sink s
cross join lateral (
    select count(*) as number
    from (select from delivery d where d.team = $1 and d.sink = s.id and d.status = 'dead' limit $2) c
) n
left join lateral (
    select t.*
    from (
        (
            select d.id, d.status, d.reason, d.settled_at, d.position
            from delivery d
            where d.team = $1 and d.sink = s.id and d.status = 'dead'
            order by d.position desc
            limit 1
        )
        union all
        (
            select d.id, d.status, d.reason, d.settled_at, d.position
            from delivery d
            where d.team = $1 and d.sink = s.id and d.status = 'waiting' and d.reason is not null
            limit 1
        )
    ) t
    order by t.status desc
    limit 1
) f on true
where s.team = $1 and s.deleted_at is null

-- name: count_dead
-- How many dead letters there are, by sink of a team. $1 team
select d.sink, count(*) from delivery d where d.team = $1 and d.status = 'dead' group by d.sink

-- name: delete_old
-- Settled before a time, and still so when its turn comes: what is asked for once more meanwhile stays.
-- $1 team, $2 before, $3 limit
delete from delivery
where (team, sink, customer, version) in (
    select d.team, d.sink, d.customer, d.version
    from delivery d
    where d.team = $1 and d.settled_at < $2
    limit $3
) and team = $1 and settled_at < $2

-- name: delete_old_attempts
-- $1 team, $2 before, $3 limit
delete from attempt
where (team, sink, customer, version, number) in (
    select a.team, a.sink, a.customer, a.version, a.number from attempt a where a.team = $1 and a.at < $2 limit $3
) and team = $1

-- name: list_teams_with_old
-- Teams that have deliveries or attempts of before a time. $1 before
select team from attempt where at < $1
union
select team from delivery where settled_at < $1
union
select team from sync_message where at < $1

-- name: id
-- The id of a delivery, the same whenever it is made: of the sink $2 and one version of a customer, as a UUID of version 8.
overlay(overlay(md5($2::uuid::text || p.customer::text || p.version::text) placing '8' from 13) placing '8' from 17)::uuid

-- name: erase
-- By the sinks, also those that have ended, since all that is kept of a team stands in the order of its sinks.
-- $1 team, $2 customers
update delivery set reason = null
where team = $1 and sink = any (array(select s.id from sink s where s.team = $1)) and customer = any ($2::uuid[])
    and reason is not null

-- name: hold_lanes
-- $1 team, $2 customers
select l.sink
from lane l
where l.team = $1 and l.sink = any (array(select s.id from sink s where s.team = $1)) and l.customer = any ($2::uuid[])
order by l.sink, l.customer
for update

-- name: erase_attempts
-- $1 team, $2 customers
update attempt set reason = null, exchanges = null
where team = $1 and sink = any (array(select s.id from sink s where s.team = $1)) and customer = any ($2::uuid[])

-- name: erase_syncs
-- Which record it is over there stays, so that it can be emptied; and that one was begun, where it is found by the hub's
-- id alone. $1 team, $2 customers
update sync
set written = '{}', left_out = '{}', error = null,
    creation = case when creation ? 'since' then creation || '{"body": {}, "is_spent": true}' end
where team = $1 and sink = any (array(select s.id from sink s where s.team = $1)) and customer = any ($2::uuid[])
