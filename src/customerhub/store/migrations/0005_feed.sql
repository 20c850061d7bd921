-- A team's changes in one order, each at a position of its own; and the lists of what was deleted.

-- Changes that have no position yet, written by the statement that writes the change. Small: what it holds is on its way.
create table feed_waiting (
    team uuid not null,
    at timestamptz not null,
    customer uuid not null,
    version bigint not null,
    primary key (team, at, customer, version)
);

-- The position that the next change of a team gets. Whoever holds the row gives positions, and nobody else meanwhile.
-- `folded_until`: what is older than this of the history was looked at when it became too old to be kept.
create table feed_counter (
    team uuid primary key references team (id),
    next bigint not null default 1,
    folded_until timestamptz
);

-- Which change stands where, from 1 on without gaps. No foreign key, as the history has none.
create table feed (
    team uuid not null,
    position bigint not null,
    customer uuid not null,
    version bigint not null,
    primary key (team, position)
);

-- What was written before there was a feed stands in it in the order of time. Nobody adds to it meanwhile: a change
-- that this statement did not see and that did not wait either would never get a position.
lock table change in share row exclusive mode;
insert into feed (team, position, customer, version)
select team, row_number() over (partition by team order by at, customer, version), customer, version from change;
insert into feed_counter (team, next) select team, max(position) + 1 from feed group by team;

-- Each change once.
create unique index feed_change on feed (team, customer, version);

-- The last deleted first.
create index customer_deleted on customer (team, deleted_at desc, id desc) where deleted_at is not null;

-- Events go when they are old; a narrow index, since every write that tells of itself would pay for a wide one.
create index event_at on event using brin (at) with (autosummarize = on);
