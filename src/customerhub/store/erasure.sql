-- Erase customers: their history, what else speaks of them, and what is left to do afterwards. `{…}` marks what
-- `erasure.py` fills with column names or with the pieces below; values are always parameters.

-- name: read_team
-- What a write of the operator's must know of a team. $1 team
select catalogue_version, has_sinks from team where id = $1

-- name: is_erased
-- $1 team, $2 customer
select exists (select from erasure where team = $1 and customer = $2)

-- name: list_chain
-- A customer and all that went into it, over any number of merges. $1 team, $2 customer
with recursive chain (id) as (
    select c.id from customer c where c.team = $1 and c.id = $2
    union
    select c.id from chain h join customer c on c.team = $1 and c.merged_into = h.id
)
select id from chain

-- name: get_records
-- Live or deleted, in the order of their ids. $1 team, $2 customers
select {columns} from customer c where c.team = $1 and c.id = any ($2::uuid[]) order by c.id

-- name: has_children
-- Whether live customers are below any of these. $1 team, $2 customers
select exists (select from customer where team = $1 and parent = any ($2::uuid[]) and deleted_at is null)

-- name: list_changes
-- All that the history says of customers. $1 team, $2 customers
select c.changes from change c where c.team = $1 and c.customer = any ($2::uuid[])

-- name: list_address_audits
-- What happened to addresses while they belonged to none. $1 team, $2 addresses
select a.changes from audit a where a.team = $1 and a.kind = 'address' and a.subject = any ($2::uuid[])

-- name: list_linked
-- Other customers that one of these was merged with, or parted from again, and the version at which; 0 where only the
-- parting is known. $1 team, $2 customers
select
    o.customer,
    case when bool_or(h.action = 'merged') then min(o.version) filter (where h.action = 'merged') else 0 end
from change h
join change o on o.team = $1 and o.at = h.at and o.request_id = h.request_id
where h.team = $1 and h.customer = any ($2::uuid[]) and h.action in ('merged', 'restored', 'unmerged')
    and o.customer <> all ($2::uuid[])
group by o.customer

-- name: hold_versions
-- All of a customer's, in order, until the transaction ends. $1 team, $2 customer
select
    c.customer, c.version, c.at, c.action, c.actor, c.actor_name, c.credential, c.dialect, c.request_id, c.changes,
    c.ignored
from change c
where c.team = $1 and c.customer = $2
order by c.version
for update

-- name: set_changes
-- $1 team, $2 customer, $3 version, $4 changes
update change set changes = $4 where team = $1 and customer = $2 and version = $3

-- name: erase_changes
-- That something changed, when and by whom stays. $1 team, $2 customers
update change c set changes = (
    select coalesce(jsonb_agg(jsonb_build_object('path', e.value -> 'path', 'erased', true) order by e.place), '[]')
    from jsonb_array_elements(c.changes) with ordinality as e (value, place)
)
where c.team = $1 and c.customer = any ($2::uuid[])

-- name: erase_address_audits
-- $1 team, $2 addresses
update audit a set changes = (
    select coalesce(jsonb_agg(jsonb_build_object('path', e.value -> 'path', 'erased', true) order by e.place), '[]')
    from jsonb_array_elements(a.changes) with ordinality as e (value, place)
)
where a.team = $1 and a.kind = 'address' and a.subject = any ($2::uuid[])

-- name: insert
-- $1 team, $2 customer, $3 version, $4 at, $5 marks
insert into erasure (team, customer, version, at, marks) values ($1, $2, $3, $4, $5)

-- name: erase_logs
-- In a piece of the log whatever speaks of the customer loses its values; the last id of the piece. Expressions are slow:
-- only what has one of the anchors is looked at so closely.
-- $1 team, $2 behind, $3 limit, $4 anchors, $5 expressions for ids and texts, $6 for texts
with piece as materialized (
    select l.id, concat_ws(E'\n', l.path, l.query::text, l.referrer, l.idempotency_key, l.error_message, l.request_body,
        l.response_body) as text
    from request_log l
    where l.team = $1 and l.id > $2
    order by l.id
    limit $3
), low as materialized (
    select p.id, p.text, lower(p.text) as folded from piece p
), found as materialized (
    select w.id, w.text from low w where exists (
        select from unnest($4::text[]) as a (anchor) where strpos(w.folded, a.anchor) > 0
    )
), erased as (
    update request_log r
    set path = case when r.path ~* any ($6::text[]) then r.route else r.path end, query = '[]', referrer = null,
        idempotency_key = null, error_message = null, request_body = null, response_body = null
    from found f
    where r.team = $1 and r.id = f.id and f.text ~* any ($5::text[])
)
select id from piece order by id desc limit 1

-- name: erase_keys
-- In a piece of the keys kept answers that speak of the customer go: what is asked again under such a key hears that it
-- was done. Not the answer to the erasure itself. The last key of the piece. $1 team, $2 behind dialect, $3 and key,
-- $4 limit, $5 anchors, $6 expressions, $7 when it was erased
with piece as materialized (
    select i.dialect, i.key, case when i.created_at <> $7 then encode(i.body, 'escape') || i.headers::text end as text
    from idempotency_key i
    where i.team = $1 and (i.dialect, i.key) > ($2::text, $3::text)
    order by i.dialect, i.key
    limit $4
), low as materialized (
    select p.dialect, p.key, p.text, lower(p.text) as folded from piece p where p.text is not null
), found as materialized (
    select w.dialect, w.key, w.text from low w where exists (
        select from unnest($5::text[]) as a (anchor) where strpos(w.folded, a.anchor) > 0
    )
), erased as (
    update idempotency_key k
    set headers = '[]', body = null
    from found f
    where k.team = $1 and k.dialect = f.dialect and k.key = f.key and f.text ~* any ($6::text[])
)
select dialect, key from piece order by dialect desc, key desc limit 1

-- name: delete_keys
-- Keys that are made of the customer's values. $1 team, $2 expressions
delete from idempotency_key k where k.team = $1 and k.key ~* any ($2::text[])

-- name: close
-- From now on nobody can read what was erased. $1 team, $2 customers, $3 at
update erasure set closed_at = $3 where team = $1 and customer = any ($2::uuid[])

-- name: list_unsettled
-- $1 limit
select e.team, e.customer, e.at, e.marks, e.closed_at < 'infinity' as is_closed, e.closed_at < $2 as is_due
from erasure e
where e.settled_at is null
order by e.team, e.at
limit $1

-- name: settle
-- $1 team, $2 customer, $3 at
update erasure set settled_at = $3 where team = $1 and customer = $2

-- name: tidy
-- Take what was erased out of the table's pages too.
vacuum (analyze) {table}

-- name: analyze
-- The samples of values that the planner has are taken anew.
analyze {table}
