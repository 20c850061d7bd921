"""What all tables hold, in a form that tells whether anything has changed."""

from customerhub.core.hub import Hub

Fingerprint = dict[str, tuple[int, str]]

# What a process notes beside its requests, whatever became of them: tables, and a column of another. A publisher gives
# what waits its place in the feed whenever it likes: both together are told as what waits.
_BESIDE = ("request_log", "feed", "feed_counter")
_WAITING = "feed_waiting"
_PUBLISHED = "(select version from feed_waiting union all select version from feed)"
_NOTED = ("credential", "last_used_at")
# Which transaction was the last to write a row: whatever inserts or updates one is later than all before it, and what
# only deletes shows in the count.
_LAST_WRITER = "max(t.xmin::text::bigint)"
_OTHERS = """
select string_agg('t.' || attname, ', ' order by attnum) from pg_attribute
where attrelid = $1::regclass and attnum > 0 and not attisdropped and attname <> $2
"""
_TABLES = """
select relname from pg_class
where relnamespace = 'public'::regnamespace and relkind in ('r', 'p') and not relispartition and relname <> all ($1)
order by relname
"""


async def take_fingerprint(hub: Hub) -> Fingerprint:
    """Row count of every table and what tells its state: what a refusal or a dry run must leave as it was."""
    async with hub.database.lease() as connection:
        prints: Fingerprint = {}
        for (table,) in await connection.fetch(_TABLES, _BESIDE):
            rows, state = table, _LAST_WRITER
            if table == _WAITING:
                rows, state = _PUBLISHED, "sum(t.version)"
            elif table == _NOTED[0]:
                others = await connection.fetchval(_OTHERS, *_NOTED)
                state = f"sum(hashtextextended(row({others})::text, 0))"
            row = await connection.fetchrow(f"select count(*), coalesce({state}, 0)::text from {rows} t")  # noqa: S608 - names from the catalogue
            prints[table] = (row[0], row[1])
        return prints
