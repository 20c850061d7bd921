-- Every statement on customers. `{…}` marks the few places that `customers.py` fills with column names or with one of
-- the pieces below; values are always parameters.

-- name: read_for_write
-- One row while the credential exists: its state, the team's, the key's record if there is one, the customer if any.
-- $1 team, $2 credential, $3 customer, $4 dialect, $5 idempotency key or null
select
    cr.revoked_at, cr.expires_at, cr.requires_precondition, t.catalogue_version, t.has_sinks,
    k.fingerprint, k.status as key_status, k.headers as key_headers, k.body as key_body,
    k.created_at as key_created_at,
    c.id as customer_id, {columns}
from credential cr
join team t on t.id = cr.team
left join idempotency_key k on k.team = $1 and k.dialect = $4 and k.key = $5
left join customer c on c.team = $1 and c.id = $3 and c.deleted_at is null
where cr.team = $1 and cr.id = $2 and t.id = $1

-- name: lock
-- Holds the rows until the transaction ends, taken in the order of their ids. $1 team, $2 customers
select version from customer where team = $1 and id = any ($2::uuid[]) order by id for update

-- name: get_many
-- Live customers of these ids. $1 team, $2 customers
select {columns} from customer c where c.team = $1 and c.id = any ($2::uuid[]) and c.deleted_at is null

-- name: update
-- One version on: only if the row still is at the version read, deleted or not as it was then. All or nothing with its
-- change, which waits for its place in the team's feed, its event, its key and its terms.
-- $1 team, $2 customer, $3 version read, $4 at, $5 actor, $6 actor name, $7 credential, $8 dialect, $9 request id,
-- $10 changes, $11 ignored, $12 action; further ones as the pieces say.
with {policy}{held}written as (
    update customer
    set version = $3::bigint + 1, updated_at = $4, updated_by = $5{assignments}
    where team = $1 and id = $2 and version = $3{if_held}
    returning team, id, version
), changed as (
    insert into change (
        team, customer, version, at, actor, actor_name, credential, dialect, request_id, changes, ignored, action
    )
    select $1, w.id, w.version, $4, $5, $6, $7, $8, $9, $10, $11, $12 from written w where w.team = $1
), waiting as (
    insert into feed_waiting (team, at, customer, version)
    select $1, $4, w.id, w.version from written w where w.team = $1
){pieces}
select count(*) from written where team = $1

-- name: insert
-- The first version of a record. Parameters as in `update`; $3 is 0.
with {policy}{held}written as (
    insert into customer (team, id, version, created_at, updated_at, created_by, updated_by{columns})
    select $1, $2, $3::bigint + 1, $4, $4, $5, $5{values} where true{if_held}
    returning team, id, version
), changed as (
    insert into change (
        team, customer, version, at, actor, actor_name, credential, dialect, request_id, changes, ignored, action
    )
    select $1, w.id, w.version, $4, $5, $6, $7, $8, $9, $10, $11, $12 from written w where w.team = $1
), waiting as (
    insert into feed_waiting (team, at, customer, version)
    select $1, $4, w.id, w.version from written w where w.team = $1
){pieces}
select count(*) from written where team = $1

-- name: policy_piece
-- The team's email policy as it stands now, which does not change until the write is done: a row that was written by
-- the policy that was read could break the one that came after it.
policy as (
    select coalesce(settings ->> 'email_policy', 'unique') = 'unique' as is_unique from team where id = $1 for key share
),

-- name: unique_email_piece
(select case when p.is_unique then {0}::text end from policy p)

-- name: held_piece
-- Catalogue entries that cannot be deleted in use and that the record did not have: they stay until the write is done.
held as (
    select id from catalogue_entry where team = $1 and id = any ({0}::uuid[]) and deleted_at is null for key share
),

-- name: if_held_piece
-- Nothing is written where one of them was deleted since the catalogue was read.
 and (select count(*) from held) = cardinality({0}::uuid[])

-- name: event_piece
, told as (
    insert into event (team, customer, version, type, at)
    select $1, w.id, w.version, 'customer.' || $12, $4 from written w where w.team = $1
)

-- name: key_piece
, kept as (
    insert into idempotency_key (team, dialect, key, fingerprint, status, headers, body, created_at)
    select $1, $8, {key}, {fingerprint}, {status}, {headers}, {body}, $4 from written w where w.team = $1
)

