-- What `customerhub doctor` asks of a database. It reads every team's rows, so it is for the operator alone.

-- name: server
-- Version, settings that keep committed data, room for connections, and the server's clock.
select
    current_setting('server_version_num')::int as version,
    current_setting('server_version') as version_text,
    current_setting('server_encoding') as encoding,
    current_setting('max_connections')::int as max_connections,
    array(
        select name from pg_settings
        where name in ('fsync', 'full_page_writes', 'synchronous_commit') and setting = 'off'
        order by name
    ) as unsafe,
    clock_timestamp() as now

-- name: has_lock_timeout
-- Whether this session waits for a lock no longer than some time.
select s.setting <> '0' from pg_settings s where s.name = 'lock_timeout'

-- name: missing_extensions
-- Those of $1 that this server could not create.
select wanted.name
from unnest($1::text[]) as wanted (name)
where not exists (select from pg_available_extensions a where a.name = wanted.name)
order by wanted.name

-- name: wrong_email_keys
-- Teams with customers whose keys do not follow from their email address and the team's policy, and how many.
select t.name, count(*)
from customer c
join team t on t.id = c.team
where (c.email_key is null) <> (coalesce(trim(c.email), '') = '')
    or c.unique_email_key is distinct from case
        when c.deleted_at is null and coalesce(t.settings ->> 'email_policy', 'unique') = 'unique' then c.email_key
    end
group by t.name
order by t.name

-- name: missing_counters
-- Teams that cannot number a customer.
select t.name from team t where not exists (select from number_counter n where n.team = t.id) order by t.name

-- name: late_counters
-- Teams with a number of the counter's kind (letters, then five digits or more) that the counter has yet to reach.
select t.name
from customer c
join number_counter n on n.team = c.team
join team t on t.id = c.team
where c.deleted_at is null and c.number ~ '^[A-Z_]+[0-9]{5,17}$'
group by t.name, n.next
having max(substring(c.number from '[0-9]+$')::numeric) >= n.next
order by t.name

-- name: without_history
-- Teams with customers whose version has no change row, and how many.
select t.name, count(*)
from customer c
join team t on t.id = c.team
where not exists (select from change h where h.team = c.team and h.customer = c.id and h.version = c.version)
group by t.name
order by t.name

-- name: wrong_searches
-- Teams with live customers that no search finds, or with texts of customers that are not there, and how many.
select t.name, count(*)
from (select team, id from customer where deleted_at is null) c
full join customer_search s on s.team = c.team and s.customer = c.id
join team t on t.id = coalesce(c.team, s.team)
where c.id is null or s.customer is null
group by t.name
order by t.name

-- name: wrong_duplicates
-- Teams with customers whose duplicates would not be found, or with keys of customers that are not there, and how many:
-- as far as it can be told here, which is of email addresses. The other keys are made in Python.
select t.name, count(*)
from (
    select c.team, c.id
    from customer c
    where c.deleted_at is null and c.email_key is not null
        and not exists (
            select from duplicate_key d
            where d.team = c.team and d.customer = c.id and d.kind = 'email' and d.key = left(c.email_key, 320)
        )
    union
    select d.team, d.customer
    from duplicate_key d
    left join customer c on c.team = d.team and c.id = d.customer and c.deleted_at is null
    where c.id is null or (d.kind = 'email' and d.key <> left(c.email_key, 320))
) w
join team t on t.id = w.team
group by t.name
order by t.name
