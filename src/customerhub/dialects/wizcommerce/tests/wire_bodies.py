"""Generated request bodies, valid by the README's table of fields, for a given record and catalogue."""

from collections.abc import Callable, Sequence
from typing import Any, get_type_hints
from uuid import UUID

from hypothesis import strategies as st

from customerhub.dialects.wizcommerce import wire
from customerhub.dialects.wizcommerce.show import to_attributes, type_of
from customerhub.dialects.wizcommerce.tests.field_table import Row, read_table
from customerhub.model.catalogue import AttributeDetails, Catalogue, Entity
from customerhub.model.customer import Address, Attribute, Contact, Customer
from tests.support.strategies import CHARACTERS, COUNTRIES, EMAILS, PHONES, some
from tests.support.world import Json

TABLE = read_table()
FITTING: dict[str, st.SearchStrategy[str]] = {
    "text": st.text(CHARACTERS, max_size=8),
    "long_text": st.text(CHARACTERS, max_size=8),
    "file": st.text(CHARACTERS, max_size=8),
    "html": st.text(CHARACTERS, max_size=8),
    "number": st.sampled_from(["12.5", "-3", "0", ""]),
    "percentage": st.sampled_from(["12.5", "100", ""]),
    "date_only": st.sampled_from(["2025-03-04", "2024-02-29", ""]),
    "email": EMAILS,
    "checkbox": st.sampled_from(["true", "false", ""]),
    "phone_e164": PHONES,
    "url": st.sampled_from(["https://nordlys.example/x?y=1", "HTTP://a.b", ""]),
}


def rows_of(body: str) -> dict[str, Row]:
    """The rows of a body's fields, by field."""
    return {row.field: row for row in TABLE if row.body == body and row.is_field}


def texts(low: int, high: int) -> st.SearchStrategy[str]:
    """Text of a length in characters, at times the longest; not blank where it may not be empty."""
    some_text = st.text(CHARACTERS, min_size=low, max_size=min(high, 10)) | st.just("ß" * high)
    return some_text.filter(str.strip) if low else some_text


def fitting(row: Row) -> st.SearchStrategy[Any] | None:
    """Values that a row's checks allow on their own; None where they depend on the record."""
    phrase = row.checks[0]
    if phrase.startswith(("text of 1 to", "name of at most")):
        return texts(1, int(phrase.split()[-1]))
    if phrase.startswith("text of at most"):
        return texts(0, int(phrase.split()[-1]))
    return {
        "E.164": PHONES,
        "email address": EMAILS | EMAILS.map(lambda text: f" {text}\t"),
        "country code": COUNTRIES | COUNTRIES.map(str.lower),
        "`billing` or `shipping`": st.sampled_from(["billing", "shipping"]),
        "`true` or `false`": st.booleans(),
    }.get(phrase)


@st.composite
def members(draw: st.DrawFn, body: str, special: dict[str, st.SearchStrategy[Any]]) -> Json:
    """Some members of a body with values that its table allows; `special` has those that depend on the record."""
    made: Json = {}
    for name, row in rows_of(body).items():
        values = special[name] if name in special else fitting(row)
        if values is None or not draw(st.booleans()):
            continue
        if row.empty in ("cleared", "empty"):
            values = st.just("") | values
        made[name] = draw(values)
    return made


@st.composite
def attribute_bodies(draw: st.DrawFn, entity: Entity, catalogue: Catalogue, current: tuple[Attribute, ...]) -> Any:
    """Custom values that are defined, or that stand there already, or of any name where nothing forbids it."""
    definitions = catalogue.attribute_definitions(entity)
    bodies: dict[str, str] = {}
    for name in draw(some(list(definitions))):
        details = definitions[name].details
        assert isinstance(details, AttributeDetails)
        choices = [option.value for option in details.options]
        values = FITTING.get(details.data_type)
        if details.data_type == "select":
            values = st.sampled_from(choices)
        elif details.data_type == "multi_select":
            values = some(choices).map(",".join)
        assert values is not None
        bodies[name] = draw(values)
    for attribute in draw(some(current)):
        bodies[attribute.name] = attribute.value
    if catalogue.settings.free_attributes or not definitions:
        bodies |= draw(st.dictionaries(st.sampled_from(["Region", "Dock", "a/b~c"]), st.text(CHARACTERS, max_size=5)))
    return [{"name": name, "value": value} for name, value in bodies.items()]


@st.composite
def nested_edits(
    draw: st.DrawFn, body: str, entity: Entity, entries: Sequence[Address | Contact], catalogue: Catalogue
) -> list[Json]:
    """Edits of some addresses or contacts, by id."""
    edits: list[Json] = []
    for found in draw(some(entries)):
        special = {
            "reference_id": st.just(f"R-{found.id}"),
            "attributes": attribute_bodies(entity, catalogue, found.attributes),
        }
        edits.append({**draw(members(body, special)), "id": str(found.id)})
    return edits


