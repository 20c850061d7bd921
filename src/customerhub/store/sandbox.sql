-- What a sandbox asks of its database, which it may empty and fill as a whole. Names in braces are the schema's own.

-- name: tables
-- Every table but the ledger of migrations: the columns that are written, its key, and the tables that it refers to.
select
    t.relname::text as name,
    array(
        select a.attname::text from pg_attribute a
        where a.attrelid = t.oid and a.attnum > 0 and not a.attisdropped and a.attgenerated = ''
        order by a.attnum
    ) as columns,
    array(
        select a.attname::text
        from pg_index i
        cross join lateral unnest(i.indkey::smallint[]) with ordinality as k (number, place)
        join pg_attribute a on a.attrelid = i.indrelid and a.attnum = k.number
        where i.indrelid = t.oid and i.indisprimary
        order by k.place
    ) as key,
    array(
        select distinct r.relname::text
        from pg_constraint c
        join pg_class r on r.oid = c.confrelid
        where c.conrelid = t.oid and c.contype = 'f' and c.confrelid <> t.oid and not r.relispartition
    ) as refers_to
from pg_class t
where t.relnamespace = 'public'::regnamespace and t.relkind in ('r', 'p') and not t.relispartition
    and t.relname <> 'schema_migration'
order by t.relname

-- name: rows
-- All of one table, in the order of its key.
select {columns} from {table} order by {key}

-- name: give_way
-- Of two that wait for each other, one of them this transaction, it is this one that is told to try again, and soon.
set local deadlock_timeout = '20ms'

-- name: empty
-- Nothing is left in any of the tables; waits for whoever writes into one.
truncate {tables}

-- name: time_columns
-- Where any of our tables says when something happened; what may lie ahead, such as an expiry, has other names.
select c.relname::text as table, a.attname::text as column
from pg_class c
join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition
    and c.relname <> 'schema_migration' and a.atttypid = 'timestamptz'::regtype
    and a.attname in ('at', 'created_at', 'updated_at', 'seen_at', 'used_at')
order by 1, 2

-- name: latest_time
-- The latest of one column; null where there is none.
select max({column}) from {table}

-- name: create_scratch
-- A database beside ours, to bring an old fixture up to this version's schema.
create database customerhub_fixture template template0

-- name: drop_scratch
-- It is gone, whoever still uses it.
drop database if exists customerhub_fixture with (force)
