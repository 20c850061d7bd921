-- Lists of customers. `{…}` marks what `lists.py` fills with the pieces below; values are always parameters.

-- name: page
-- Whose rows first, then the rows: what is skipped is read in the order's index alone, or sorted without the rest of it.
-- $1 team, $2 limit, $3 offset, further ones as the pieces say
select {columns}
from customer c
where c.team = $1 and c.id = any (array(
    select c.id
    from customer c
    where c.team = $1 and c.deleted_at is null{filters}
    order by {order}
    limit $2 offset $3
))
order by {order}

-- name: walk
-- A page by its place in the list: what lies before it costs nothing. $1 team, $2 limit, further ones as the pieces say
select {columns}
from customer c
where c.team = $1 and c.deleted_at is null{filters}
order by c.created_at {order}, c.id {order}
limit $2

-- name: walk_after
 and (c.created_at, c.id) < ({at}::timestamptz, {id}::uuid)

-- name: walk_before
 and (c.created_at, c.id) > ({at}::timestamptz, {id}::uuid)

-- name: total
-- $1 team, further ones as the pieces say
select count(*) from customer c where c.team = $1 and c.deleted_at is null{filters}

-- name: filter_status
 and c.status = {0}

-- name: filter_created_from
 and c.created_at >= {0}

-- name: filter_created_before
 and c.created_at < {0}

-- name: filter_created_until
 and c.created_at <= {0}

-- name: filter_updated_from
 and c.updated_at >= {0}

-- name: filter_updated_before
 and c.updated_at < {0}

-- name: filter_ids
 and c.id = any ({0}::uuid[])

-- name: filter_email_key
 and c.email_key = {0}

-- name: filter_reference_ids
 and c.reference_id = any ({0}::text[])

-- name: filter_search
 and (
    strpos(lower(c.name), lower({0})) > 0
    or strpos(lower(c.email), lower({0})) > 0
    or strpos(lower(c.phone), lower({0})) > 0
)

-- name: filter_text
 and (
    strpos(lower(c.name), lower({0})) > 0
    or strpos(lower(c.number), lower({0})) > 0
    or strpos(lower(c.email), lower({0})) > 0
    or strpos(lower(c.phone), lower({0})) > 0
)

-- name: filter_type_groups
 and c.type_group = any ({0}::uuid[])

-- name: filter_price_groups_any
 and c.price_groups && {0}::uuid[]

-- name: filter_default_sales_reps
 and c.default_sales_rep = any ({0}::uuid[])

-- name: filter_standings
 and c.standing = any ({0}::text[])

-- name: filter_shipping_terms
 and c.shipping_term = any ({0}::uuid[])

-- name: filter_payment_terms
 and c.payment_term = any ({0}::uuid[])

-- name: filter_carriers
 and c.carrier = any ({0}::uuid[])

-- name: filter_service_levels
 and c.service_level = any ({0}::uuid[])

-- name: filter_commission_policies
 and c.commission_policy = any ({0}::text[])

-- name: filter_freight_policies
 and c.freight_policy = any ({0}::text[])

-- name: filter_is_parent
 and {0}::boolean = exists (
    select from customer k where k.team = $1 and k.parent = c.id and k.deleted_at is null
)

-- name: filter_address
-- All of it in one and the same address.
 and c.addresses @> {0}::jsonb

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

-- name: by_id
-- Live customers behind an id, by id. $1 team, $2 behind which customer, $3 limit
select {columns} from customer c where c.team = $1 and c.id > $2 and c.deleted_at is null order by c.id limit $3