def _without_contradiction(edits: list[Json], kind_of: Callable[[Json], object], named: dict[object, str]) -> None:
    """Let one record of a kind claim the mark, the one that an id member names if there is one."""
    claimed: dict[object, str] = dict(named)
    for edit in edits:
        kind = kind_of(edit)
        if "is_default" not in edit:
            continue
        is_chosen = claimed.get(kind) == edit["id"]
        if edit["is_default"] and claimed.setdefault(kind, edit["id"]) != edit["id"]:
            edit["is_default"] = False
        elif not edit["is_default"] and is_chosen and kind in named:
            edit["is_default"] = True


@st.composite
def patches(draw: st.DrawFn, customer: Customer, catalogue: Catalogue) -> Json:
    """A body of `PATCH /v1/customers/{id}` that must be accepted."""
    reps = [user.id for user in catalogue.users() if user.status == "active" or user.id in customer.sales_reps]
    lists = [
        found.id
        for found in catalogue.entries("price_list")
        if found.status == "active" or found.id == customer.price_list
    ]
    special: dict[str, st.SearchStrategy[Any]] = {
        "attributes": attribute_bodies("customer", catalogue, customer.attributes),
        "addresses": nested_edits("PATCH customer: addresses[]", "address", customer.addresses, catalogue),
        "contacts": nested_edits("PATCH customer: contacts[]", "contact", customer.contacts, catalogue),
    }
    if reps:
        special["assigned_sales_rep_ids"] = st.lists(st.sampled_from(sorted(map(str, reps))), min_size=1, max_size=4)
    if lists:
        special["assigned_price_list_id"] = st.sampled_from(sorted(map(str, lists)))
    body = draw(members("PATCH customer", special))
    edits = {edit["id"]: edit for edit in body.get("addresses", [])}

    def kind_of(address_id: str) -> object:
        address = customer.find_address(UUID(address_id))
        assert address is not None
        return edits.get(address_id, {}).get("type", type_of(customer, address))

    named: dict[object, str] = {}
    for kind in ("billing", "shipping"):
        candidates = [str(address.id) for address in customer.addresses if kind_of(str(address.id)) == kind]
        for chosen in draw(some(candidates, most=1)):
            named[kind] = body[f"default_{kind}_address_id"] = chosen
    _without_contradiction(body.get("addresses", []), lambda edit: kind_of(edit["id"]), named)
    primary: dict[object, str] = {}
    for contact in draw(some(customer.contacts, most=1)):
        primary[None] = body["primary_contact_id"] = str(contact.id)
    _without_contradiction(body.get("contacts", []), lambda _: None, primary)
    return body


@st.composite
def wholes(draw: st.DrawFn, entity: Entity, catalogue: Catalogue, current: Address | Contact) -> Json:
    """A body of PUT for one address or contact that must be accepted."""
    mandatory = [
        {"name": name, "value": ""}
        for name, found in catalogue.attribute_definitions(entity).items()
        if isinstance(found.details, AttributeDetails) and found.details.is_mandatory
    ]
    values = draw(attribute_bodies(entity, catalogue, current.attributes))
    values += [one for one in mandatory if one["name"] not in {value["name"] for value in values}]
    body = f"PUT {entity}"
    made = draw(members(body, {"reference_id": st.just("R-new"), "attributes": st.just(values)}))
    for name, row in rows_of(body).items():
        if row.absent == "required" and name not in made:
            values_of = fitting(row)
            assert values_of is not None
            made[name] = "R-new" if name == "reference_id" else draw(values_of)
    return made | {"attributes": values}


def to_request(shown: Json, model: type) -> Json:
    """What was read, as far as a request can carry it."""
    known = get_type_hints(model)
    request = {name: value for name, value in shown.items() if name in known}
    if "attributes" in request:
        request["attributes"] = [{"name": item["name"], "value": item["value"]} for item in shown["attributes"]]
    return request


def to_patch_request(shown: Json) -> Json:
    """A whole customer as read, as a body of PATCH; an empty list of reps has no request that says it."""
    request = to_request(shown, wire.CustomerEdit) | {"company_name": shown["name"]}
    request["addresses"] = [to_request(item, wire.AddressEdit) for item in shown["addresses"]]
    request["contacts"] = [to_request(item, wire.ContactEdit) for item in shown["contacts"]]
    if shown["assigned_sales_reps"]:
        request["assigned_sales_rep_ids"] = [rep["id"] for rep in shown["assigned_sales_reps"]]
    if "assigned_price_list" in shown:
        request["assigned_price_list_id"] = shown["assigned_price_list"]["id"]
    for item in shown["addresses"]:
        if item["is_default"]:
            request[f"default_{item['type']}_address_id"] = item["id"]
    for item in shown["contacts"]:
        if item["is_default"]:
            request["primary_contact_id"] = item["id"]
    return request


def to_values(attributes: tuple[Attribute, ...]) -> dict[object, object]:
    """Custom values as shown, by name."""
    return {item["name"]: item["value"] for item in to_attributes(attributes)}
