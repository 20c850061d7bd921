-- Spread teams over machines, where the database is a cluster of Citus. Names in braces are the schema's own.

-- name: is_cluster
-- Whether the extension is here.
select exists (select from pg_proc where proname = 'create_distributed_table')
    and exists (select from pg_class where relname = 'pg_dist_partition')

-- name: begin
-- For this transaction: one shard after the other, since tables refer to each other; and what refers to a table that is
-- on all machines stays as it is until its turn comes.
select set_config('citus.multi_shard_modify_mode', 'sequential', true),
    set_config('citus.enable_local_reference_table_foreign_keys', 'off', true)

-- name: list_tables
-- Every table but the ledger of migrations: whether `team` is the first column of its key, the tables that it refers to,
-- and, in a cluster, whether it is spread or on all machines already. What Citus merely takes notice of is neither.
select
    t.relname::text as name,
    exists (
        select from pg_index i
        join pg_attribute a on a.attrelid = i.indrelid and a.attnum = i.indkey[0]
        where i.indrelid = t.oid and i.indisprimary and a.attname = 'team'
    ) as is_of_team,
    array(
        select distinct r.relname::text
        from pg_constraint c
        join pg_class r on r.oid = c.confrelid
        where c.conrelid = t.oid and c.contype = 'f' and c.confrelid <> t.oid and not r.relispartition
    ) as refers_to,
    {is_placed} as is_placed
from pg_class t
where t.relnamespace = 'public'::regnamespace and t.relkind in ('r', 'p') and not t.relispartition
    and t.relname <> 'schema_migration'
order by t.relname

-- name: placed_piece
exists (
    select from pg_dist_partition p where p.logicalrelid = t.oid and (p.partmethod = 'h' or p.repmodel = 't')
)

-- name: list_references
-- What one table's rows are held to in another table. $1 table, $2 the other one
select c.conname::text
from pg_constraint c
where c.contype = 'f' and c.conrelid = $1::text::regclass and c.confrelid = $2::text::regclass
order by c.conname

-- name: let_go
-- What cannot be held over machines.
alter table {table} drop constraint {constraint}

-- name: distribute
-- By `team`, beside another table: a team's rows of both are on one machine. $1 table, $2 the other one, or none
select create_distributed_table($1::text::regclass, 'team', colocate_with => $2::text)

-- name: put_everywhere
-- On every machine, the same rows. $1 table
select create_reference_table($1::text::regclass)
