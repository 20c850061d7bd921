-- Take old versions out of the history: the newest of those that are too old stays, with the whole record in it.

-- name: list_teams_with_old_changes
-- Teams with changes that became too old since it was looked last, and the time up to which it was, if any. $1 before
select t.id, c.folded_until as since
from team t
left join feed_counter c on c.team = t.id
where exists (
    select from change h where h.team = t.id and h.at < $1 and h.at >= coalesce(c.folded_until, '-infinity')
)

-- name: list_aged
-- In the order of time, behind one of them. $1 team, $2 from or null, $3 before, $4 limit, $5 at,
-- $6 customer, $7 version
select h.at, h.customer, h.version
from change h
where h.team = $1 and h.at >= coalesce($2::timestamptz, '-infinity') and h.at < $3
    and (h.at, h.customer, h.version) > ($5::timestamptz, $6::uuid, $7::bigint)
order by h.at, h.customer, h.version
limit $4

-- name: hold_old_versions
-- In order. Held, so that nobody takes values out of them that would come back here. $1 team, $2 customer, $3 before
select
    c.customer, c.version, c.at, c.action, c.actor, c.actor_name, c.credential, c.dialect, c.request_id, c.changes,
    c.ignored
from change c
where c.team = $1 and c.customer = $2 and c.at < $3
order by c.version
for update

-- name: fold
-- One version holds the whole record from now on, and those before it are gone, from the feed too. $1 team, $2 customer,
-- $3 version, $4 changes
with folded as (
    update change set changes = $4 where team = $1 and customer = $2 and version = $3
), unplaced as (
    delete from feed where team = $1 and customer = $2 and version < $3
)
delete from change where team = $1 and customer = $2 and version < $3

-- name: note_folded
-- $1 team, $2 until
update feed_counter set folded_until = $2 where team = $1
