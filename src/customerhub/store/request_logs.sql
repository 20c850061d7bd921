-- The request log. An entry's id begins with its time, so the primary key (team, id) is the order of time.

-- name: insert
-- Entries of any teams, as a JSON array. Those that stand already are left: a write whose answer was lost is repeated.
-- What was asked before the team's last erasure was over, and comes only now, comes without values. $1 entries
insert into request_log ({columns})
select {values}
from jsonb_to_recordset($1) as e (
    team uuid, id uuid, at timestamptz, dialect text, credential uuid, credential_name text, actor uuid, method text,
    host text, path text, route text, query jsonb, status smallint, latency_us bigint, api_version text,
    client_ip text, user_agent text, referrer text, idempotency_key text, error_code text, error_message text,
    request_body text, response_body text
)
cross join lateral (
    select exists (select from erasure x where x.team = e.team and x.closed_at >= e.at) as is_late
) l
on conflict do nothing

-- name: find
-- $1 team, $2 id
select {columns} from request_log where team = $1 and id = $2

-- name: page
-- In the order of time, from the newest or from the oldest. $1 team, $2 limit, further ones as the pieces say
select {columns} from request_log where team = $1{filters} order by id {order} limit $2

-- name: look
-- The newest of so many entries, whatever they are, that are as the filters say: to look for what is rare takes no longer than
-- that. $1 team, $2 limit, $3 how many are looked at, further ones as the pieces say
select {columns}
from (select * from request_log where team = $1{bounds} order by id desc limit $3) l
where true{filters}
order by id desc
limit $2

-- name: reach
-- The last one of so many entries; nothing where there are no more. $1 team, $2 how many less one, then what bounds them
select id from request_log where team = $1{bounds} order by id desc offset $2 limit 1

-- name: filter_dialect
 and dialect = {0}

-- name: filter_after
 and id < {0}

-- name: filter_before
 and id > {0}

-- name: filter_methods
 and method = any ({0}::text[])

-- name: filter_status_codes
 and status = any ({0}::smallint[])

-- name: filter_path
 and path = {0}

-- name: filter_route
 and route = {0}

-- name: filter_since
 and at >= {0}

-- name: filter_until
 and at <= {0}

-- name: filter_first_id
 and id >= {0}

-- name: filter_last_id
 and id <= {0}

-- name: filter_credential
 and credential = {0}

-- name: filter_text
 and (
    strpos(lower(path), lower({0})) > 0
    or strpos(lower(coalesce(error_code, '')), lower({0})) > 0
    or strpos(lower(coalesce(error_message, '')), lower({0})) > 0
)

-- name: list_origins
-- With which key and from where requests came, as far as their entries still stand. $1 team, $2 ids
select id, idempotency_key, client_ip from request_log where team = $1 and id = any ($2::uuid[])
