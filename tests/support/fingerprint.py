"""What all tables hold, in a form that tells whether anything has changed."""

from customerhub.core.hub import Hub

Fingerprint = dict[str, tuple[int, str]]


async def take_fingerprint(hub: Hub) -> Fingerprint:
    """Row count and checksum of every table: what a refusal or a dry run must leave as it was."""
    async with hub.database.lease() as connection:
        tables = await connection.fetch(
            "select tablename from pg_tables where schemaname = 'public' order by tablename"
        )
        prints: Fingerprint = {}
        for (table,) in tables:
            statement = (
                f"select count(*), coalesce(sum(hashtextextended(t::text, 0)::numeric)::text, '') from {table} t"  # noqa: S608 - names from pg_tables
            )
            row = await connection.fetchrow(statement)
            prints[table] = (row[0], row[1])
        return prints
