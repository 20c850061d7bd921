"""Empties the worker's database now and then: what is asked of all tables must not get dearer with every test."""

from customerhub.model.error import Busy
from customerhub.store.db import Database

# Emptying takes as long as some ten tests; without it thousands of teams stand in the tables at the end of a run.
_EVERY = 100
# Of two that wait for each other it is the sweep that is put off, and soon.
_GIVE_WAY = "set local deadlock_timeout = '20ms'"
_TABLES = """
select string_agg(quote_ident(c.relname), ', ') from pg_class c
where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition
and (c.relname in ('team', 'login') or exists (
    select from pg_attribute a where a.attrelid = c.oid and a.attname = 'team' and not a.attisdropped
))
"""


class Sweeper:
    """Counts the tests that begin on a database, and takes all teams out of it before some of them."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._begun = 0

    async def begin(self) -> None:
        """A test begins, and no other is under way; servers that outlive tests may be, and put a sweep off."""
        self._begun += 1
        if self._begun < _EVERY:
            return
        try:
            async with self._database.transaction() as connection:
                await connection.execute(_GIVE_WAY)
                await connection.execute(f"truncate {await connection.fetchval(_TABLES)} cascade")
        except Busy:
            return
        self._begun = 0
