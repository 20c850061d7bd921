-- What a merge did, as the history tells it. `{…}` marks what `merges.py` fills with column names.

-- name: list_merged
-- Whom the request of a merge changed, at its one moment, and what it changed of them. $1 team, $2 at, $3 request id
select c.customer, c.version, c.action, c.changes
from change c
where c.team = $1 and c.at = $2 and c.request_id = $3
order by c.customer

-- name: get_sources
-- Those of these customers that went into another one and are still gone. $1 team, $2 customers, $3 the other one,
-- $4 when
select {columns} from customer c
where c.team = $1 and c.id = any ($2::uuid[]) and c.merged_into = $3 and c.deleted_at = $4
order by c.id

-- name: get_below
-- Those of these customers that stand below another one. $1 team, $2 customers, $3 the other one
select {columns} from customer c
where c.team = $1 and c.id = any ($2::uuid[]) and c.parent = $3 and c.deleted_at is null
order by c.id
