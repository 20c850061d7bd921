"""One kind of catalogue entry as a resource: what it looks like, what may be sent of it, and the five handlers."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from types import NoneType
from typing import TypeVar, get_args
from uuid import UUID

import msgspec
from msgspec import Struct
from pydantic import TypeAdapter
from typing_extensions import get_type_hints

from customerhub.core import catalogue as core
from customerhub.core.catalogue import EntryProposal, EntryValues, values_of
from customerhub.core.lists import get_catalogue
from customerhub.dialects.augno.answers import Shown, respond
from customerhub.dialects.augno.ids import NOBODY, from_path
from customerhub.dialects.augno.include import Includes, read_includes
from customerhub.dialects.augno.paging import QueryReader, holds, read_page, to_scope, to_window_page
from customerhub.dialects.augno.read import Body, Draft, check, is_shown, read_body, without_nulls
from customerhub.model.answer import Answer
from customerhub.model.catalogue import Catalogue, CatalogueEntry, Details, Kind
from customerhub.model.error import NotFound
from customerhub.model.page import window
from customerhub.web.operation import Call

SomeDetails = TypeVar("SomeDetails", bound=Struct)
Judge = Callable[[CatalogueEntry], bool]


class Model(Struct, frozen=True):
    """A wire model: its checks, the members it has, those that need not be there, and those that may be null."""

    adapter: TypeAdapter[object]
    known: frozenset[str]
    optional: frozenset[str]
    nullable: frozenset[str]


def to_model(model: type) -> Model:
    """The model of a TypedDict."""
    hints = get_type_hints(model)
    optional: frozenset[str] = model.__optional_keys__  # type: ignore[attr-defined] # every TypedDict has them
    nullable = frozenset(name for name, hint in hints.items() if NoneType in get_args(hint))
    return Model(TypeAdapter(model), frozenset(hints), optional, nullable)


class Reading(Struct, frozen=True):
    """A body on its way to being an entry: `sent` are the members with nothing wrong, `before` the entry there is."""

    draft: Draft
    shown: Shown
    sent: Body
    before: CatalogueEntry | None
    catalogue: Catalogue
    call: Call

    def old(self, otherwise: SomeDetails) -> SomeDetails:
        """The details as they are, those of an entry to be made being `otherwise`."""
        details = self.before.details if self.before is not None else None
        return details if isinstance(details, type(otherwise)) else otherwise

    def changed(self, old: SomeDetails, fields: Mapping[str, str]) -> SomeDetails:
        """The details with what was sent; `fields` are their own by the names of the request."""
        values = {field: self.sent[name] for name, field in fields.items() if name in self.sent}
        return msgspec.structs.replace(old, **values)

    def is_shown(self, name: str) -> bool:
        """Whether a member is sent exactly as the entry has it now."""
        return is_shown(self.draft.value, (name,), self.shown)


def read(call: Call, model: Model, catalogue: Catalogue, shown: Shown | None) -> Draft:
    """The body after its checks; of a record to be made (`shown` None) a null where nothing need be says nothing.

    In a change null is refused where it may not stand, unless the team has such nulls ignored.
    """
    raw = read_body(call)
    if shown is None:
        raw = without_nulls(raw, model.optional)
    elif catalogue.settings.null_members == "ignore":
        raw = without_nulls(raw, model.known - model.nullable)
    draft = check(model.adapter, raw, shown)
    draft.note_unknown(model.known, catalogue.settings)
    return draft


def to_sent(draft: Draft) -> Body:
    """The members with which nothing is wrong so far."""
    wrong = {error.path[0] for error in draft.errors if error.path}
    return {name: value for name, value in draft.value.items() if name not in wrong}


def _keep_all(_: QueryReader) -> Judge:
    return lambda _: True


def _hold_all(_: Call, __: Catalogue) -> Judge:
    return lambda _: True


@dataclass(frozen=True, kw_only=True)
class Family:
    """A kind of catalogue entry on its own paths, `path` and `path/{id}`.

    `body`, `edit`, `answer` and `query` are types; `edit` has what may change. `show` is the whole entry, `to_sent`
    what there is of it under the names of requests. `to_details` makes the details of a body and refuses what is wrong
    with it. `texts` are searched by `q`. `keep` reads the filters of the list. `inside` says which entries the path is
    about, and raises NotFound where what it names before them is not there. `keeps_in_use` entries cannot be deleted
    while something refers to them. `unique` is what must be so among them, as requests call it.
    """

    kind: Kind
    prefix: str
    noun: str
    plural: str
    path: str
    body: type
    edit: type
    answer: object
    query: object
    show: Callable[[CatalogueEntry, Catalogue, Includes], Shown]
    to_sent: Callable[[CatalogueEntry], Shown]
    to_details: Callable[[Reading], Details]
    texts: Callable[[CatalogueEntry], Iterable[str | None]]
    includes: tuple[str, ...] = ()
    include_query: object = None
    keep: Callable[[QueryReader], Judge] = _keep_all
    inside: Callable[[Call, Catalogue], Judge] = _hold_all
    keeps_in_use: bool = False
    unique: str = "name"
    notes: Mapping[str, str] = field(default_factory=dict)
    examples: Mapping[str, Mapping[str, object]] = field(default_factory=dict)

    @property
    def tag(self) -> str:
        """What its routes stand under in the document."""
        return self.plural.capitalize()

    @property
    def resource(self) -> str:
        """What permissions call it."""
        return self.plural.replace(" ", "_")

    @property
    def has_parent(self) -> bool:
        """Whether its path names something before it."""
        return self.inside is not _hold_all

    @cached_property
    def new(self) -> Model:
        """The model of a body that makes an entry."""
        return to_model(self.body)

    @cached_property
    def change(self) -> Model:
        """The model of a body that changes one."""
        return to_model(self.edit)

    async def list_page(self, call: Call) -> Answer:
        """`GET path`: 200 with a page, the newest first."""
        includes = read_includes(call.query, self.includes)
        reader = QueryReader(call.query)
        scope = to_scope(call, self.plural)
        asked = read_page(reader, scope)
        is_kept = self.keep(reader)
        reader.check()
        catalogue = await get_catalogue(call.hub, call.caller)
        is_inside = self.inside(call, catalogue)
        chosen = (
            entry
            for entry in catalogue.entries(self.kind)
            if is_inside(entry) and is_kept(entry) and holds(asked.text, *self.texts(entry))
        )
        page = window(chosen, asked.position, asked.limit)
        rows = [self.show(entry, catalogue, includes) for entry in page.items]
        return respond(call, 200, to_window_page(scope, rows, page.before, page.after))

    async def get(self, call: Call) -> Answer:
        """`GET path/{id}`: 200."""
        includes = read_includes(call.query, self.includes)
        catalogue = await get_catalogue(call.hub, call.caller)
        is_inside = self.inside(call, catalogue)
        entry = catalogue.find_live(self.kind, self._id(call))
        if entry is None or not is_inside(entry):
            raise NotFound(self.kind, call.path["id"])
        return respond(call, 200, self.show(entry, catalogue, includes), entry.version)

    async def create(self, call: Call) -> Answer:
        """`POST path`: 201."""
        includes = read_includes(call.query, self.includes)
        seen = Catalogue(0)

        def decide(catalogue: Catalogue) -> EntryProposal:
            nonlocal seen
            seen = catalogue
            self.inside(call, catalogue)
            return self._propose(call, self.new, catalogue, None)

        def render(entry: CatalogueEntry) -> Answer:
            return respond(call, 201, self.show(entry, seen, includes), entry.version)

        return await core.create_entry(call.hub, call.command, self.kind, decide, render)

    async def update(self, call: Call) -> Answer:
        """`PATCH path/{id}`: 200, whether anything changed or not."""
        includes = read_includes(call.query, self.includes)
        seen = Catalogue(0)

        def decide(entry: CatalogueEntry, catalogue: Catalogue) -> EntryProposal:
            nonlocal seen
            seen = catalogue
            if not self.inside(call, catalogue)(entry):
                raise NotFound(self.kind, call.path["id"])
            return self._propose(call, self.change, catalogue, entry)

        def render(entry: CatalogueEntry) -> Answer:
            return respond(call, 200, self.show(entry, seen, includes), entry.version)

        return await core.update_entry(call.hub, call.command, self.kind, self._id(call), decide, render)

    async def delete(self, call: Call) -> Answer:
        """`DELETE path/{id}`: 200 with an empty object; twice is 404."""

        def render(_: CatalogueEntry) -> Answer:
            return respond(call, 200, {})

        entry_id = self._id(call)
        if self.has_parent:
            # What an entry stands in never changes, so this is as true a moment later.
            catalogue = await get_catalogue(call.hub, call.caller)
            entry = catalogue.find_live(self.kind, entry_id)
            if entry is not None and not self.inside(call, catalogue)(entry):
                entry_id = NOBODY
        return await core.delete_entry(
            call.hub, call.command, self.kind, entry_id, render, keeps_in_use=self.keeps_in_use
        )

    def _id(self, call: Call) -> UUID:
        return from_path(call.path["id"], self.prefix)

    def _propose(self, call: Call, model: Model, catalogue: Catalogue, before: CatalogueEntry | None) -> EntryProposal:
        shown = self.to_sent(before) if before is not None else None
        draft = read(call, model, catalogue, shown)
        reading = Reading(draft, shown or {}, to_sent(draft), before, catalogue, call)
        details = self.to_details(reading)
        call.command.ignored[:] = draft.ignored
        old = values_of(before) if before is not None else EntryValues("")
        texts = {name: reading.sent[name] for name in ("name", "description") if name in reading.sent}
        values = msgspec.structs.replace(old, **texts, details=details)
        return EntryProposal(values, draft.found(), {"name": self.unique})
