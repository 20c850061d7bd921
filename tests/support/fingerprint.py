"""What all tables hold, in a form that tells whether anything has changed."""

from customerhub.core.hub import Hub

Fingerprint = dict[str, tuple[int, str]]

# What a process notes beside its requests, whatever became of them: a table, and a column of another.
_BESIDE = ("request_log",)
_NOTED = ("credential", "last_used_at")
# Which transaction wrote a row, and where it stands: whatever writes a row changes this, and it takes no time to read.
_ROW = "t.xmin::text || t.ctid::text"


async def take_fingerprint(hub: Hub) -> Fingerprint:
    """Row count and checksum of every table: what a refusal or a dry run must leave as it was."""
    async with hub.database.lease() as connection:
        tables = await connection.fetch(
            "select tablename from pg_tables where schemaname = 'public' and tablename <> all ($1) order by tablename",
            _BESIDE,
        )
        prints: Fingerprint = {}
        for (table,) in tables:
            told = f"(to_jsonb(t) - '{_NOTED[1]}')::text" if table == _NOTED[0] else _ROW
            statement = f"select count(*), coalesce(sum(hashtextextended({told}, 0)), 0)::text from {table} t"  # noqa: S608 - names from pg_tables
            row = await connection.fetchrow(statement)
            prints[table] = (row[0], row[1])
        return prints
