-- Teams, logins and credentials.

-- name: insert_team
-- $1 id, $2 name, $3 name key, $4 settings, $5 at
insert into team (id, name, name_key, settings, created_at, updated_at) values ($1, $2, $3, $4, $5, $5)

-- name: insert_counter
-- $1 team
insert into number_counter (team) values ($1)

-- name: find_team
-- By id or by name. $1 id or null, $2 name key
select id, name, settings, version, created_at, updated_at
from team where id = $1 or name_key = $2
order by id = $1 desc nulls last
limit 1

-- name: list_teams
-- By name.
select t.id, t.name, t.settings, t.version, t.created_at, t.updated_at from team t order by t.name_key

-- name: get_team_standing
-- What the operator asks with, who needs no credential. $1 team
select catalogue_version from team where id = $1

-- name: lock_team
-- The team, which nobody else changes, and no email address is written under, until the transaction ends. $1 team
select id, name, settings, version, created_at, updated_at from team where id = $1 for update

-- name: rename_team
-- $1 team, $2 name, $3 name key, $4 at
update team
set name = $2, name_key = $3, updated_at = $4, version = version + 1, catalogue_version = catalogue_version + 1
where id = $1

-- name: update_settings
-- $1 team, $2 settings, $3 at
update team
set settings = $2, updated_at = $3, version = version + 1, catalogue_version = catalogue_version + 1
where id = $1

-- name: list_sharing
-- Live customers whose email address another one has too: five of them, and how many there are. $1 team
select c.id, count(*) over ()
from customer c
where c.team = $1 and c.deleted_at is null and c.email_key is not null and exists (
    select from customer o
    where o.team = $1 and o.email_key = c.email_key and o.deleted_at is null and o.id <> c.id
)
order by c.email_key, c.created_at, c.id
limit 5

-- name: insert_login
-- $1 id, $2 email, $3 email key, $4 password hash or null, $5 at
insert into login (id, email, email_key, password_hash, created_at, updated_at) values ($1, $2, $3, $4, $5, $5)

-- name: find_login
-- A person with the teams of which they are an active member, the oldest first. $1 email key
select
    l.id, l.email, l.password_hash, u.team, u.id as team_user, u.first_name, u.last_name
from login l
left join team_user u on u.login = l.id and u.status = 'active'
where l.email_key = $1 and l.status = 'active'
order by u.created_at, u.team
limit 1

-- name: set_password
-- $1 login, $2 password hash, $3 at
update login set password_hash = $2, updated_at = $3, version = version + 1 where id = $1

-- name: insert_credential
-- $1 team, $2 id, $3 dialect, $4 name, $5 team user or null, $6 scopes, $7 requires precondition, $8 hint, $9 at,
-- $10 expires at or null, $11 role or null, $12 the first of the credentials that it renews or null, $13 rate limit or
-- null
insert into credential (
    team, id, dialect, name, team_user, scopes, requires_precondition, hint, created_at, expires_at, role, renews,
    rate_limit
) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)

-- name: insert_lookup
-- $1 secret hash, $2 team, $3 credential
insert into credential_lookup (secret_hash, team, credential) values ($1, $2, $3)

-- name: find_credential
-- By the hash of its secret; the actor of one that renews another stays the same. $1 secret hash, $2 dialect
select c.team, c.id, coalesce(c.team_user, c.renews, c.id), c.name, c.scopes
from credential_lookup l
join credential c on c.team = l.team and c.id = l.credential
where l.secret_hash = $1 and c.dialect = $2

-- name: get_standing
-- Whether a credential is alive, and what its team's snapshot is; with a member who is inactive it has ended.
-- $1 team, $2 credential
select
    coalesce(cr.revoked_at, (
        select u.updated_at from team_user u where u.team = $1 and u.id = cr.team_user and u.status = 'inactive'
    )) as revoked_at,
    cr.expires_at,
    cr.requires_precondition or coalesce((t.settings -> 'requires_precondition')::boolean, false),
    t.catalogue_version
