-- What PostgreSQL alone takes, as scripts of pgbench: `:name` is a variable that bench/floors.py gives a value. `:number`
-- is a customer's, drawn anew for each transaction, and `:key` a number that none has had before.

-- name: select_row
-- The row of a customer, whole.
select * from customer where team = :team and id = md5('customer ' || :number::text)::uuid

-- name: bare_update
-- One column of a customer, found by its primary key.
update customer set display_name = :display_name where team = :team and id = md5('customer ' || :number::text)::uuid

-- name: eight_statements
-- The work of an update as an application does it that sends one statement for each of its tables.
begin;
select cr.revoked_at, cr.expires_at, cr.requires_precondition, t.catalogue_version, t.has_sinks
from credential cr join team t on t.id = cr.team where cr.team = :team and cr.id = :credential and t.id = :team;
select fingerprint, status, headers, body from idempotency_key
where team = :team and dialect = :dialect and key = :key;
select *, clock_timestamp() as now from customer
where team = :team and id = md5('customer ' || :number::text)::uuid for update
\gset r_
update customer
set version = :r_version::bigint + 1, updated_at = :r_now, updated_by = :credential, display_name = :display_name,
    addresses = :r_addresses
where team = :team and id = :r_id;
insert into change (team, customer, version, at, actor, actor_name, credential, dialect, request_id, changes, action)
values (
    :team, :r_id, :r_version::bigint + 1, :r_now, :credential, 'bench', :credential, :dialect, 'eight statements',
    :changes, 'updated'
);
insert into idempotency_key (team, dialect, key, fingerprint, status, headers, body, created_at)
values (:team, :dialect, :key, :fingerprint, 200, :headers, :body, :r_now);
commit
