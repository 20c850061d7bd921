"""What each index costs a write: `python -m bench.indexes`, databases with and without it side by side in one run.

An index that finds a row's primary key cannot be left out, so such a one is made twice: the second costs what the first
does. All databases take their turns at the same number of writes, and each is compared with the unchanged one of its
own round; a second unchanged one says what chance makes of equal things.
"""

import argparse
import asyncio
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from shutil import which
from typing import Final

from bench.data import address_id
from bench.machine import cpu_seconds
from bench.request import Body, Subject
from bench.served import Place, make_place, pick_subjects
from bench.statements import Script, Statement, capture, to_script
from bench.workloads import DIALECTS
from customerhub.embedded import Cluster, open_cluster
from customerhub.store.db import Connection, connect
from customerhub.store.queries import load_queries

_MILLION: Final = 1e6
_CLIENTS: Final = 4
# Once in so many writes the feed gives positions to what waits.
_PUBLISH: Final = 50
_SETTLE_SECONDS: Final = 0.1
# A number that stands in all that a request changes; each write has one of its own in its place.
_MARKS: Final = ("41234566", "41234567")
_FEED: Final = load_queries("feed.sql")
# Tables that a write of a customer adds to, at once or when its change is published; and those of telling a sink.
WRITTEN: Final = (
    *("customer", "change", "event", "idempotency_key", "feed_waiting", "feed", "customer_search", "duplicate_key"),
)
TOLD: Final = ("delivery", "lane", "attempt")
_TELL: Final = "a delivery"
_LIST: Final = """
select i.indrelid::regclass::text, i.indexrelid::regclass::text, pg_get_indexdef(i.indexrelid), i.indisprimary
from pg_index i join pg_class c on c.oid = i.indexrelid
where c.relnamespace = 'public'::regnamespace and not c.relispartition
order by 1, not i.indisprimary, 2
"""
_HOT: Final = "select n_tup_upd, n_tup_hot_upd from pg_stat_user_tables where relname = 'customer'"
# Each delivery has a customer and a version of its own: clients that meet would wait for each other or clash.
_TELLING: Final = """
\\set number random(1, {count})
\\set version random(1, 1000000000000000)
select md5('customer ' || :number::text)::uuid as id \\gset
insert into delivery (team, sink, customer, version, id, type, position, at)
values (:team, :team, :id, :version, gen_random_uuid(), 'customer.updated', :version, now());
insert into lane as l (team, sink, customer, due_at) values (:team, :team, :id, now())
on conflict (team, sink, customer) do update set due_at = coalesce(l.due_at, excluded.due_at);
update lane set claimed_by = :team, claimed_until = now() where team = :team and sink = :team and customer = :id;
begin;
update delivery set status = 'delivered', attempts = attempts + 1, tries = 1, settled_at = now()
where team = :team and sink = :team and customer = :id and version = :version;
insert into attempt (team, sink, customer, version, number, at, latency_us, outcome, exchanges)
values (:team, :team, :id, :version, 1, now(), 1000, 'delivered', '[]');
update lane set claimed_by = null, claimed_until = null, due_at = null
where team = :team and sink = :team and customer = :id;
end;
"""


@dataclass(frozen=True)
class Index:
    """An index of the schema."""

    table: str
    name: str
    statement: str
    is_primary: bool


@dataclass(frozen=True)
class Variant:
    """A database that differs in a table: `sign` is 1 where something was left out and -1 where it is there twice."""

    name: str
    changes: tuple[str, ...]
    sign: int = 1
    table: str = "customer"

    def has_part_in(self, kind: str) -> bool:
        """Whether this kind of write comes to the table; where nothing differs it always does."""
        return not self.changes or (self.table in TOLD) == (kind == _TELL)


@dataclass(frozen=True)
class Cost:
    """Of one write: PostgreSQL's CPU in µs, bytes of WAL, CPU of the vacuum afterwards in µs, and the share of HOT."""

    cpu: float
    wal: float
    vacuum: float
    hot: float


@dataclass(frozen=True)
class Row:
    """What one index costs one kind of write; medians over the rounds."""

    kind: str
    index: str
    cpu: float
    wal: float
    vacuum: float
    hot: float


