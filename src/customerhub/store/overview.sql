-- What a team's first page says: figures, counted a piece at a time and kept, and what happened last.

-- name: list_figures
-- $1 team
select f.name, f.version, f.begun_at, f.state, f.shown, f.shown_at from figure f where f.team = $1

-- name: lightly
-- For the rest of the transaction: what is counted again if it is lost waits for no disk.
set local synchronous_commit = off

-- name: keep_figure
-- Unless somebody else has counted on meanwhile. $1 team, $2 name, $3 version before (0 for none), $4 begun at, $5 state,
-- $6 shown, $7 shown at
insert into figure (team, name, version, begun_at, state, shown, shown_at)
values ($1, $2, 1, $4, $5, $6, $7)
on conflict (team, name) do update
set version = figure.version + 1, begun_at = $4, state = $5, shown = $6, shown_at = $7
where figure.team = $1 and figure.version = $3

-- name: count_customers
-- The next live customers by status, the newest first, from the index alone, and the last one of them. $1 team, $2 behind
-- what time and $3 id, $4 how many at most
with piece as (
    select c.created_at, c.id, c.status
    from customer c
    where c.team = $1 and c.deleted_at is null and (c.created_at, c.id) < ($2::timestamptz, $3::uuid)
    order by c.created_at desc, c.id desc
    limit $4
)
select p.status, count(*) as number, l.created_at, l.id
from piece p
cross join (select created_at, id from piece order by created_at, id limit 1) l
group by p.status, l.created_at, l.id

-- name: count_standings
-- The next live customers whose standing is not the usual one by status and standing, from the index alone, and the last
-- one of them. $1 team, $2 behind what standing and $3 id, $4 how many at most
with piece as (
    select c.standing, c.id, c.status
    from customer c
    where c.team = $1 and c.deleted_at is null and c.standing <> 'normal' and (c.standing, c.id) > ($2::text, $3::uuid)
    order by c.standing, c.id
    limit $4
)
select p.status, p.standing, count(*) as number, l.last_standing, l.last_id
from piece p
cross join (
    select standing as last_standing, id as last_id from piece order by standing desc, id desc limit 1
) l
group by p.status, p.standing, l.last_standing, l.last_id

-- name: find_change
-- When the change so many places behind a time was made. $1 team, $2 time, $3 how many, $4 not after
select c.at
from change c
where c.team = $1 and c.at > $2 and c.at <= $4
order by c.at
offset $3 - 1 limit 1

-- name: count_changes
-- By day (UTC) and door. $1 team, $2 behind what time, $3 until, $4 how many at most
select c.day, c.dialect, count(*) as number
from (
    select (a.at at time zone 'UTC')::date as day, a.dialect
    from change a
    where a.team = $1 and a.at > $2 and a.at <= $3
    order by a.at
    limit $4
) c
group by c.day, c.dialect

-- name: count_deliveries
-- The next of a sink by day (UTC) and outcome, the newest first: of those since a time, and how far it came. $1 team,
-- $2 sink, $3 before what position, $4 since, $5 how many at most
with piece as (
    select d.status, d.at, d.position
    from delivery d
    where d.team = $1 and d.sink = $2 and d.position < $3
    order by d.position desc
    limit $5
)
select
    (p.at at time zone 'UTC')::date as day, p.status, count(*) filter (where p.at >= $4) as number,
    l.position, l.at, l.looked
from piece p
cross join (select min(position) as position, min(at) as at, count(*) as looked from piece) l
group by 1, p.status, l.position, l.at, l.looked

-- name: name_customers
-- What customers are called, deleted ones too. $1 team, $2 customers
select c.id, c.name from customer c where c.team = $1 and c.id = any ($2::uuid[])
