-- People signed in with a browser.

-- name: insert_session
-- Only while the login has the password that was shown: who resets it ends the sessions that there are by then, and one
-- that is being reset is waited for. $1 hash, $2 login, $3 at, $4 expires at, $5 hash of the password that was shown
insert into browser_session (secret_hash, login, created_at, seen_at, expires_at)
select $1, l.id, $3, $3, $4
from login l
where l.id = $2 and l.status = 'active' and l.password_hash is not distinct from $5::text
for share
returning true

-- name: find_session
-- Who is signed in, if the session still is alive. $1 hash, $2 at, $3 the oldest time at which it must have been seen
select s.login, l.email, s.seen_at
from browser_session s
join login l on l.id = s.login
where s.secret_hash = $1 and s.expires_at > $2 and s.seen_at > $3 and l.status = 'active'

-- name: see_session
-- $1 hash, $2 at
update browser_session set seen_at = $2 where secret_hash = $1

-- name: delete_session
-- $1 hash
delete from browser_session where secret_hash = $1

-- name: forget_sessions
-- Those that have ended. $1 at, $2 the oldest time at which a living one must have been seen
delete from browser_session where expires_at <= $1 or seen_at <= $2

-- name: list_memberships
-- The teams of which a person is an active member, by name. $1 login
select t.id, t.name, u.id
from team_user u
join team t on t.id = u.team
where u.login = $1 and u.status = 'active'
order by t.name_key, t.id