async def list_indexes(connection: Connection) -> list[Index]:
    """Every index of the schema, by table, the primary key first; of a table in parts the whole's."""
    return [Index(*row) for row in await connection.fetch(_LIST)]


def to_variants(indexes: Iterable[Index]) -> list[Variant]:
    """A database for each index that a write adds to, one that is as it was, and some without several of them."""
    variants = [Variant("no difference", ())]
    for index in indexes:
        if index.table not in (*WRITTEN, *TOLD):
            continue
        if index.is_primary:
            twice = re.sub(r"INDEX \S+ ON (ONLY )?", "INDEX twin ON ", index.statement, count=1)
            variants.append(Variant(index.name, (twice,), -1, index.table))
        else:
            variants.append(Variant(index.name, (f"drop index {index.name}",), table=index.table))
    no_moment, no_places = "drop index if exists customer_updated", "drop index if exists customer_addresses"
    narrow = "create index on customer using brin (team, updated_at) with (autosummarize = on)"
    return [
        *variants,
        Variant("customer_updated, for a BRIN", (no_moment, narrow)),
        Variant("customer_updated and customer_addresses", (no_moment, no_places)),
        Variant("fillfactor 70 instead of 85", ("alter table customer set (fillfactor = 70)", "vacuum full customer")),
    ]


def find_bodies(subject: Subject) -> dict[str, object]:
    """Kinds of writes: what each of them changes, with a mark in it."""
    return {
        "another field": {"display_name": "Trading as {}", "first_name": "Ingrid {}", "payment_mode": "Card {}"},
        "an address": {"addresses": [{"id": str(address_id(subject.number, 1)), "address_line_1": "Storgata {}"}]},
        "name, email, phone": {"company_name": "Nordlys {}", "email": "ingrid{}@nordlys.example", "phone": "+47{}"},
    }


async def to_scripts(place: Place) -> dict[str, Script]:
    """The hub's own statements for each kind of write, with the publishing of the feed, and the telling of a sink."""
    (subject, *_) = await pick_subjects(place)
    request = DIALECTS["wizcommerce"](place.credentials["wizcommerce"])["update-scalars"]
    scripts = {}
    for kind, body in find_bodies(subject).items():
        marks = iter(_MARKS)
        captured = await capture(place, replace(request, body=_marking(body, marks)), subject)
        script = to_script(captured, 1, range(place.customers))
        scripts[kind] = _publishing(_vary(script, captured.statements[-1]), place)
    team = {"team": str(place.team.id)}
    scripts[_TELL] = Script(_TELLING.format(count=place.customers), team)
    return scripts


def _marking(body: object, marks: Iterator[str]) -> Body:
    text = json.dumps(body)

    def make(*_: object) -> object:
        return json.loads(text.replace("{}", next(marks)))

    return make


def _vary(script: Script, write: Statement) -> Script:
    """The same with a value of its own in each write, and a new street in each customer's own addresses."""
    text = script.text
    for name, value in script.variables.items():
        prefix, _, place = name.partition("_")
        if prefix == "write" and _MARKS[-1] in value and write.types[int(place) - 1] != "bytea":
            own = f"replace(:{name}::text, '{_MARKS[-1]}', :key::text)::{write.types[int(place) - 1]}"
            text = re.sub(rf":{name}\b", own, text)
    street = "jsonb_set(addresses, '{0,line1}', to_jsonb('Storgata ' || :key::text))"
    text = text.replace("addresses = :r_addresses", f"addresses = {street}")
    return Script(text, script.variables)


def _publishing(script: Script, place: Place) -> Script:
    claim, publish = (
        re.sub(r"^--.*\n", "", _FEED[name], flags=re.MULTILINE).replace("$1", ":team")
        for name in ("wait_to_claim", "publish")
    )
    publish = publish.replace("$2", ":p_next").replace("$3", "1000")
    text = (
        f"{script.text}\\set turn random(1, {_PUBLISH})\n\\if :turn = 1\nbegin;\n{claim}\n\\gset p_\n{publish};\nend;\n"
        "\\endif\n"
    )
    return Script(text, {**script.variables, "team": str(place.team.id)})


