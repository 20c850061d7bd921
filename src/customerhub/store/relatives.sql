-- Who is above and below customers. `{…}` marks what `relatives.py` fills with column names.

-- name: get_relatives
-- Of each customer: whether live ones are below it, and one row for each relative that is wanted, if any: its parent,
-- and its newest children. $1 team, $2 customers, $3 their parents in the same order, $4 whether parents are wanted,
-- $5 how many children of each
select
    o.id as customer,
    exists (select from customer k where k.team = $1 and k.parent = o.id and k.deleted_at is null) as has_children,
    r.is_parent,
    exists (select from customer k where k.team = $1 and k.parent = r.id and k.deleted_at is null) as is_above_others,
    {columns}
from unnest($2::uuid[], $3::uuid[]) as o (id, parent)
left join lateral (
    (
        select true as is_parent, p.* from customer p
        where $4 and p.team = $1 and p.id = o.parent and p.deleted_at is null
    )
    union all
    (
        select false, c.* from customer c
        where c.team = $1 and c.parent = o.id and c.deleted_at is null
        order by c.created_at desc, c.id desc
        limit $5
    )
) r on true
order by r.created_at desc, r.id desc

-- name: has_children
-- $1 team, $2 customer
select exists (select from customer where team = $1 and parent = $2 and deleted_at is null)

-- name: get_children
-- The live customers below any of these, whole. $1 team, $2 customers
select {columns} from customer c
where c.team = $1 and c.parent = any ($2::uuid[]) and c.deleted_at is null
order by c.id

-- name: get_line
-- A live customer and all above it, from the nearest on; a circle, which should not be, ends where it began. $1 team,
-- $2 customer
with recursive line (id, parent, step) as (
    select c.id, c.parent, 1 from customer c where c.team = $1 and c.id = $2 and c.deleted_at is null
    union all
    select c.id, c.parent, l.step + 1 from line l
    join customer c on c.team = $1 and c.id = l.parent and c.deleted_at is null
) cycle id set is_again using visited
select id from line where not is_again order by step

-- name: find_successor
-- The live customer that a deleted one went into, over any number of merges. $1 team, $2 customer
with recursive line (id, merged_into, deleted_at) as (
    select c.id, c.merged_into, c.deleted_at from customer c where c.team = $1 and c.id = $2
    union all
    select c.id, c.merged_into, c.deleted_at from line l
    join customer c on c.team = $1 and c.id = l.merged_into
    where l.deleted_at is not null
) cycle id set is_again using visited
select id from line where deleted_at is null and not is_again and id <> $2
