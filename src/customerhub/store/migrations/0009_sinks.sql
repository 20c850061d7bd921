-- Where changes go: sinks, what is on its way to each of them, and what mirrors know of the other side.

-- A subscription is one kind of sink. `types` are the hub's own words for its events, none of them all; `fields` the
-- places that it wants to hear of, none of them all. `holds`: while it is paused, what happens waits for it.
alter table subscription rename to sink;
alter table sink add column kind text not null default 'webhook' check (kind in ('webhook', 'stripe', 'account'));
alter table sink add column form text not null default '';
alter table sink add column name text not null default '';
alter table sink add column events text[] not null default '{}';
alter table sink add column types text[] not null default '{}';
alter table sink add column fields text[] not null default '{}';
alter table sink add column config jsonb not null default '{}';
alter table sink add column former_secret bytea;
alter table sink add column former_until timestamptz;
alter table sink add column reason text;
alter table sink add column holds boolean not null default false;
alter table sink add column is_trusted boolean not null default false;
update sink set form = dialect, events = array[event];
alter table sink drop column event;

-- One event on its way to one sink, which it is told under the same id however often; `rounds` is how often it was asked
-- for once more, and `tries` are those since then. No foreign keys: sinks end and stay, and the history has none.
create table delivery (
    team uuid not null,
    sink uuid not null,
    customer uuid not null,
    version bigint not null,
    id uuid not null,
    type text not null,
    position bigint not null,
    at timestamptz not null,
    status text not null default 'waiting'
        check (status in ('waiting', 'delivered', 'superseded', 'skipped', 'dead')),
    attempts integer not null default 0,
    tries integer not null default 0,
    rounds integer not null default 0,
    parts smallint not null default 0,
    reason text,
    settled_at timestamptz,
    primary key (team, sink, customer, version)
);
create unique index delivery_id on delivery (team, id);
-- In the order of the feed, as people look at them and replay them.
create index delivery_position on delivery (team, sink, position);
create index delivery_waiting on delivery (team, sink, customer, version) where status = 'waiting';
create index delivery_dead on delivery (team, sink, position) where status = 'dead';
create index delivery_settled on delivery using brin (settled_at) with (autosummarize = on);

-- A customer's deliveries to one sink go one after the other: who holds the lane tells them. `due_at` is when the next may
-- be tried, null while none waits. A claim that nobody renews is free again when it ends.
create table lane (
    team uuid not null,
    sink uuid not null,
    customer uuid not null,
    due_at timestamptz,
    claimed_by uuid,
    claimed_until timestamptz,
    primary key (team, sink, customer)
);
create index lane_due on lane (team, sink, due_at) where due_at is not null;

-- What was sent and answered, kept for a while.
create table attempt (
    team uuid not null,
    sink uuid not null,
    customer uuid not null,
    version bigint not null,
    number integer not null,
    at timestamptz not null,
    latency_us bigint not null,
    outcome text not null,
    reason text,
    exchanges jsonb,
    primary key (team, sink, customer, version, number)
);
create index attempt_at on attempt using brin (at) with (autosummarize = on);

-- How a sink fares, kept by those who tell it: up to which position of the feed it has its deliveries; not before
-- `resume_at`; `failures` in a row since `failing_since`; counts.
create table sink_state (
    team uuid not null,
    sink uuid not null,
    taken bigint not null default 0,
    resume_at timestamptz,
    failures integer not null default 0,
    failing_since timestamptz,
    succeeded_at timestamptz,
    delivered bigint not null default 0,
    superseded bigint not null default 0,
    skipped bigint not null default 0,
    retried bigint not null default 0,
    dead bigint not null default 0,
    primary key (team, sink)
);

insert into sink_state (team, sink, taken)
select s.team, s.id, coalesce((select c.next - 1 from feed_counter c where c.team = s.team), 0) from sink s;

-- What a mirror knows of a customer over there.
create table sync (
    team uuid not null,
    sink uuid not null,
    customer uuid not null,
    external_id text,
    version bigint not null default 0,
    written jsonb not null default '{}',
    left_out jsonb not null default '{}',
    creation jsonb,
    error text,
    at timestamptz not null,
    primary key (team, sink, customer)
);
-- Those that people look for, of very many.
create index sync_troubled on sync (team, sink, customer) where error is not null or left_out <> '{}';
create unique index sync_external on sync (team, sink, external_id) where external_id is not null;
-- Few at any time: records over there that are being made.
create index sync_creation on sync (team, sink, at) where creation is not null;

-- Messages of the other side that were seen already, so that none counts twice.
create table sync_message (
    team uuid not null,
    sink uuid not null,
    id text not null,
    at timestamptz not null,
    primary key (team, sink, id)
);
