-- Figures that a team's first page shows, counted a piece at a time while somebody looks, and kept with their age.

-- `state` is how far the counting has come, `shown` what it came to when it was last done, at `shown_at`.
create table figure (
    team uuid not null references team (id),
    name text not null,
    version bigint not null default 1,
    begun_at timestamptz not null,
    state jsonb not null,
    shown jsonb,
    shown_at timestamptz,
    primary key (team, name)
);

-- Those who are not as most are, with their status beside them: what counts them reads no customer. Others are not in it.
create index customer_standing on customer (team, standing, id) include (status)
    where deleted_at is null and standing <> 'normal';
