-- What a backup asks of a database as a whole, and what filling an empty one takes. Names in braces are the schema's own.

-- name: take_time
-- However long it takes, and however long the machine at the other end thinks, the server ends nothing by itself.
set local statement_timeout = 0;
set local idle_in_transaction_session_timeout = 0;
set local datestyle = 'ISO, YMD';
set local extra_float_digits = 1

-- name: server_version
select current_setting('server_version')

-- name: rows
-- All of one table, in the order in which it lies on the disk.
select {columns} from {table}

-- name: expected_rows
-- About how many rows there are in all, as far as the server remembers; 0 where it does not.
select coalesce(sum(greatest(t.reltuples, 0)), 0)::bigint
from pg_class t
where t.relnamespace = 'public'::regnamespace and t.relkind = 'r'

-- name: close_doors
-- Until the transaction ends nobody else reads or writes any of the tables.
lock table {tables} in access exclusive mode

-- name: has_rows
select exists (select from {table})

-- name: drop_tables
-- Tables without a row, and the views over them.
drop table {tables} cascade

-- name: references
-- Every foreign key: its table, its name and what it says. Parts of a table have those of the whole.
select c.conrelid::regclass::text, quote_ident(c.conname), pg_get_constraintdef(c.oid)
from pg_constraint c
where c.contype = 'f' and c.connamespace = 'public'::regnamespace and c.conparentid = 0
order by c.conrelid::regclass::text, c.conname

-- name: indexes
-- Every index that is no key: its name and the statement that makes it again, on all parts of its table.
select i.indexrelid::regclass::text, replace(pg_get_indexdef(i.indexrelid), ' ON ONLY ', ' ON ')
from pg_index i
join pg_class x on x.oid = i.indexrelid
where x.relnamespace = 'public'::regnamespace and not x.relispartition
    and not exists (select from pg_constraint c where c.conindid = i.indexrelid and c.contype in ('p', 'u', 'x'))
    and not exists (select from pg_depend d where d.objid = x.oid and d.deptype = 'e')
order by x.relname

-- name: drop_reference
alter table {table} drop constraint {name}

-- name: add_reference
-- Checked for all rows at once, and not row by row.
alter table {table} add constraint {name} {definition}

-- name: drop_index
drop index {name}

-- name: learn
-- Statistics, without which the first questions would be answered the long way.
analyze {tables}
