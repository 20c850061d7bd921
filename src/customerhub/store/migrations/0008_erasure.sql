-- Customers whose values are gone for good, and how far each erasure has come.

-- `marks` are the erased ids as they are written on the wire. What was asked up to `closed_at` and is logged only later
-- is logged without values; `settled_at`: since when nothing of it can come any more.
create table erasure (
    team uuid not null,
    customer uuid not null,
    version bigint not null,
    at timestamptz not null,
    marks text[] not null,
    closed_at timestamptz not null default 'infinity',
    settled_at timestamptz,
    primary key (team, customer),
    foreign key (team, customer) references customer (team, id)
);
create index erasure_closed on erasure (team, closed_at);
create index erasure_unsettled on erasure (team, at) where settled_at is null;

-- What went into a customer, which an erasure of that customer erases too.
create index customer_merged_into on customer (team, merged_into) where merged_into is not null;
