-- How often each limit was used in its running window and in the one before, counted by all processes together.
--
-- Unlogged: to count waits for no disk, and where the server crashes all limits begin anew, as they do with a process
-- that counts in its memory. Half of each page is left free, so that a count stays in it and touches no index.
create unlogged table rate_window (
    key text primary key,
    slot bigint not null,
    count integer not null,
    former integer not null,
    ends_at timestamptz not null
) with (fillfactor = 50);
