-- Catalogue entries, users and team settings: read whole as one snapshot, written one at a time.

-- name: get_snapshot
-- One consistent picture of a team: everything in one statement. $1 team
select
    t.catalogue_version, t.name, t.settings, t.created_at,
    coalesce((select jsonb_agg(to_jsonb(e) - 'team' - 'unique_key') from catalogue_entry e where e.team = $1), '[]'),
    coalesce((
        select jsonb_agg(to_jsonb(u) - 'team' - 'email_key' - 'username_key')
        from team_user u where u.team = $1
    ), '[]'),
    coalesce((
        select jsonb_object_agg(c.id, c.rate_limit)
        from credential c where c.team = $1 and c.rate_limit is not null and c.revoked_at is null
    ), '{}')
from team t where t.id = $1

-- name: insert_entry
-- $1 team, $2 id, $3 kind, $4 name, $5 unique key, $6 reference id, $7 description, $8 status, $9 is system,
-- $10 details, $11 at, $12 actor
insert into catalogue_entry (
    team, id, kind, name, unique_key, reference_id, description, status, is_system, details,
    created_at, updated_at, created_by, updated_by
) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $11, $12, $12)

-- name: update_entry
-- Only if the entry still is at the version read. $1 team, $2 id, $3 version read, then as in insert_entry from name on
update catalogue_entry
set version = $3::bigint + 1, name = $4, unique_key = $5, reference_id = $6, description = $7, status = $8,
    details = $9, updated_at = $10, updated_by = $11, deleted_at = $12
where team = $1 and id = $2 and version = $3 and deleted_at is null
returning version

-- name: insert_system_entries
-- What comes with every team, as far as the team has nothing of that name. $1 team, $2 at, $3 actor, $4 the entries as
-- a JSON array
insert into catalogue_entry (
    team, id, kind, name, unique_key, is_system, details, created_at, updated_at, created_by, updated_by
)
select $1, e.id, e.kind, e.name, e.unique_key, true, e.details, $2, $2, $3, $3
from jsonb_to_recordset($4) as e (id uuid, kind text, name text, unique_key text, details jsonb)
on conflict do nothing
returning id

-- name: list_teams_without_entries
-- Teams that lack an entry of one of these names. $1 kinds, $2 unique keys
select t.id, t.name, t.created_at
from team t
where exists (
    select from unnest($1::text[], $2::text[]) as wanted (kind, unique_key)
    where not exists (
        select from catalogue_entry e
        where e.team = t.id and e.kind = wanted.kind and e.unique_key = wanted.unique_key
    )
)
order by t.name_key

-- name: hold_entries
-- Those of some entries that are not deleted; none of them can be until the transaction ends. $1 team, $2 ids
select id from catalogue_entry where team = $1 and id = any($2) and deleted_at is null order by id for key share

-- name: lock_entry
-- Nobody changes the entry, and nobody who holds on to it can come, until the transaction ends. $1 team, $2 id
select version from catalogue_entry where team = $1 and id = $2 and deleted_at is null for update

-- name: list_service_levels
-- Those of a carrier that are not deleted. $1 team, $2 carrier
select to_jsonb(e) - 'team' - 'unique_key'
from catalogue_entry e
where e.team = $1 and e.kind = 'service_level' and (e.details ->> 'carrier') = $2::text and e.deleted_at is null
order by e.id
for update

-- name: find_user_of_entry
-- What refers to an entry: 'customer', 'user', 'credential' or 'shipping_term', null for nothing live. $1 team, $2 id
select case
    when exists (
        select from customer c
        where c.team = $1 and c.deleted_at is null and (
            $2 in (
                c.payment_term, c.shipping_term, c.carrier, c.service_level, c.price_list, c.type_group,
                c.credit_limit_unit
            )
            or c.price_groups @> array[$2::uuid]
        )
    ) then 'customer'
    when exists (
        select from team_user u where u.team = $1 and u.access_role = $2 and u.status = 'active'
    ) then 'user'
    when exists (
        select from credential k where k.team = $1 and k.role = $2 and k.revoked_at is null
    ) then 'credential'
    when exists (
        select from catalogue_entry e
        where e.team = $1 and e.kind = 'shipping_term' and e.deleted_at is null and (
            $2::uuid::text in (e.details -> 'flat_rate' ->> 'unit', e.details -> 'minimum_order_value' ->> 'unit')
            or e.details -> 'free_shipping_service_levels' ? $2::uuid::text
        )
    ) then 'shipping_term'
end

-- name: drop_default_price_list
-- The team's default price list, if another one than $2, is one no more. $1 team, $2 id, $3 at, $4 actor
update catalogue_entry
set details = details - 'is_default', version = version + 1, updated_at = $3, updated_by = $4
where team = $1 and id <> $2 and kind = 'price_list' and (details ->> 'is_default') = 'true'
returning id, version

-- name: insert_user
-- $1 team, $2 id, $3 login, $4 email, $5 email key, $6 first name, $7 last name, $8 phone, $9 department,
-- $10 username, $11 username key, $12 access role, $13 role, $14 at, $15 actor
insert into team_user (
    team, id, login, email, email_key, first_name, last_name, phone, department, username, username_key, access_role,
    role, created_at, updated_at, created_by, updated_by
) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $14, $15, $15)

-- name: find_taken_user
-- After a unique violation: which values another member of the team has, or somebody who can sign in. $1 team,
-- $2 email key, $3 username key, $4 whether a login was to be made
select
    exists (select from team_user where team = $1 and email_key = $2)
        or ($4 and exists (select from login where email_key = $2)) as email,
    exists (select from team_user where team = $1 and username_key = $3) as username

-- name: bump
-- The team's snapshot is another from now on. $1 team
update team set catalogue_version = catalogue_version + 1 where id = $1

-- name: hold_team
-- Nobody else changes the team, or what of its catalogue only one can have, until the transaction ends. $1 team
select id from team where id = $1 for no key update

-- name: bump_settings
-- Something that is told with the team's settings is another from now on. $1 team, $2 at
update team set version = version + 1, updated_at = greatest(updated_at, $2) where id = $1

-- name: insert_audit
-- $1 team, $2 kind, $3 subject, $4 version, $5 at, $6 action, $7 actor, $8 actor name, $9 credential, $10 dialect,
-- $11 request id, $12 changes
insert into audit (
    team, kind, subject, version, at, action, actor, actor_name, credential, dialect, request_id, changes
) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)

-- name: find_taken
-- After a unique violation: which values another entry of the kind has. $1 team, $2 id, $3 kind, $4 unique key,
-- $5 reference id
select
    exists (select from catalogue_entry where team = $1 and kind = $3 and unique_key = $4 and id <> $2) as name,
    exists (
        select from catalogue_entry
        where team = $1 and kind = $3 and reference_id = $5 and deleted_at is null and id <> $2
    ) as reference_id
