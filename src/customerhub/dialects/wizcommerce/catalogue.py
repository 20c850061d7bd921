"""Sales reps, price lists and custom field definitions: what WizCommerce customers refer to."""

from collections.abc import Callable, Iterable
from typing import cast

import msgspec
from msgspec import Struct
from pydantic import TypeAdapter

from customerhub.core import catalogue as core
from customerhub.core.catalogue import EntryProposal, EntryValues, values_of
from customerhub.core.lists import get_catalogue, page_of
from customerhub.dialects.wizcommerce import answers, wire
from customerhub.dialects.wizcommerce.attributes import to_text
from customerhub.dialects.wizcommerce.customers import get_id, respond
from customerhub.dialects.wizcommerce.paging import QueryReader, to_pagination
from customerhub.dialects.wizcommerce.read import Body, Draft, Members, check, members_of, note_ignored
from customerhub.dialects.wizcommerce.show import Shown, to_definition, to_price_list, to_sales_rep
from customerhub.model.answer import Answer
from customerhub.model.attributes import find_misfit
from customerhub.model.catalogue import (
    AttributeDetails,
    AttributeOption,
    Catalogue,
    CatalogueEntry,
    DataType,
    Entity,
    PriceListDetails,
    User,
)
from customerhub.model.customer import Status, email_key
from customerhub.model.error import NotFound
from customerhub.web.operation import Call


class Model(Struct, frozen=True):
    """A request body's checks and the members it knows."""

    adapter: TypeAdapter[object]
    members: Members


def _model(body: type, answer: type) -> Model:
    return Model(TypeAdapter(body), members_of(body, answer))


_PRICE_LIST = _model(wire.PriceListBody, answers.PriceList)
_PRICE_LIST_EDIT = _model(wire.PriceListEdit, answers.PriceList)
_DEFINITION = _model(wire.AttributeDefinitionBody, answers.AttributeDefinition)


async def list_sales_reps(call: Call) -> Answer:
    """`GET /v1/sales-reps`: members of the team; `email` matches whole, ignoring case."""
    reader = QueryReader(call.query)
    page, page_size = reader.page()
    status, is_descending = reader.status(), reader.is_descending()
    order = reader.choice("sort_by", ("created_at", "updated_at", "first_name", "last_name"), "updated_at")
    reader.check()
    email = email_key(call.query.get("email"))
    catalogue = await get_catalogue(call.hub, call.caller)
    chosen = [
        user
        for user in catalogue.users()
        if user.status == status and (email is None or email_key(user.email) == email)
    ]

    def key(user: User) -> object:
        value = getattr(user, order)
        return (value.casefold() if isinstance(value, str) else value, user.id)

    rows, total = page_of(chosen, order=key, is_descending=is_descending, page=page, page_size=page_size)
    return _page(call, map(to_sales_rep, rows), page, page_size, total)


async def list_price_lists(call: Call) -> Answer:
    """`GET /v1/price-lists`."""
    reader = QueryReader(call.query)
    page, page_size = reader.page()
    status, is_descending = reader.status(), reader.is_descending()
    order = reader.choice("sort_by", ("created_at", "updated_at", "name"), "updated_at")
    reader.check()
    catalogue = await get_catalogue(call.hub, call.caller)
    chosen = [entry for entry in catalogue.entries("price_list") if entry.status == status]

    def key(entry: CatalogueEntry) -> object:
        return (entry.name.casefold() if order == "name" else getattr(entry, order), entry.id)

    rows, total = page_of(chosen, order=key, is_descending=is_descending, page=page, page_size=page_size)
    return _page(call, map(to_price_list, rows), page, page_size, total)


async def get_price_list(call: Call) -> Answer:
    """`GET /v1/price-lists/{id}`."""
    catalogue = await get_catalogue(call.hub, call.caller)
    entry = catalogue.find_live("price_list", get_id(call, "id"))
    if entry is None:
        raise NotFound("price list", call.path["id"])
    return _respond_price_list(call, 200)(entry)


async def create_price_list(call: Call) -> Answer:
    """`POST /v1/price-lists`: 201; a default takes the mark from the one that had it."""

    def decide(catalogue: Catalogue) -> EntryProposal:
        draft = _read(call, _PRICE_LIST, catalogue)
        body = draft.value
        values = EntryValues(
            name=str(body.get("name")),
            reference_id=str(body.get("reference_id")),
            description=cast("str | None", body.get("description")) or None,
            status=cast("Status", body.get("status", "active")),
            details=_price_list_details(PriceListDetails(), body),
        )
        return EntryProposal(values, draft.found())

    return await core.create_entry(call.hub, call.command, "price_list", decide, _respond_price_list(call, 201))


