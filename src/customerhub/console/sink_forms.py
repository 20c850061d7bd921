"""Making a sink and changing one: its form, of which kind and in whose words it may be, and what was filled in."""

from collections.abc import Mapping
from functools import partial
from typing import Any, Final, cast, get_args

import msgspec

from customerhub.console.apis import to_api_title
from customerhub.console.desk import Desk, signed_in
from customerhub.console.fields import LABELS
from customerhub.console.reader import NOTHING, SHORT, Reader, Refusal, attempt
from customerhub.console.sinks import KIND, SINKS, show_secret
from customerhub.core import sinks as core
from customerhub.core.owners import ACCOUNT_OWNERS, STRIPE_FIELDS, STRIPE_OWNERS
from customerhub.core.sessions import ADMINISTER
from customerhub.core.sinks import NewSink, Sink, SinkProposal
from customerhub.model.answer import Answer
from customerhub.model.customer import CUSTOMER_FIELDS
from customerhub.model.error import NotFound
from customerhub.store.sinks import SinkKind
from customerhub.web.screens import Screen
from customerhub.web.sink_request import (
    REACHING,
    Asked,
    Ways,
    find_faults,
    make_secret,
    to_patch,
    to_trial,
    to_ways,
)

_URL: Final = 2048
_KINDS: Final[tuple[SinkKind, ...]] = get_args(SinkKind)
# Fields of the record by which updates can be chosen: those that people know by a name.
_MARKS: Final = ("id", "version", "created_at", "updated_at", "created_by", "updated_by", "deleted_at", "merged_into")
_PLACES: Final = tuple(f"/{field}" for field in CUSTOMER_FIELDS if field in LABELS and field not in _MARKS)
_OWNERSHIP: Final = "ownership."
_CREDENTIALS: Final = "credentials."


class Sort(msgspec.Struct, frozen=True):
    """One sort of sink that can be made: its kind, and the dialect in whose words, or with whose vendor."""

    kind: SinkKind
    form: str


def find_sorts(desk: Desk, ways: Ways) -> list[Sort]:
    """The sorts of sinks that this hub can tell."""
    forms: Mapping[SinkKind, tuple[str, ...]] = {"webhook": tuple(ways.forms), "account": tuple(ways.remotes)}
    return [Sort(kind, form) for kind in _KINDS if kind in desk.hub.carriers for form in forms.get(kind, ("",))]


def _get_sort(desk: Desk, ways: Ways, kind: str, form: str) -> Sort:
    found = next((sort for sort in find_sorts(desk, ways) if (sort.kind, sort.form) == (kind, form)), None)
    if found is None:
        raise NotFound("sort of sink", f"{kind} {form}")
    return found


def _to_titles(desk: Desk) -> Mapping[str, str]:
    return {dialect.name: to_api_title(dialect) for dialect in desk.dialects()}


async def show_new(desk: Desk) -> Answer:
    """`GET …/sinks/new?kind=&form=`: which sort, then its form."""
    ways, query = to_ways(desk.dialects()), desk.visit.query
    if "kind" not in query:
        return desk.render("sink_sorts.html", sorts=find_sorts(desk, ways), titles=_to_titles(desk))
    sort = _get_sort(desk, ways, query["kind"], query.get("form", ""))
    return await _render(desk, ways, sort, None, NOTHING)


async def create(desk: Desk) -> Answer:
    """`POST …/sinks/new`: the sink, and the secret that the hub made for it, this once."""
    ways, reader = to_ways(desk.dialects()), Reader(desk)
    sort = _get_sort(desk, ways, desk.form.get("kind", ""), desk.form.get("form", ""))
    values = read_values(desk, reader, ways, sort, None)
    made = make_secret(ways, sort.kind, sort.form) if "secret" not in values else None
    faults = await find_faults(desk.hub, values)
    reached: list[str] = [name for name in REACHING if name in values]

    def decide(before: Sink | None) -> SinkProposal:
        asked = Asked(ways, sort.kind, sort.form, values, before, faults, made)
        patch, errors = to_patch(desk.hub, asked)
        return SinkProposal(patch, reader.with_errors(errors), is_secret=made is not None)

    def render(sink: Sink) -> Answer:
        return show_secret(desk, sink, made) if made is not None else desk.go("sinks", sink.id)

    new = NewSink(sort.kind, sort.form)
    write = core.create_sink(desk.hub, desk.command(), new, decide, render, trial=to_trial(reached))
    return await attempt(write, partial(_render, desk, ways, sort, None))


async def show_edit(desk: Desk) -> Answer:
    """`GET …/sinks/{id}/edit`: the form as the sink is."""
    return await _edit(desk, NOTHING)


async def _edit(desk: Desk, refusal: Refusal) -> Answer:
    sink = (await core.get_sink(desk.hub, desk.caller, desk.get_id(kind=KIND))).sink
    return await _render(desk, to_ways(desk.dialects()), Sort(sink.kind, sink.form), sink, refusal)


async def update(desk: Desk) -> Answer:
    """`POST …/sinks/{id}/edit`: what was changed in the form is changed in the sink."""
    ways, reader = to_ways(desk.dialects()), Reader(desk)
    there = (await core.get_sink(desk.hub, desk.caller, desk.get_id(kind=KIND))).sink
    values = read_values(desk, reader, ways, Sort(there.kind, there.form), there)
    faults = await find_faults(desk.hub, values)
    reached: list[str] = [name for name in REACHING if name in values]

    def decide(before: Sink | None) -> SinkProposal:
        # Only a new one is not there before.
        sink = cast("Sink", before)
        patch, errors = to_patch(desk.hub, Asked(ways, sink.kind, sink.form, values, sink, faults))
        return SinkProposal(patch, reader.with_errors(errors))

    def render(sink: Sink) -> Answer:
        return desk.go("sinks", sink.id)

    trial = to_trial(reached) if reached else None
    command = desk.command(version=reader.version())
    write = core.update_sink(desk.hub, command, there.id, decide, render, trial=trial)
    return await attempt(write, partial(_edit, desk))


