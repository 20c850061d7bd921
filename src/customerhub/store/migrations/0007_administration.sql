-- What administration asks of credentials: limits of their own, and secrets that go on for a while beside the next one.

-- `replaced_at`: since when another secret has this one's place; it may go on until `expires_at`.
alter table credential add column rate_limit text;
alter table credential add column replaced_at timestamptz;

-- The few limits of a team, for its snapshot.
create index credential_rate_limit on credential (team) where rate_limit is not null;