from credential cr join team t on t.id = cr.team
where cr.team = $1 and cr.id = $2 and t.id = $1

-- name: keep_console
-- What a member's browser sessions stand for: no secret finds it, and it is listed nowhere. $1 team, $2 id, $3 dialect,
-- $4 name, $5 member, $6 at
insert into credential (team, id, dialect, name, team_user, scopes, requires_precondition, hint, created_at)
values ($1, $2, $3, $4, $5, '{}', false, '', $6)
on conflict do nothing

-- name: list_credentials
-- But for what browser sessions stand for. $1 team or null for every team
select
    c.team, t.name as team_name, c.id, c.dialect, c.name, c.hint, c.scopes, c.requires_precondition, c.created_at,
    c.expires_at, c.revoked_at, c.role, c.renews, c.last_used_at
from credential c join team t on t.id = c.team
where ($1::uuid is null or c.team = $1) and c.dialect <> 'console'
order by c.created_at, c.id

-- name: find_credential_by_id
-- $1 credential
select c.team, coalesce(c.renews, c.id) as first, c.name from credential c where c.id = $1

-- name: lock_credential
-- Holds the first of a chain, and so the chain, until the transaction ends. $1 team, $2 the first's id
select id from credential where team = $1 and id = $2 and renews is null for update

-- name: list_chains
-- The credentials of a team, each after those that it renews. $1 team, $2 dialect or null for every one, $3 the first
-- of one chain or null for all
select
    c.id, c.dialect, c.renews, c.name, c.hint, c.role, c.scopes, c.created_at, c.expires_at, c.revoked_at,
    c.last_used_at, c.team_user, c.requires_precondition, c.version, c.rate_limit, c.replaced_at
from credential c
where c.team = $1 and ($2::text is null or c.dialect = $2) and ($3::uuid is null or c.id = $3 or c.renews = $3)
    and c.dialect <> 'console'
order by c.renews is not null, c.created_at, c.id

-- name: revoke
-- Ends what is alive of a chain. $1 team, $2 the first's id, $3 at. The version that the chain had, and whether one of
-- its credentials was alive.
with ended as (
    update credential set revoked_at = $3, version = version + case when replaced_at is null then 1 else 0 end
    where team = $1 and (id = $2 or renews = $2) and revoked_at is null
    returning team
)
select
    (
        select (sum(c.version) - count(*) + 1)::bigint
        from credential c where c.team = $1 and (c.id = $2 or c.renews = $2)
    ),
    exists (select from ended e where e.team = $1)

-- name: replace
-- Another secret takes the place of those that are alive, which go on until then at the latest. $1 team, $2 the first's
-- id, $3 at, $4 until
update credential
set expires_at = least(expires_at, $4), replaced_at = coalesce(replaced_at, $3),
    version = version + case when replaced_at is null then 1 else 0 end
where team = $1 and (id = $2 or renews = $2) and revoked_at is null

-- name: set_marks
-- What each secret of a chain that is alive may do, and until when the newest lives. $1 team, $2 the first's id,
-- $3 requires precondition, $4 rate limit or null, $5 expires at or null
update credential
set requires_precondition = $3, rate_limit = $4,
    expires_at = case when replaced_at is null then $5 else expires_at end,
    version = version + case when replaced_at is null then 1 else 0 end
where team = $1 and (id = $2 or renews = $2) and revoked_at is null

-- name: has_secret
-- Whether a credential is found by a secret of its own. $1 team, $2 credential
select exists (select from credential_lookup k where k.team = $1 and k.credential = $2)

-- name: set_email_policy
-- Every live customer's unique email key as the policy says. $1 team, $2 is unique
update customer
set unique_email_key = case when $2 then email_key end
where team = $1 and deleted_at is null and unique_email_key is distinct from case when $2 then email_key end
