"""What all tables hold, in a form that tells whether anything has changed."""

from functools import cache

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
_TABLES = """
select c.relname, string_agg('t.' || a.attname, ', ' order by a.attnum) from pg_class c
join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped and a.attname <> $2
where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition
and c.relname <> all ($1)
group by c.relname order by c.relname
"""


async def take_fingerprint(hub: Hub) -> Fingerprint:
    """Row count of every table and what tells its state: what a refusal or a dry run must leave as it was."""
    async with hub.database.lease() as connection:
        tables = await connection.fetch(_TABLES, _BESIDE, _NOTED[1])
        found = await connection.fetch(_to_statement(tuple((name, columns) for name, columns in tables)))
        return {table: (rows, state) for table, rows, state in found}


@cache
def _to_statement(tables: tuple[tuple[str, str], ...]) -> str:
    """One statement for all tables, since each of its own would be a question more to the server."""
    return " union all ".join(_to_part(name, columns) for name, columns in tables)


def _to_part(table: str, columns: str) -> str:
    rows, state = table, _LAST_WRITER
    if table == _WAITING:
        rows, state = _PUBLISHED, "sum(t.version)"
    elif table == _NOTED[0]:
        state = f"sum(hashtextextended(row({columns})::text, 0))"
    return f"select '{table}', count(*), coalesce({state}, 0)::text from {rows} t"  # noqa: S608 - names from the catalogue
