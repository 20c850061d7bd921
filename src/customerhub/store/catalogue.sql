-- Catalogue entries, users and team settings: read whole as one snapshot, written one at a time.

-- name: get_snapshot
-- One consistent picture of a team: everything in one statement. $1 team
select
    t.catalogue_version, t.name, t.settings,
    coalesce((select jsonb_agg(to_jsonb(e) - 'team' - 'unique_key') from catalogue_entry e where e.team = $1), '[]'),
    coalesce((
        select jsonb_agg(to_jsonb(u) - 'team' - 'email_key' - 'role') from team_user u where u.team = $1
    ), '[]')
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
    details = $9, updated_at = $10, updated_by = $11
where team = $1 and id = $2 and version = $3
returning version

-- name: drop_default_price_list
-- The team's default price list, if another one than $2, is one no more. $1 team, $2 id, $3 at, $4 actor
update catalogue_entry
set details = details - 'is_default', version = version + 1, updated_at = $3, updated_by = $4
where team = $1 and id <> $2 and kind = 'price_list' and (details ->> 'is_default') = 'true'
returning id, version

-- name: insert_user
-- $1 team, $2 id, $3 login, $4 email, $5 email key, $6 first name, $7 last name, $8 phone, $9 department,
-- $10 username, $11 role, $12 at, $13 actor
insert into team_user (
    team, id, login, email, email_key, first_name, last_name, phone, department, username, role,
    created_at, updated_at, created_by, updated_by
) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $12, $13, $13)

-- name: bump
-- The team's snapshot is another from now on. $1 team
update team set catalogue_version = catalogue_version + 1 where id = $1

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
    exists (select from catalogue_entry where team = $1 and kind = $3 and reference_id = $5 and id <> $2)
        as reference_id