@dataclass(frozen=True)
class Bench:
    """Databases of all variants, and the scripts that run in each of them."""

    cluster: Cluster
    keeper: Connection
    pgbench: str
    server: int
    scripts: Mapping[str, Script]
    writes: int

    async def add(self, variant: Variant, name: str, original: str) -> str:
        """A copy of the database with this changed; its address."""
        await self.keeper.execute(f'create database "{name}" template "{original}" strategy file_copy', timeout=600)
        url = self.cluster.url(name)
        connection = await connect(url)
        for change in variant.changes:
            await connection.execute(change, timeout=600)
        await connection.close()
        return url

    async def run(self, url: str, kind: str, directory: Path) -> Cost:
        """So many writes in one database, and the vacuum that they make necessary. Raises RuntimeError."""
        connection = await connect(url)
        updated, hot = await self._count_hot(connection)
        log, cpu = await self._find_end_of_log(), cpu_seconds(self.server)
        await asyncio.to_thread(self._write, url, self.scripts[kind], directory)
        written, after = await self._find_end_of_log() - log, cpu_seconds(self.server)
        await connection.execute(f"vacuum {', '.join(TOLD if kind == _TELL else WRITTEN)}", timeout=600)
        vacuumed = cpu_seconds(self.server) - after
        updated_after, hot_after = await self._count_hot(connection)
        await connection.close()
        share = (hot_after - hot) / max(1, updated_after - updated)
        each = _MILLION / self.writes
        return Cost((after - cpu) * each, written / self.writes, vacuumed * each, share)

    def _write(self, url: str, script: Script, directory: Path) -> None:
        file = directory / "script.sql"
        file.write_text(script.text)
        command = [self.pgbench, "--no-vacuum", "--protocol=prepared", f"--client={_CLIENTS}", f"--file={file}"]
        command += [f"--transactions={self.writes // _CLIENTS}"]
        command += [f"--define={name}={value}" for name, value in script.variables.items()]
        options = os.environ | {"PGOPTIONS": "-c jit=off -c timezone=UTC"}
        done = subprocess.run([*command, url], capture_output=True, text=True, env=options, check=False)
        if done.returncode or "aborted" in done.stderr:
            raise RuntimeError(f"pgbench failed: {done.stderr}")

    async def _find_end_of_log(self) -> float:
        return float(await self.keeper.fetchval("select pg_current_wal_insert_lsn() - '0/0'"))

    async def _count_hot(self, connection: Connection) -> tuple[int, int]:
        # What ended backends have counted is seen a moment after they are gone.
        await asyncio.sleep(_SETTLE_SECONDS)
        updated, hot = await connection.fetchrow(_HOT)
        return updated, hot


async def measure(chosen: argparse.Namespace, directory: Path, pgbench: str) -> list[Row]:
    """All databases in turns, kind by kind."""
    rows: list[Row] = []
    with open_cluster(directory / "data") as cluster:
        keeper = await connect(cluster.url("postgres"))
        # Full pages after a checkpoint, and a vacuum at any moment, would be counted with whatever runs just then.
        for setting in ("autovacuum = off", "checkpoint_timeout = '1d'", "max_wal_size = '100GB'"):
            await keeper.execute(f"alter system set {setting}")
        await keeper.execute("select pg_reload_conf()")
        place = await make_place(cluster, "original", chosen.customers)
        connection = await connect(place.url)
        # As if somebody listened: each change is an event too.
        await connection.execute("update team set has_sinks = true")
        scripts = await to_scripts(place)
        if chosen.kinds:
            scripts = {kind: script for kind, script in scripts.items() if kind in chosen.kinds}
        variants = [Variant("as it is", ()), *to_variants(await list_indexes(connection))]
        variants = [one for one in variants if any(map(one.has_part_in, scripts))]
        await connection.close()
        bench = Bench(cluster, keeper, pgbench, place.server, scripts, chosen.writes)
        urls = [await bench.add(one, f"variant_{number}", "original") for number, one in enumerate(variants)]
        for kind in scripts:
            chosen_ones = [(one, url) for one, url in zip(variants, urls, strict=True) if one.has_part_in(kind)]
            costs: list[list[Cost]] = [[] for _ in chosen_ones]
            for number in range(chosen.rounds + 1):
                for (_, url), own in zip(chosen_ones, costs, strict=True):
                    cost = await bench.run(url, kind, directory)
                    if number:
                        own.append(cost)
            rows += _to_rows(kind, [one for one, _ in chosen_ones], costs)
            sys.stderr.write(f"{kind} is done\n")
        await keeper.close()
    return rows


