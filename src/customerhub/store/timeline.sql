-- What customers were: their versions, and those that are deleted. `{…}` marks what `timeline.py` fills with column
-- names or with the pieces below; values are always parameters.

-- name: page
-- A customer's versions, the newest first or the oldest. $1 team, $2 customer, $3 limit, further ones as the pieces say
select
    c.customer, c.version, c.at, c.action, c.actor, c.actor_name, c.credential, c.dialect, c.request_id, c.changes,
    c.ignored
from change c
where c.team = $1 and c.customer = $2{filters}
order by c.version {order}
limit $3

-- name: filter_actor
 and c.actor = {0}

-- name: filter_dialect
 and c.dialect = {0}

-- name: filter_since
 and c.at >= {0}

-- name: filter_until
 and c.at <= {0}

-- name: filter_paths
-- What was changed is one of these, or in it, or around it.
 and exists (
    select
    from jsonb_array_elements(c.changes) e
    cross join unnest({0}::text[]) as p (path)
    where starts_with((e ->> 'path') || '/', p.path || '/') or starts_with(p.path || '/', (e ->> 'path') || '/')
)

-- name: filter_after
 and c.version < {0}

-- name: filter_before
 and c.version > {0}

-- name: has_history
-- $1 team, $2 customer
select exists (select from change where team = $1 and customer = $2)

-- name: find_extent
-- The newest version and the oldest that is kept, the one that stood at a time, and that of the last erasure. $1 team,
-- $2 customer, $3 time or null
select
    max(c.version) as newest,
    min(c.version) as oldest,
    max(c.version) filter (where c.at <= $3::timestamptz) as standing,
    max(c.version) filter (where c.action = 'erased') as erased
from change c
where c.team = $1 and c.customer = $2

-- name: list_versions
-- In order, between two versions that are included. $1 team, $2 customer, $3 first, $4 last
select
    c.customer, c.version, c.at, c.action, c.actor, c.actor_name, c.credential, c.dialect, c.request_id, c.changes,
    c.ignored
from change c
where c.team = $1 and c.customer = $2 and c.version between $3 and $4
order by c.version

-- name: get_deleted
-- $1 team, $2 customer
select {columns} from customer c where c.team = $1 and c.id = $2 and c.deleted_at is not null

-- name: list_deleted
-- The last deleted first, or the first; not those of whom nothing is left. $1 team, $2 limit, further ones as the pieces
-- say
select {columns}
from customer c
where c.team = $1 and c.deleted_at is not null
    and not exists (select from erasure x where x.team = $1 and x.customer = c.id){filters}
order by c.deleted_at {order}, c.id {order}
limit $2

-- name: deleted_after
 and (c.deleted_at, c.id) < ({at}::timestamptz, {id}::uuid)

-- name: deleted_before
 and (c.deleted_at, c.id) > ({at}::timestamptz, {id}::uuid)
