-- Imports: a file is read once and staged, row by row; whoever runs it goes through the rows in order, some in one
-- transaction, and the position moves with what they wrote. So a killed run goes on where it was, and does no row twice.

-- `columns` are those of the file, in order; `digest` is what it is known by when it comes again; `mapping` says which member each of them is, `shape` whose form they are in.
-- While it is read nobody sees it. `position` is the line of the last row that is done. A claim that nobody renews is free again when it ends.
-- `caller` is who started it, as the history shows them; `door` by which way. `is_kept`: its rows are still there.
create table import (
    team uuid not null references team (id),
    id uuid not null,
    version bigint not null default 1,
    file_name text not null,
    format text not null check (format in ('csv', 'jsonl', 'xlsx')),
    columns jsonb not null,
    digest bytea not null,
    shape text not null default '',
    mapping jsonb not null default '{}',
    match_by text not null check (match_by in ('email', 'number', 'reference_id', 'id')),
    mode text not null check (mode in ('create', 'update', 'both')),
    empty_cells text not null check (empty_cells in ('keep', 'clear')),
    status text not null check (status in ('reading', 'staged', 'running', 'paused', 'done', 'failed', 'cancelled')),
    is_trial boolean not null default false,
    is_kept boolean not null default true,
    reason text,
    rows bigint not null,
    position bigint not null default 0,
    done bigint not null default 0,
    created bigint not null default 0,
    changed bigint not null default 0,
    equal bigint not null default 0,
    refused bigint not null default 0,
    trial jsonb,
    actor uuid not null,
    credential uuid not null,
    caller text not null,
    door text not null,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    started_at timestamptz,
    ended_at timestamptz,
    deleted_at timestamptz,
    claimed_by uuid,
    claimed_until timestamptz,
    primary key (team, id)
);
create index import_created on import (team, created_at desc, id desc) where deleted_at is null and status <> 'reading';
create index import_running on import (team, id) where status = 'running';
create index import_kept on import (team, updated_at) where is_kept;

-- The rows of the file: `cells` is an array in the order of the columns, or an object where each row has its own members;
-- null once a customer was erased of whom the row told. A row with a fault cannot be read.
create table import_row (
    team uuid not null,
    import uuid not null,
    line bigint not null,
    cells jsonb,
    fault jsonb,
    primary key (team, import, line)
);

-- What came of each row; of a trial only what is worth looking at. A refused row has one for each of its errors.
create table import_result (
    team uuid not null,
    import uuid not null,
    is_trial boolean not null,
    line bigint not null,
    number smallint not null default 0,
    outcome text not null check (outcome in ('created', 'changed', 'equal', 'refused')),
    key text,
    customer uuid,
    pointer text,
    column_name text,
    code text,
    reason text,
    changes jsonb,
    primary key (team, import, is_trial, line, number)
);
-- Few of very many: what people look for.
create index import_result_refused on import_result (team, import, is_trial, line, number) where outcome = 'refused';
