-- Members of teams as administrators change them, and the sessions of those who can sign in.

-- name: lock_user
-- A member, whom nobody else changes or gives a credential until the transaction ends. $1 team, $2 id
select to_jsonb(u) - 'team' - 'email_key' - 'username_key' from team_user u where u.team = $1 and u.id = $2 for update

-- name: hold_user
-- Whether a member is active, and stays so until the transaction ends. $1 team, $2 id
select status = 'active' from team_user where team = $1 and id = $2 for key share

-- name: lock_admins
-- The administrators who can sign in; none of them ceases to be one until the transaction ends. $1 team
select u.id
from team_user u join login l on l.id = u.login
where u.team = $1 and u.role = 'admin' and u.status = 'active' and l.status = 'active'
order by u.id
for update of u

-- name: update_user
-- The next version. $1 team, $2 id, $3 version read, $4 login, $5 email, $6 email key, $7 first name, $8 last name,
-- $9 phone, $10 department, $11 username, $12 username key, $13 access role, $14 role, $15 status, $16 at, $17 actor
update team_user
set version = $3::bigint + 1, login = $4, email = $5, email_key = $6, first_name = $7, last_name = $8, phone = $9,
    department = $10, username = $11, username_key = $12, access_role = $13, role = $14, status = $15,
    updated_at = $16, updated_by = $17
where team = $1 and id = $2 and version = $3

-- name: find_taken_by_others
-- After a unique violation: which values another member of the team has, or somebody else who can sign in. $1 team,
-- $2 id, $3 email key, $4 username key, $5 login or null
select
    exists (select from team_user where team = $1 and email_key = $3 and id <> $2)
        or ($5::uuid is not null and exists (select from login where email_key = $3 and id <> $5)) as email,
    exists (select from team_user where team = $1 and username_key = $4 and id <> $2) as username

-- name: set_login_email
-- $1 login, $2 email, $3 email key, $4 at
update login set email = $2, email_key = $3, updated_at = $4, version = version + 1 where id = $1

-- name: is_shared
-- Whether a login is a member of another team too. $1 team, $2 login
select exists (select 1 from team_user where login = $2 and team <> $1)

-- name: end_sessions
-- Every session of a login; how many there were. $1 login
with ended as (delete from browser_session where login = $1 returning 1) select count(*) from ended

-- name: list_sessions
-- The living sessions of a team's members. $1 team, $2 at, $3 the oldest time at which one must have been seen
select md5(s.secret_hash)::uuid as id, u.id as team_user, l.email, s.created_at, s.seen_at, s.expires_at
from team_user u
join login l on l.id = u.login
join browser_session s on s.login = u.login
where u.team = $1 and s.expires_at > $2 and s.seen_at > $3

-- name: delete_session
-- $1 team, $2 session
delete from browser_session s using team_user u
where u.team = $1 and u.login = s.login and md5(s.secret_hash)::uuid = $2
returning s.login
