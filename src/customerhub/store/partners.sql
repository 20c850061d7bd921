-- Partner applications: clients, what they may do in a team, and the codes and tokens that show it.

-- name: insert_client
-- $1 team, $2 client id, $3 id, $4 dialect, $5 name, $6 secret, $7 redirect URIs, $8 any team, $9 requires
-- precondition, $10 at
insert into partner_client (
    team, client_id, id, dialect, name, secret, redirect_uris, any_team, requires_precondition, created_at
) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)

-- name: find_client
-- A client by what it calls itself. $1 client id
select team, client_id, id, dialect, name, secret, redirect_uris, any_team, requires_precondition, revoked_at
from partner_client where client_id = $1

-- name: lock_client
-- The same, and nobody gives it a grant or ends it before the transaction does. $1 client id
select team, client_id, id, dialect, name, secret, redirect_uris, any_team, requires_precondition, revoked_at
from partner_client where client_id = $1
for update

-- name: find_access
-- A client with the access token that it shows, if that is one of its own. $1 client id, $2 hash of the token or null
select
    p.team, p.client_id, p.id, p.dialect, p.name, p.secret, p.redirect_uris, p.any_team, p.requires_precondition,
    p.revoked_at, t.team as token_team, t.credential, t.actor, t.expires_at,
    t.revoked_at is not null or c.revoked_at is not null or coalesce(u.status = 'inactive', false) as is_ended
from partner_client p
left join (
    partner_token t
    join partner_grant g on g.team = t.team and g.credential = t.credential
    join credential c on c.team = t.team and c.id = t.credential
    left join team_user u on u.team = t.team and u.id = t.actor
) on t.token_hash = $2 and t.kind = 'access' and g.client_id = p.client_id
where p.client_id = $1

-- name: revoke_client
-- $1 team, $2 client id, $3 at
update partner_client set revoked_at = $3, version = version + 1
where team = $1 and client_id = $2 and revoked_at is null
returning version

-- name: list_grants
-- The credentials of a client that are alive, in every team. $1 client id
select g.team, g.credential
from partner_grant g
join credential c on c.team = g.team and c.id = g.credential
where g.client_id = $1 and c.revoked_at is null

-- name: find_grant
-- The credential of a client that is alive in one team. $1 team, $2 client id
select g.credential
from partner_grant g
join credential c on c.team = g.team and c.id = g.credential
where g.team = $1 and g.client_id = $2 and c.team = $1 and c.revoked_at is null

-- name: insert_grant
-- $1 team, $2 credential, $3 client id, $4 at
insert into partner_grant (team, credential, client_id, created_at) values ($1, $2, $3, $4)

-- name: insert_code
-- $1 team, $2 hash, $3 client id, $4 credential, $5 family, $6 actor, $7 at, $8 expires at
insert into partner_code (team, code_hash, client_id, credential, family, actor, created_at, expires_at)
values ($1, $2, $3, $4, $5, $6, $7, $8)

-- name: forget_codes
-- Codes that were over long ago. $1 before
delete from partner_code where expires_at < $1

-- name: lock_grant_of_code
-- Whose tokens a code is for; nobody makes or ends tokens of theirs before the transaction ends. $1 hash, $2 client id
select g.team, g.credential
from partner_code k
join partner_grant g on g.team = k.team and g.credential = k.credential
where k.code_hash = $1 and g.client_id = $2
for no key update of g

-- name: lock_grant_of_refresh_token
-- The same for a refresh token. $1 hash, $2 client id
select g.team, g.credential
from partner_token t
join partner_grant g on g.team = t.team and g.credential = t.credential
where t.token_hash = $1 and t.kind = 'refresh' and g.client_id = $2
for no key update of g

-- name: take_code
-- Use a code, once. $1 team, $2 hash, $3 at
update partner_code set used_at = $3
where team = $1 and code_hash = $2 and used_at is null and expires_at > $3
returning team, credential, family, actor

-- name: find_used_code
-- The consent of a code that comes a second time. $1 team, $2 hash
select family from partner_code where team = $1 and code_hash = $2 and used_at is not null

-- name: take_refresh_token
-- Use a refresh token, once. $1 team, $2 hash, $3 at
update partner_token set used_at = $3
where team = $1 and token_hash = $2 and used_at is null and revoked_at is null and expires_at > $3
returning team, credential, family, actor

-- name: find_used_refresh_token
-- The consent of a refresh token that comes a second time. $1 team, $2 hash
select family from partner_token where team = $1 and token_hash = $2 and used_at is not null

-- name: insert_token
-- $1 team, $2 hash, $3 kind, $4 credential, $5 family, $6 actor, $7 at, $8 expires at
insert into partner_token (team, token_hash, kind, credential, family, actor, created_at, expires_at)
values ($1, $2, $3, $4, $5, $6, $7, $8)

-- name: is_grant_alive
-- Whether a grant's credential, and the member who gave it, if a member did, still are. $1 team, $2 credential, $3 actor
select c.revoked_at is null and u.status is distinct from 'inactive'
from credential c
left join team_user u on u.team = $1 and u.id = $3
where c.team = $1 and c.id = $2

-- name: revoke_family
-- Every token of one consent; how many that ended. $1 team, $2 family, $3 at
with ended as (
    update partner_token set revoked_at = $3 where team = $1 and family = $2 and revoked_at is null returning 1
)
select count(*) from ended

-- name: forget_tokens
-- Tokens of one consent that nobody can use, or be caught using, any more. $1 team, $2 family, $3 before
delete from partner_token where team = $1 and family = $2 and expires_at < $3
