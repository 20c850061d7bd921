-- Lists of customers. `{…}` marks what `lists.py` fills with the pieces below; values are always parameters.

-- name: page
-- $1 team, $2 limit, $3 offset, further ones as the pieces say
select {columns}
from customer c
where c.team = $1 and c.deleted_at is null{filters}
order by {order}
limit $2 offset $3

-- name: total
-- $1 team, further ones as the pieces say
select count(*) from customer c where c.team = $1 and c.deleted_at is null{filters}

-- name: filter_status
 and c.status = {0}

-- name: filter_created_from
 and c.created_at >= {0}

-- name: filter_created_before
 and c.created_at < {0}

-- name: filter_updated_from
 and c.updated_at >= {0}

-- name: filter_updated_before
 and c.updated_at < {0}

-- name: filter_reference_ids
 and c.reference_id = any ({0}::text[])

-- name: filter_search
 and (
    strpos(lower(c.name), lower({0})) > 0
    or strpos(lower(c.email), lower({0})) > 0
    or strpos(lower(c.phone), lower({0})) > 0
)

-- name: order_created_at
c.created_at {0}, c.id {0}

-- name: order_updated_at
c.updated_at {0}, c.id {0}

-- name: order_name
lower(c.name) {0}, c.id {0}

-- name: order_display_name
lower(coalesce(c.display_name, c.name)) {0}, c.id {0}

-- name: order_email
lower(c.email) {0} nulls last, c.id {0}
