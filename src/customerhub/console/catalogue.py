"""What customers refer to: terms, carriers, price lists and groups; adding one, renaming it, setting it aside."""

from collections.abc import Mapping
from functools import partial
from typing import Final, get_args
from uuid import UUID

import msgspec

from customerhub.console.desk import Desk, signed_in
from customerhub.console.paging import to_position, to_token
from customerhub.console.reader import NOTHING, SHORT, Reader, Refusal, attempt
from customerhub.console.settings import SETTINGS
from customerhub.core import catalogue as core
from customerhub.core.catalogue import EntryProposal, EntryValues
from customerhub.core.sessions import ADMINISTER
from customerhub.model.answer import Answer
from customerhub.model.catalogue import (
    AccountGroupDetails,
    CarrierDetails,
    Catalogue,
    CatalogueEntry,
    Details,
    Kind,
    NoDetails,
    PriceListDetails,
    ServiceLevelDetails,
    ShippingTermDetails,
)
from customerhub.model.customer import Status, name_key
from customerhub.model.error import NotFound
from customerhub.model.page import window
from customerhub.web.screens import Screen

CATALOGUE: Final = f"{SETTINGS}/catalogue"
KINDS: Final[Mapping[Kind, str]] = {
    "payment_term": "Payment terms",
    "shipping_term": "Shipping terms",
    "carrier": "Carriers",
    "service_level": "Service levels",
    "price_list": "Price lists",
    "account_group": "Groups",
}
"""The kinds that people keep here, and what they call them."""
_PER_PAGE: Final = 100
_STATUSES: Final[tuple[Status, ...]] = ("active", "inactive")
_FREIGHTS: Final = get_args(ShippingTermDetails.__annotations__["type"])
_GROUPS: Final = get_args(AccountGroupDetails.__annotations__["type"])
_LONGEST_NOTE: Final = 2000
_CURRENCY_LETTERS: Final = 3


def _get_kind(desk: Desk) -> Kind:
    found = next((kind for kind in KINDS if kind == desk.parameter("kind")), None)
    if found is None:
        raise NotFound("kind", desk.parameter("kind"))
    return found


async def show(desk: Desk) -> Answer:
    """`GET /console/{team}/settings/catalogue`: on to the first kind."""
    return desk.go("settings", "catalogue", next(iter(KINDS)))


async def list_page(desk: Desk) -> Answer:
    """`GET …/catalogue/{kind}?q=&after=`: the entries of a kind, the newest first, and the form of one more."""
    return await _list(desk, NOTHING)


async def _list(desk: Desk, refusal: Refusal) -> Answer:
    kind, query = _get_kind(desk), desk.visit.query
    text = query.get("q", "").strip()
    chosen = (entry for entry in desk.catalogue.entries(kind) if name_key(text) in name_key(entry.name))
    scope = f"{kind} {desk.team}"
    position = to_position(scope, query.get("after"))
    found = window(chosen, position, _PER_PAGE)
    after = to_token(scope, found.after)
    return desk.render(
        "catalogue.html",
        refusal.status,
        kind=kind,
        kinds=KINDS,
        rows=[(entry, _tell(desk.catalogue, entry)) for entry in found.items],
        q=text,
        values=desk.form,
        refusal=refusal,
        errors=refusal.errors,
        older=desk.url("settings", "catalogue", kind, q=text or None, after=after) if after else None,
        is_first=position is None,
        **_to_choices(desk.catalogue),
    )


def _to_choices(catalogue: Catalogue) -> dict[str, object]:
    carriers = [(str(entry.id), entry.name) for entry in catalogue.entries("carrier") if entry.status == "active"]
    return {
        "carriers": [("", "choose one"), *sorted(carriers, key=lambda pair: name_key(pair[1]))],
        "freights": [(word, word.replace("_", " ")) for word in _FREIGHTS],
        "groups": [(word, word.replace("_", " ")) for word in _GROUPS],
    }


def _tell(catalogue: Catalogue, entry: CatalogueEntry) -> str:
    """What an entry says beside its name, in a few words."""
    match entry.details:
        case ShippingTermDetails(type=word) | AccountGroupDetails(type=word):
            return word.replace("_", " ")
        case CarrierDetails(code=code):
            return code or ""
        case ServiceLevelDetails(carrier=carrier, token=token):
            return f"{catalogue.name_of('carrier', carrier)}, {token}"
        case PriceListDetails(currency=currency, is_default=is_default):
            return f"{currency}, of new customers" if is_default else currency
    return ""