async def update_price_list(call: Call) -> Answer:
    """`PATCH /v1/price-lists/{id}`: 201 as the customer's; `reference_id` cannot change and is ignored."""

    def decide(entry: CatalogueEntry, catalogue: Catalogue) -> EntryProposal:
        draft = _read(call, _PRICE_LIST_EDIT, catalogue, lambda: to_price_list(entry))
        body = draft.value
        old = entry.details if isinstance(entry.details, PriceListDetails) else PriceListDetails()
        texts = {name: body[name] or None for name in ("name", "description", "status") if name in body}
        values = msgspec.structs.replace(values_of(entry), **texts, details=_price_list_details(old, body))
        return EntryProposal(values, draft.found())

    entry_id = get_id(call, "id")
    return await core.update_entry(
        call.hub, call.command, "price_list", entry_id, decide, _respond_price_list(call, 201)
    )


async def deactivate_price_list(call: Call) -> Answer:
    """`DELETE /v1/price-lists/{id}`: 204; the list turns inactive, customers that have it keep it. Twice is once."""

    def decide(entry: CatalogueEntry, catalogue: Catalogue) -> EntryProposal:
        del catalogue
        return EntryProposal(msgspec.structs.replace(values_of(entry), status="inactive"))

    def render(entry: CatalogueEntry) -> Answer:
        return respond(call, 204, None, entry.version)

    return await core.update_entry(call.hub, call.command, "price_list", get_id(call, "id"), decide, render)


async def list_definitions(call: Call) -> Answer:
    """`GET /v1/attributes`: custom field definitions, of one entity or of all, by priority, then creation."""
    reader = QueryReader(call.query)
    page, page_size = reader.page()
    entities = ("customer", "product", "address", "contact", "order")
    entity = reader.choice("entity", entities, "customer") if "entity" in call.query else None
    reader.check()
    catalogue = await get_catalogue(call.hub, call.caller)
    chosen = [
        entry
        for entry in catalogue.entries("attribute_definition")
        if isinstance(entry.details, AttributeDetails) and entity in (None, entry.details.entity)
    ]

    def key(entry: CatalogueEntry) -> object:
        priority = entry.details.priority if isinstance(entry.details, AttributeDetails) else None
        return (priority is None, priority or 0, entry.created_at, entry.id)

    rows, total = page_of(chosen, order=key, is_descending=False, page=page, page_size=page_size)
    return _page(call, map(to_definition, rows), page, page_size, total)


async def create_definition(call: Call) -> Answer:
    """`POST /v1/attributes`: 201; one definition of a name for each entity."""

    def decide(catalogue: Catalogue) -> EntryProposal:
        draft = _read(call, _DEFINITION, catalogue)
        body = draft.value
        configuration = cast("Body", body.get("configuration") or {})
        details = AttributeDetails(
            entity=cast("Entity", body.get("entity", "customer")),
            data_type=cast("DataType", body.get("data_type", "text")),
            default_value=configuration.get("default_value"),
            options=_options(draft, configuration),
            show_label=bool(configuration.get("show_label", False)),
            priority=cast("int | None", body.get("priority")),
            is_mandatory=bool(body.get("is_mandatory", False)),
        )
        reason = find_misfit(to_text(details.default_value), details) if details.default_value is not None else None
        if reason is not None:
            draft.refuse(("configuration", "default_value"), "wrong_type", reason)
        return EntryProposal(EntryValues(name=str(body.get("name")), details=details), draft.found())

    def render(entry: CatalogueEntry) -> Answer:
        return respond(call, 201, {"data": to_definition(entry)}, entry.version)

    return await core.create_entry(call.hub, call.command, "attribute_definition", decide, render)


def _options(draft: Draft, configuration: Body) -> tuple[AttributeOption, ...]:
    """The choices of a select; one without choices could never be filled in."""
    items = cast("list[Body | None]", configuration.get("options") or [])
    options = tuple(AttributeOption(str(item["label"]), str(item["value"])) for item in items if item is not None)
    if draft.value.get("data_type") in ("select", "multi_select") and not options:
        draft.refuse(("configuration", "options"), "missing", "a select needs at least one option")
    return options


def _price_list_details(old: PriceListDetails, body: Body) -> PriceListDetails:
    sent = {name: body[name] for name in ("is_default", "priority") if name in body}
    return msgspec.structs.replace(old, **sent)


def _read(call: Call, model: Model, catalogue: Catalogue, get_shown: Callable[[], Shown] | None = None) -> Draft:
    settings = catalogue.settings
    draft = check(model.adapter, call.json_object(), get_shown, ignores_null=settings.null_members == "ignore")
    note_ignored(draft, model.members, refuses_unknown=settings.unknown_members == "refuse")
    call.command.ignored[:] = draft.ignored
    return draft


def _respond_price_list(call: Call, status: int) -> Callable[[CatalogueEntry], Answer]:
    def render(entry: CatalogueEntry) -> Answer:
        return respond(call, status, {"data": to_price_list(entry)}, entry.version)

    return render


def _page(call: Call, rows: Iterable[Shown], page: int, page_size: int, total: int) -> Answer:
    return respond(call, 200, {"data": list(rows), "pagination": to_pagination(page, page_size, total)})
