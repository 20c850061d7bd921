-- A team's feed: changes that wait for a position, and those that have one.

-- name: list_waiting_teams
-- Teams that have changes without a position, in the order of their ids: from one to the next by the index, so that it
-- costs what there are teams and not what there are changes. $1 behind which team, $2 limit
with recursive found (team) as (
    (select w.team from feed_waiting w where w.team > $1 order by w.team limit 1)
    union all
    select (select n.team from feed_waiting n where n.team > f.team order by n.team limit 1)
    from found f
    where f.team is not null
)
select team from found where team is not null limit $2

-- name: survey
-- How many changes of all teams wait for a position, and for how many seconds the oldest of them has.
select count(*), coalesce(extract(epoch from now() - min(at)), 0)::double precision from feed_waiting

-- name: is_waiting
-- Whether there are changes without a position, and the next change would have this one or one before it. $1 team,
-- $2 position
select exists (select from feed_waiting where team = $1)
    and not exists (select from feed_counter where team = $1 and next > $2)

-- name: insert_counter
-- Outside any transaction, so that nobody waits for it; and it is looked for first, since an insert would wait for
-- whoever counts at this moment. $1 team
insert into feed_counter (team)
select $1 where not exists (select from feed_counter where team = $1)
on conflict (team) do nothing

-- name: claim
-- The team's next position, held until the transaction ends, and whether anybody is to be told of its changes; nothing
-- where somebody else has it. $1 team
select c.next, (select t.has_sinks from team t where t.id = $1)
from feed_counter c
where c.team = $1
for update of c skip locked

-- name: wait_to_claim
-- The same, waiting for whoever has it. $1 team
select c.next, (select t.has_sinks from team t where t.id = $1)
from feed_counter c
where c.team = $1
for update of c

-- name: publish
-- Changes that wait, the oldest first, get the next positions; how many did. A statement of its own after the claim, so
-- that it sees all that the last one to claim has done. Versions of a customer follow each other in time, and none can
-- be seen before the one before it.
-- $1 team, $2 next position, $3 limit
with first as (
    select w.at, w.customer, w.version
    from feed_waiting w
    where w.team = $1
    order by w.at, w.customer, w.version
    limit $3
), taken as (
    delete from feed_waiting o
    using first
    where o.team = $1 and o.at = first.at and o.customer = first.customer and o.version = first.version
    returning o.at, o.customer, o.version
), placed as (
    insert into feed (team, position, customer, version)
    select $1, $2::bigint - 1 + row_number() over (order by t.at, t.customer, t.version), t.customer, t.version
    from taken t
    returning position
), counted as (
    update feed_counter set next = next + (select count(*) from placed) where team = $1
)
select count(*) from placed

-- name: list_next
-- The next position of each of these teams that has one. $1 teams
select c.team, c.next from feed_counter c where c.team = any ($1::uuid[])

-- name: find_next
-- $1 team
select next from feed_counter where team = $1

-- name: page
-- $1 team, $2 position, $3 limit
select
    f.position, c.customer, c.version, c.at, c.action, c.actor, c.actor_name, c.credential, c.dialect, c.request_id,
    c.changes, c.ignored
from feed f
join change c on c.team = $1 and c.customer = f.customer and c.version = f.version
where f.team = $1 and f.position > $2
order by f.position
limit $3
