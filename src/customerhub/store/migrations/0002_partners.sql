-- Partner applications that sign their requests and act for teams that allowed it, people's sessions in the browser,
-- and who is to be told of changes.

-- A key that encrypts secrets which must be known in clear; only its fingerprint is here.
create table secret_key (
    fingerprint text primary key,
    created_at timestamptz not null,
    retired_at timestamptz
);

-- An application of a partner. Finds its team by the client id.
create table partner_client (
    client_id text primary key,
    team uuid not null references team (id),
    id uuid not null,
    dialect text not null,
    name text not null,
    secret bytea not null,
    redirect_uris text[] not null default '{}',
    any_team boolean not null default false,
    requires_precondition boolean not null default false,
    version bigint not null default 1,
    created_at timestamptz not null,
    revoked_at timestamptz
);
create unique index partner_client_id on partner_client (team, id);

-- What an application may do in one team: a credential of that team; of several at most one is alive.
create table partner_grant (
    team uuid not null,
    credential uuid not null,
    client_id text not null references partner_client (client_id),
    created_at timestamptz not null,
    primary key (team, credential),
    foreign key (team, credential) references credential (team, id)
);
create index partner_grant_client on partner_grant (client_id);

-- Access and refresh tokens by their SHA-256; finds the team. A family is all that came from one consent.
create table partner_token (
    token_hash bytea primary key,
    kind text not null check (kind in ('access', 'refresh')),
    team uuid not null,
    credential uuid not null,
    family uuid not null,
    actor uuid not null,
    created_at timestamptz not null,
    expires_at timestamptz not null,
    used_at timestamptz,
    revoked_at timestamptz,
    foreign key (team, credential) references partner_grant (team, credential)
);
create index partner_token_family on partner_token (family);

-- What a partner takes its tokens with after a consent, once; by its SHA-256. Finds the team.
create table partner_code (
    code_hash bytea primary key,
    client_id text not null references partner_client (client_id),
    team uuid not null,
    credential uuid not null,
    family uuid not null,
    actor uuid not null,
    created_at timestamptz not null,
    expires_at timestamptz not null,
    used_at timestamptz,
    foreign key (team, credential) references partner_grant (team, credential)
);
create index partner_code_expiry on partner_code (expires_at);

-- A person signed in with a browser; the cookie's secret by its SHA-256.
create table browser_session (
    secret_hash bytea primary key,
    login uuid not null references login (id),
    created_at timestamptz not null,
    seen_at timestamptz not null,
    expires_at timestamptz not null
);
create index browser_session_login on browser_session (login);

-- Who is to be told of changes, over a URL of theirs.
create table subscription (
    team uuid not null references team (id),
    id uuid not null,
    dialect text not null,
    event text not null,
    url text not null,
    secret bytea,
    status text not null check (status in ('active', 'paused', 'disabled')),
    version bigint not null default 1,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    created_by uuid not null,
    updated_by uuid not null,
    deleted_at timestamptz,
    primary key (team, id)
);
