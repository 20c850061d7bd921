-- The record and everything it needs: teams, who may ask, what customers refer to, customers, their history.
--
-- `team` stands first in every primary key, unique index and foreign key, so that teams can be spread over machines.
-- The tables that find a team (team, login, credential_lookup) are the exceptions.

create table team (
    id uuid primary key,
    name text not null,
    name_key text not null unique,
    settings jsonb not null default '{}',
    catalogue_version bigint not null default 1,
    has_sinks boolean not null default false,
    version bigint not null default 1,
    created_at timestamptz not null,
    updated_at timestamptz not null
);

create table number_counter (
    team uuid primary key references team (id),
    next bigint not null default 1
);

-- A person who can sign in; member of any number of teams.
create table login (
    id uuid primary key,
    email text not null,
    email_key text not null unique,
    password_hash text,
    status text not null default 'active' check (status in ('active', 'inactive')),
    version bigint not null default 1,
    created_at timestamptz not null,
    updated_at timestamptz not null
);

-- A member of a team; a sales rep needs no login.
create table team_user (
    team uuid not null references team (id),
    id uuid not null,
    login uuid references login (id),
    email text not null,
    email_key text not null,
    first_name text not null,
    last_name text not null,
    phone text,
    department text,
    username text,
    role text not null default 'member' check (role in ('member', 'admin')),
    status text not null default 'active' check (status in ('active', 'inactive')),
    version bigint not null default 1,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    created_by uuid not null,
    updated_by uuid not null,
    primary key (team, id)
);
create unique index team_user_email on team_user (team, email_key);
create index team_user_login on team_user (login) where login is not null;

-- Payment and shipping terms, carriers, service levels, units, price lists, account groups, custom field definitions.
create table catalogue_entry (
    team uuid not null references team (id),
    id uuid not null,
    kind text not null check (kind in (
        'payment_term', 'shipping_term', 'carrier', 'service_level', 'unit', 'price_list', 'account_group',
        'attribute_definition'
    )),
    name text not null,
    unique_key text,
    reference_id text,
    description text,
    status text not null default 'active' check (status in ('active', 'inactive')),
    is_system boolean not null default false,
    details jsonb not null default '{}',
    version bigint not null default 1,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    created_by uuid not null,
    updated_by uuid not null,
    primary key (team, id)
);
create unique index catalogue_entry_key on catalogue_entry (team, kind, unique_key) where unique_key is not null;
create unique index catalogue_entry_reference on catalogue_entry (team, kind, reference_id)
    where reference_id is not null;
create unique index catalogue_entry_default_price_list on catalogue_entry (team)
    where kind = 'price_list' and (details ->> 'is_default') = 'true' and status = 'active';

create table credential (
    team uuid not null references team (id),
    id uuid not null,
    dialect text not null,
    name text not null,
    team_user uuid,
    scopes text[] not null default '{}',
    requires_precondition boolean not null default false,
    hint text not null default '',
    version bigint not null default 1,
    created_at timestamptz not null,
    expires_at timestamptz,
    revoked_at timestamptz,
    primary key (team, id),
    foreign key (team, team_user) references team_user (team, id)
);

-- Finds the team of a secret by its SHA-256; the secret itself is nowhere.
create table credential_lookup (
    secret_hash bytea primary key,
    team uuid not null,
    credential uuid not null,
    foreign key (team, credential) references credential (team, id) on delete cascade
);