-- name: terms_piece
-- Catalogue entries that free text brought along, as a JSON array; the team's snapshot is another from now on.
, terms as (
    insert into catalogue_entry (
        team, id, kind, name, unique_key, details, created_at, updated_at, created_by, updated_by
    )
    select $1, e.id, e.kind, e.name, e.unique_key, e.details, $4, $4, $5, $5
    from written w, jsonb_to_recordset({terms}) as e (id uuid, kind text, name text, unique_key text, details jsonb)
    where w.team = $1
    returning team, id, kind, name
), termed as (
    insert into audit (
        team, kind, subject, version, at, action, actor, actor_name, credential, dialect, request_id, changes
    )
    select $1, e.kind, e.id, 1, $4, 'created', $5, $6, $7, $8, $9,
        jsonb_build_array(jsonb_build_object('path', '', 'new', jsonb_build_object('name', e.name)))
    from terms e where e.team = $1
), bumped as (
    update team set catalogue_version = catalogue_version + 1
    where id = $1 and exists (select from terms where team = $1)
)

-- name: search_piece
-- What a search looks at, where a searched value changed.
, searched as (
    insert into customer_search (team, customer, text)
    select $1, w.id, {text} from written w where w.team = $1
    on conflict (team, customer) do update set text = excluded.text
)

-- name: forget_piece
-- A deleted customer is found no more.
, forgotten as (
    delete from customer_search
    where team = $1 and customer = $2 and exists (select from written w where w.team = $1)
)

-- name: matched_piece
-- What its duplicates are found by, where that changed.
, matched as (
    insert into duplicate_key (team, kind, key, customer)
    select $1, n.kind, n.key, w.id
    from written w cross join unnest({kinds}, {keys}) as n (kind, key)
    where w.team = $1
    on conflict (team, kind, key, customer) do nothing
)

-- name: unmatched_piece
-- Whatever else it was found by.
, unmatched as (
    delete from duplicate_key d
    where d.team = $1 and d.customer = $2 and exists (select from written w where w.team = $1)
        and not exists (select from unnest({kinds}, {keys}) as n (kind, key) where n.kind = d.kind and n.key = d.key)
)

-- name: find_taken
-- After a unique violation: which of the values belong to another live customer. $1 team, $2 customer,
-- $3 unique email key, $4 number, $5 reference id; null is not asked.
select
    exists (select from customer where team = $1 and unique_email_key = $3 and id <> $2) as email,
    exists (select from customer where team = $1 and number = $4 and deleted_at is null and id <> $2) as number,
    exists (select from customer where team = $1 and reference_id = $5 and deleted_at is null and id <> $2)
        as reference_id

-- name: take_numbers
-- The first of the team's next customer numbers. $1 team, $2 how many
update number_counter set next = next + $2 where team = $1 returning next - $2

-- name: find_next_number
-- $1 team
select next from number_counter where team = $1

-- name: skip_numbers
-- After a clash with a typed number: on past the highest of the form. $1 team, $2 prefix, $3 digits at least
update number_counter
set next = greatest(next, coalesce((
    select max(substr(c.number, length($2) + 1)::numeric) + 1
    from customer c
    where c.team = $1 and c.deleted_at is null and starts_with(c.number, $2)
        and substr(c.number, length($2) + 1) ~ ('^[0-9]{' || $3::int || ',17}$')
), 1)::bigint)
where team = $1

-- name: get
-- One live customer with what a reader needs to know of its own standing. Parameters as in `read_for_write`.
select cr.revoked_at, cr.expires_at, t.catalogue_version, c.id as customer_id, {columns}
from credential cr
join team t on t.id = cr.team
left join customer c on c.team = $1 and c.id = $3 and c.deleted_at is null
where cr.team = $1 and cr.id = $2 and t.id = $1

-- name: find_by_email
-- The same by the key of an email address; the oldest where several have it. $1 team, $2 credential, $3 email key
select cr.revoked_at, cr.expires_at, t.catalogue_version, c.id as customer_id, {columns}
from credential cr
join team t on t.id = cr.team
left join customer c on c.team = $1 and c.id = (
    select o.id from customer o
    where o.team = $1 and o.email_key = $3 and o.deleted_at is null
    order by o.created_at, o.id
    limit 1
)
where cr.team = $1 and cr.id = $2 and t.id = $1