def read_values(desk: Desk, reader: Reader, ways: Ways, sort: Sort, before: Sink | None) -> dict[str, Any]:  # Any: JSON
    """What was filled in, by the members of a request for a sink; of one that is there only what differs."""
    values: dict[str, Any] = {"form": sort.form} if before is None and sort.form else {}
    if (name := reader.text("name")) is not None or before is not None:
        values["name"] = name or ""
    match sort.kind:
        case "webhook":
            _put_text(values, "url", reader.text("url", _URL), before.url if before is not None else None)
            events = reader.words("events")
            if before is None or events != before.events:
                values["events"] = list(events)
            values["fields"] = list(reader.words("fields"))
            values["config"] = reader.json_object("config")
            _put_text(values, "secret", reader.key("secret", SHORT) if before is None else None)
        case "stripe":
            _put_text(values, "api_key", reader.key("api_key"))
            _put_text(values, "webhook_secret", reader.key("webhook_secret"))
            base, now = reader.text("api_base", _URL), before.config.get("api_base") if before is not None else None
            if base != now:
                values["api_base"] = base
            values["ownership"] = _read_ownership(desk, reader)
        case "account":
            _put_text(values, "url", reader.text("url", _URL), before.url if before is not None else None)
            _put_credentials(values, reader, ways, sort)
            values["fields"] = list(reader.words("fields"))
            values["ownership"] = _read_ownership(desk, reader)
            values["creates"] = reader.flag("creates")
            values["defaults"] = reader.json_object("defaults")
    return values


def _put_text(values: dict[str, Any], name: str, text: str | None, now: str | None = None) -> None:  # Any: JSON
    """Note a text that was filled in and differs; what is left empty is not asked for."""
    if text is not None and text != now:
        values[name] = text


def _put_credentials(values: dict[str, Any], reader: Reader, ways: Ways, sort: Sort) -> None:  # Any: JSON
    names = ways.remotes[sort.form].credential_names
    found = {name: text for name in names if (text := reader.key(f"{_CREDENTIALS}{name}")) is not None}
    if found:
        values["credentials"] = found


def _read_ownership(desk: Desk, reader: Reader) -> dict[str, str]:
    names = [name for name in desk.form if name.startswith(_OWNERSHIP) and desk.form[name]]
    return {name.removeprefix(_OWNERSHIP): reader.text(name) or "" for name in names}


async def _render(desk: Desk, ways: Ways, sort: Sort, sink: Sink | None, refusal: Refusal) -> Answer:
    is_sent = refusal.keeps_form
    config = sink.config if sink is not None else {}
    chosen = {name: desk.values(name) if is_sent else list(getattr(sink, name, ())) for name in ("events", "fields")}
    remote, form = ways.remotes.get(sort.form), ways.forms.get(sort.form)
    owners = STRIPE_OWNERS if sort.kind == "stripe" else ACCOUNT_OWNERS
    known = tuple(f"/{field}" for field in remote.fields) if remote is not None and sort.kind == "account" else _PLACES
    return desk.render(
        "sink_form.html",
        refusal.status,
        sort=sort,
        titles=_to_titles(desk),
        sink=sink,
        refusal=refusal,
        errors=refusal.errors,
        values=desk.form if is_sent else _to_values(sink),
        is_creating=desk.form.get("creates") if is_sent else config.get("creates"),
        chosen=chosen,
        events=form.events if form is not None and sort.kind == "webhook" else (),
        places=tuple(dict.fromkeys((*known, *chosen["fields"]))),
        credentials=remote.credential_names if remote is not None and sort.kind == "account" else (),
        owned=STRIPE_FIELDS if sort.kind == "stripe" else remote.fields if remote is not None else (),
        owners=[("", "as usual"), *((owner, owner) for owner in owners)],
        action=desk.url("sinks", sink.id, "edit") if sink is not None else desk.url("sinks", "new"),
        back=desk.url("sinks", sink.id) if sink is not None else desk.url("sinks"),
    )


def _to_values(sink: Sink | None) -> dict[str, str]:
    """What the form shows of a sink that is there; of secrets nothing."""
    if sink is None:
        return {}
    config = sink.config
    values = {"name": sink.name, "url": sink.url, "api_base": str(config.get("api_base") or "")}
    values |= {f"{_OWNERSHIP}{name}": str(owner) for name, owner in config.get("ownership", {}).items()}
    written = config if sink.kind == "webhook" else config.get("defaults")
    values["config" if sink.kind == "webhook" else "defaults"] = _to_json(written)
    return values


def _to_json(value: object) -> str:
    return msgspec.json.format(msgspec.json.encode(value), indent=2).decode() if value else ""


SCREENS: Final[dict[str, dict[str, Screen]]] = {
    f"{SINKS}/new": {
        "GET": signed_in(show_new, permission=ADMINISTER),
        "POST": signed_in(create, permission=ADMINISTER),
    },
    f"{SINKS}/{{id}}/edit": {
        "GET": signed_in(show_edit, permission=ADMINISTER),
        "POST": signed_in(update, permission=ADMINISTER),
    },
}
