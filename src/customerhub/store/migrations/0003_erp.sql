-- What an ERP asks beside the record: entries that can go, roles, keys that are renewed, merged customers, request logs.

alter table catalogue_entry add column deleted_at timestamptz;
alter table catalogue_entry drop constraint catalogue_entry_kind_check;
alter table catalogue_entry add constraint catalogue_entry_kind_check check (kind in (
    'payment_term', 'shipping_term', 'carrier', 'service_level', 'unit', 'price_list', 'account_group',
    'attribute_definition', 'role'
));
-- What is deleted holds no reference id, as it holds no name.
drop index catalogue_entry_reference;
create unique index catalogue_entry_reference on catalogue_entry (team, kind, reference_id)
    where reference_id is not null and deleted_at is null;

-- The customer that a deleted one went into.
alter table customer add column merged_into uuid;
alter table customer add foreign key (team, merged_into) references customer (team, id);

-- Newest first, page by page.
create index customer_created on customer (team, created_at desc, id desc) where deleted_at is null;
-- The customer of an address, and customers by what one of their addresses holds.
create index customer_addresses on customer using gin (addresses jsonb_path_ops) where deleted_at is null;
create index unowned_address_created on unowned_address (team, created_at desc, id desc);

-- `renews`: the first credential of the chain of which this one is the newest secret.
alter table credential add column role uuid;
alter table credential add column renews uuid;
alter table credential add column last_used_at timestamptz;
alter table credential add foreign key (team, role) references catalogue_entry (team, id);
alter table credential add foreign key (team, renews) references credential (team, id);

alter table team_user add column access_role uuid;
alter table team_user add foreign key (team, access_role) references catalogue_entry (team, id);
-- Not everybody has an email address; a username is one member's.
alter table team_user alter column email drop not null;
alter table team_user alter column email_key drop not null;
alter table team_user add column username_key text;
create unique index team_user_username on team_user (team, username_key) where username_key is not null;

create index change_at on change (team, at);
create index audit_at on audit (team, at);

-- Keys go when they are old; a narrow index, since every write with a key would pay for a wide one.
create index idempotency_key_created on idempotency_key using brin (created_at) with (autosummarize = on);

-- What was asked and answered, kept for a while; written beside the request. Ids sort by time. No foreign key: an entry
-- waits for nobody who holds the team's row.
create table request_log (
    team uuid not null,
    id uuid not null,
    at timestamptz not null,
    dialect text not null,
    credential uuid not null,
    credential_name text not null,
    actor uuid not null,
    method text not null,
    host text not null,
    path text not null,
    route text not null,
    query jsonb not null default '[]',
    status smallint not null,
    latency_us bigint not null,
    api_version text,
    client_ip text,
    user_agent text,
    referrer text,
    idempotency_key text,
    error_code text,
    error_message text,
    request_body text,
    response_body text,
    primary key (team, id)
);
