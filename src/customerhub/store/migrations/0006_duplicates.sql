-- What customers have in common with others: keys that two spellings of one value share, beside the record and not in it,
-- so that an update which changes none of them writes nothing here.

-- `kind` and `key` are what model/duplicates.py makes of a live record; a deleted one has none. No foreign key: customers
-- are never removed, and to look each of them up again would cost a write more than its keys do.
create table duplicate_key (
    team uuid not null,
    kind text not null,
    key text not null,
    customer uuid not null,
    primary key (team, kind, key, customer)
);
create index duplicate_key_customer on duplicate_key (team, customer);

-- Statistics would keep samples of what people are called, where an erasure does not reach, and help no look-up.
alter table duplicate_key alter column key set statistics 0;
