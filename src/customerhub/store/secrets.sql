-- Keys by their fingerprints, and every secret that is stored encrypted.

-- name: know_key
-- $1 fingerprint, $2 at
insert into secret_key (fingerprint, created_at) values ($1, $2) on conflict (fingerprint) do nothing

-- name: hold_key
-- Whether a key may encrypt; it stays so until the transaction ends. $1 fingerprint
select retired_at is null from secret_key where fingerprint = $1 for share

-- name: list_keys
-- The keys that secrets are encrypted with.
select fingerprint from secret_key where retired_at is null order by created_at, fingerprint

-- name: retire_keys
-- Every key but one; waits for those who hold them. $1 fingerprint of the one, $2 at
update secret_key set retired_at = $2 where fingerprint <> $1 and retired_at is null

-- name: restore_key
-- $1 fingerprint
update secret_key set retired_at = null where fingerprint = $1 and retired_at is not null

-- name: list_client_secrets
-- The next of all teams' clients. $1 the last client id seen, $2 how many
select team, client_id, secret from partner_client where client_id > $1 order by client_id limit $2

-- name: set_client_secret
-- $1 team, $2 client id, $3 secret, $4 the secret as read
update partner_client set secret = $3 where team = $1 and client_id = $2 and secret = $4

-- name: list_sink_secrets
-- The next of all teams' sinks. $1 the last team seen, $2 its last id seen, $3 how many
select team, id, secret from sink
where (team, id) > ($1, $2) and secret is not null
order by team, id
limit $3

-- name: set_sink_secret
-- $1 team, $2 id, $3 secret, $4 the secret as read
update sink set secret = $3 where team = $1 and id = $2 and secret = $4

-- name: list_former_secrets
-- The same of secrets that go on for a while. $1 the last team seen, $2 its last id seen, $3 how many
select team, id, former_secret from sink
where (team, id) > ($1, $2) and former_secret is not null
order by team, id
limit $3

-- name: set_former_secret
-- $1 team, $2 id, $3 secret, $4 the secret as read
update sink set former_secret = $3 where team = $1 and id = $2 and former_secret = $4