async def create(desk: Desk) -> Answer:
    """`POST …/catalogue/{kind}`: one more."""
    kind, reader = _get_kind(desk), Reader(desk)
    values = _read(reader, EntryValues("", details=_read_details(reader, kind)))

    def render(entry: CatalogueEntry) -> Answer:
        del entry
        return desk.go("settings", "catalogue", kind)

    write = core.create_entry(desk.hub, desk.command(), kind, lambda _: EntryProposal(values, reader.found()), render)
    return await attempt(write, partial(_list, desk))


def _read(reader: Reader, before: EntryValues) -> EntryValues:
    return msgspec.structs.replace(
        before,
        name=reader.text("name", required=True) or "",
        reference_id=reader.text("reference_id"),
        description=reader.text("description", _LONGEST_NOTE),
    )


def _read_details(reader: Reader, kind: Kind) -> Details:
    """What a new entry of a kind says beside its name."""
    match kind:
        case "shipping_term":
            return ShippingTermDetails(type=reader.choice("type", _FREIGHTS, _FREIGHTS[-1]))
        case "carrier":
            return CarrierDetails(code=reader.text("code"))
        case "service_level":
            token = reader.text("token", SHORT, required=True) or ""
            carrier = reader.id("carrier")
            if carrier is None:
                reader.refuse("carrier", "is required", "required")
            return ServiceLevelDetails(carrier or UUID(int=0), token)
        case "price_list":
            currency = (reader.text("currency", SHORT) or "USD").upper()
            if len(currency) != _CURRENCY_LETTERS or not (currency.isascii() and currency.isalpha()):
                reader.refuse("currency", "must be three letters, such as USD", "currency")
            return PriceListDetails(currency=currency)
        case "account_group":
            return AccountGroupDetails(type=reader.choice("type", _GROUPS, _GROUPS[0]))
    return NoDetails()


async def show_entry(desk: Desk) -> Answer:
    """`GET …/catalogue/{kind}/{id}`: one entry."""
    return await _show_entry(desk, NOTHING)


async def _show_entry(desk: Desk, refusal: Refusal) -> Answer:
    kind = _get_kind(desk)
    entry, catalogue = await core.get_entry(desk.hub, desk.caller, kind, desk.get_id(kind=kind))
    stored = {name: getattr(entry, name) for name in ("name", "reference_id", "description", "status")}
    return desk.render(
        "catalogue_entry.html",
        refusal.status,
        kind=kind,
        title=KINDS[kind],
        entry=entry,
        told=_tell(catalogue, entry),
        values=desk.form if refusal.keeps_form else stored,
        refusal=refusal,
        errors=refusal.errors,
    )


async def update(desk: Desk) -> Answer:
    """`POST …/catalogue/{kind}/{id}`: its name and the like, and whether it can be chosen."""
    kind, reader = _get_kind(desk), Reader(desk)

    def decide(before: CatalogueEntry, catalogue: Catalogue) -> EntryProposal:
        del catalogue
        values = _read(reader, core.values_of(before))
        status = reader.choice("status", _STATUSES, "active")
        return EntryProposal(msgspec.structs.replace(values, status=status), reader.found())

    def render(entry: CatalogueEntry) -> Answer:
        return desk.go("settings", "catalogue", kind, q=entry.name)

    command, entry_id = desk.command(version=reader.version()), desk.get_id(kind=kind)
    write = core.update_entry(desk.hub, command, kind, entry_id, decide, render)
    return await attempt(write, partial(_show_entry, desk))


SCREENS: Final[dict[str, dict[str, Screen]]] = {
    CATALOGUE: {"GET": signed_in(show, permission=ADMINISTER)},
    f"{CATALOGUE}/{{kind}}": {
        "GET": signed_in(list_page, permission=ADMINISTER),
        "POST": signed_in(create, permission=ADMINISTER),
    },
    f"{CATALOGUE}/{{kind}}/{{id}}": {
        "GET": signed_in(show_entry, permission=ADMINISTER),
        "POST": signed_in(update, permission=ADMINISTER),
    },
}