create table customer (
    team uuid not null references team (id),
    id uuid not null,
    version bigint not null,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    created_by uuid not null,
    updated_by uuid not null,
    name text not null,
    number text not null,
    deleted_at timestamptz,
    display_name text,
    reference_id text,
    first_name text,
    last_name text,
    email text,
    phone text,
    website text,
    note text,
    status text not null default 'active' check (status in ('active', 'inactive')),
    standing text not null default 'normal' check (standing in ('normal', 'preferred', 'hold_shipment', 'hold_all')),
    payment_term uuid,
    shipping_term uuid,
    carrier uuid,
    service_level uuid,
    payment_mode text,
    sales_reps uuid[] not null default '{}',
    default_sales_rep uuid,
    price_list uuid,
    price_groups uuid[] not null default '{}',
    type_group uuid,
    priority text not null default 'normal' check (priority in ('low', 'normal', 'high')),
    commission_policy text not null default 'commission_exempt'
        check (commission_policy in ('commission_applied', 'commission_exempt')),
    freight_policy text not null default 'billed_freight' check (freight_policy in ('free_freight', 'billed_freight')),
    is_edi_enabled boolean not null default false,
    carrier_billing_type text not null default 'sender' check (carrier_billing_type in ('sender', 'third_party')),
    carrier_billing_account text,
    credit_limit numeric,
    credit_limit_unit uuid,
    credit_limit_id uuid,
    accepts_invoice_emails boolean not null default true,
    parent uuid,
    tax_number text,
    tax_excluded boolean not null default false,
    tax_auto_calculate boolean not null default false,
    addresses jsonb not null default '[]',
    contacts jsonb not null default '[]',
    attributes jsonb not null default '[]',
    bill_to uuid,
    ship_to uuid,
    primary_contact uuid,
    email_key text,
    unique_email_key text,
    primary key (team, id),
    foreign key (team, payment_term) references catalogue_entry (team, id),
    foreign key (team, shipping_term) references catalogue_entry (team, id),
    foreign key (team, carrier) references catalogue_entry (team, id),
    foreign key (team, service_level) references catalogue_entry (team, id),
    foreign key (team, price_list) references catalogue_entry (team, id),
    foreign key (team, type_group) references catalogue_entry (team, id),
    foreign key (team, credit_limit_unit) references catalogue_entry (team, id),
    foreign key (team, default_sales_rep) references team_user (team, id),
    foreign key (team, parent) references customer (team, id)
) with (fillfactor = 85);
create unique index customer_number on customer (team, number) where deleted_at is null;
create unique index customer_reference on customer (team, reference_id)
    where reference_id is not null and deleted_at is null;
create unique index customer_unique_email on customer (team, unique_email_key) where unique_email_key is not null;
create index customer_email on customer (team, email_key) where email_key is not null and deleted_at is null;
create index customer_updated on customer (team, updated_at, id) where deleted_at is null;
create index customer_parent on customer (team, parent) where parent is not null;

-- Addresses that no customer has yet; they move into a customer's row, with their id, when a pointer names them.
create table unowned_address (
    team uuid not null references team (id),
    id uuid not null,
    address jsonb not null,
    version bigint not null default 1,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    primary key (team, id)
);

-- One row per committed version of a customer. No foreign key: the history outlives the record.
create table change (
    team uuid not null,
    customer uuid not null,
    version bigint not null,
    at timestamptz not null,
    action text not null check (action in ('created', 'updated', 'deleted', 'restored', 'merged', 'erased')),
    actor uuid not null,
    actor_name text not null,
    credential uuid not null,
    dialect text not null,
    request_id text not null,
    changes jsonb not null,
    ignored jsonb,
    primary key (team, customer, version)
);

-- What sinks are to be told: a pointer to a change, written only where the team has a sink.
create table event (
    team uuid not null,
    customer uuid not null,
    version bigint not null,
    type text not null,
    at timestamptz not null,
    primary key (team, customer, version)
);

create table idempotency_key (
    team uuid not null,
    dialect text not null,
    key text not null,
    fingerprint bytea not null,
    status smallint not null,
    headers jsonb not null,
    body bytea,
    created_at timestamptz not null,
    primary key (team, dialect, key)
);

-- What happened to everything that is not a customer.
create table audit (
    team uuid not null,
    kind text not null,
    subject uuid not null,
    version bigint not null,
    at timestamptz not null,
    action text not null,
    actor uuid not null,
    actor_name text not null,
    credential uuid not null,
    dialect text not null,
    request_id text not null,
    changes jsonb not null,
    primary key (team, kind, subject, version)
);

create view customer_address as
select c.team, c.id as customer, a.*, c.bill_to = a.id as is_bill_to, c.ship_to = a.id as is_ship_to
from customer c
cross join lateral jsonb_to_recordset(c.addresses) as a (
    id uuid, reference_id text, type text, name text, first_name text, last_name text, phone text, email text,
    line1 text, line2 text, city text, state text, postal_code text, country text, is_drop_ship boolean,
    created_at timestamptz, updated_at timestamptz
)
where c.deleted_at is null;

create view customer_contact as
select c.team, c.id as customer, p.*, c.primary_contact = p.id as is_primary
from customer c
cross join lateral jsonb_to_recordset(c.contacts) as p (
    id uuid, reference_id text, first_name text, last_name text, email text, phone text, designation text,
    created_at timestamptz, updated_at timestamptz
)
where c.deleted_at is null;

create view customer_attribute as
select c.team, c.id as customer, a.*
from customer c
cross join lateral jsonb_to_recordset(c.attributes) as a (id uuid, name text, value text, updated_at timestamptz)
where c.deleted_at is null;