def _to_rows(kind: str, variants: Sequence[Variant], costs: Sequence[Sequence[Cost]]) -> list[Row]:
    """The first variant as it is, and of the others what they differ from it in their own rounds."""
    base = costs[0]
    rows = [Row(kind, "", *(statistics.median(getattr(one, name) for one in base) for name in _FIGURES))]
    for variant, own in zip(variants[1:], costs[1:], strict=True):
        cpu, wal, vacuum = (
            variant.sign
            * statistics.median(getattr(b, name) - getattr(o, name) for b, o in zip(base, own, strict=True))
            for name in _FIGURES[:3]
        )
        rows.append(Row(kind, variant.name, cpu, wal, vacuum, statistics.median(one.hot for one in own)))
    return rows


_FIGURES: Final = ("cpu", "wal", "vacuum", "hot")


def to_table(rows: Sequence[Row]) -> str:
    """What was found, for people."""
    lines = []
    for row in rows:
        sign = "+" if row.index else ""
        lines.append(
            f"  {row.index or row.kind:45} {row.cpu:{sign}7.0f} µs {row.wal:{sign}7.0f} B {row.vacuum:{sign}7.0f} µs"
            f"  HOT {row.hot:.0%}"
        )
    return "\n".join(lines)


def to_figures(rows: Sequence[Row]) -> dict[str, list[str]]:
    """By the name that a line of docs/decisions/0024 begins with: bytes of WAL and µs of CPU, by kind of write."""
    kinds = list(dict.fromkeys(row.kind for row in rows))
    found = {(row.index, row.kind): row for row in rows}
    figures = {}
    for index in dict.fromkeys(row.index for row in rows):
        own = (found.get((index, kind)) for kind in kinds)
        cells = [f"{one.wal:.0f} B, {one.cpu + one.vacuum:.0f} µs" if one is not None else "–" for one in own]
        figures[f"`{index}`" if index.isidentifier() else index or "all of it"] = cells
    return figures


def rewrite(record: str, rows: Sequence[Row]) -> str:
    """The record with these figures; what an index is for, in the last cell of its line, stays."""
    figures = to_figures(rows)
    lines = []
    for line in record.splitlines():
        name, *cells = [cell.strip() for cell in line.strip("|").split("|")] if line.startswith("|") else [""]
        known = figures.get(name, [])
        is_same_table = known and len(cells) == len(known) + 1
        lines.append(f"| {' | '.join((name, *known, cells[-1]))} |" if is_same_table else line)
    return "\n".join(lines) + "\n"


def main() -> None:
    """Measure, print, and write down where asked to."""
    parser = argparse.ArgumentParser(prog="python -m bench.indexes", description=__doc__)
    parser.add_argument("--customers", type=int, default=5_000, help="In each of the databases.")
    parser.add_argument("--writes", type=int, default=4_000, help="In each turn.")
    parser.add_argument("--rounds", type=int, default=7, help="That count.")
    parser.add_argument("--kinds", nargs="+", metavar="KIND", help="Of writes, such as 'an address'; all of them.")
    parser.add_argument("--json", type=Path, help="Where the results go as JSON.")
    parser.add_argument("--record", type=Path, help="The decision record, whose figures become these.")
    chosen = parser.parse_args()
    pgbench = which("pgbench") or sys.exit("pgbench is not on the PATH: it comes with PostgreSQL's contrib programs")
    with tempfile.TemporaryDirectory() as directory:
        rows = asyncio.run(measure(chosen, Path(directory), pgbench))
    if chosen.json is not None:
        chosen.json.write_text(json.dumps([asdict(row) for row in rows], indent=2) + "\n")
    if chosen.record is not None:
        chosen.record.write_text(rewrite(chosen.record.read_text(encoding="utf-8"), rows), encoding="utf-8")
    sys.stdout.write(to_table(rows) + "\n")


if __name__ == "__main__":
    main()
