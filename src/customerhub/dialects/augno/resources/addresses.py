"""`/v1/sales/addresses`: addresses by themselves, whether a customer has them or not yet."""

from typing_extensions import TypedDict

from customerhub.core import addresses as core
from customerhub.core.addresses import AddressProposal, OwnedAddress
from customerhub.dialects.augno.answers import Shown, respond
from customerhub.dialects.augno.convert import to_address_patch
from customerhub.dialects.augno.ids import ADDRESS, from_path
from customerhub.dialects.augno.include import read_includes
from customerhub.dialects.augno.models import Nothing, Page
from customerhub.dialects.augno.paging import ListQuery, QueryReader, read_page, to_scope, to_window_page
from customerhub.dialects.augno.parts import to_address, to_geolocation
from customerhub.dialects.augno.resources.family import Model, read, to_model, to_sent
from customerhub.dialects.augno.resources.models import PlacedAddress
from customerhub.dialects.augno.resources.rows import PARTIAL
from customerhub.dialects.augno.wire import CONFIG, AddressBody, Country, Email, Name, Phone, Text
from customerhub.model.answer import Answer
from customerhub.model.catalogue import Catalogue
from customerhub.model.customer import Address
from customerhub.model.patch import AddressPatch
from customerhub.web.operation import Call, Operation

_PATH = "/v1/sales/addresses"
_TAG = "Addresses"


class AddressEdit(TypedDict, total=False):
    """What to change in an address."""

    __pydantic_config__ = CONFIG  # type: ignore[misc]
    name: Name
    phone: Phone | None
    email: Email | None
    is_drop_ship: bool
    street_line_1: Text
    street_line_2: Text | None
    locality: Text
    state: Text
    postal_code: Text
    country: Country


_NEW, _CHANGE = to_model(AddressBody), to_model(AddressEdit)


def to_placed_address(address: Address) -> Shown:
    """An address with where it is."""
    return {**to_address(address), "geolocation": to_geolocation(address)}


def _to_request(address: Address) -> Shown:
    """An address by the names of requests."""
    return {**to_address(address), **to_geolocation(address)}


async def list_page(call: Call) -> Answer:
    """`GET /v1/sales/addresses`: 200."""
    read_includes(call.query, ())
    reader, scope = QueryReader(call.query), to_scope(call, "addresses")
    asked = read_page(reader, scope)
    reader.check()
    page = await core.walk_addresses(call.hub, call.caller, asked.position, asked.limit, asked.text)
    rows = [to_placed_address(owned.address) for owned in page.items]
    return respond(call, 200, to_window_page(scope, rows, page.before, page.after))


async def get(call: Call) -> Answer:
    """`GET /v1/sales/addresses/{id}`: 200."""
    read_includes(call.query, ())
    owned = await core.get_address(call.hub, call.caller, from_path(call.path["id"], ADDRESS))
    return _respond(call, 200, owned)


async def create(call: Call) -> Answer:
    """`POST /v1/sales/addresses`: 201 with an address that no customer has yet."""
    read_includes(call.query, ())

    def decide(catalogue: Catalogue) -> AddressProposal:
        return _propose(call, _NEW, catalogue, None)

    return await core.create_address(call.hub, call.command, decide, lambda owned: _respond(call, 201, owned))


async def update(call: Call) -> Answer:
    """`PATCH /v1/sales/addresses/{id}`: 200, whether anything changed or not."""
    read_includes(call.query, ())

    def decide(owned: OwnedAddress, catalogue: Catalogue) -> AddressProposal:
        return _propose(call, _CHANGE, catalogue, owned.address)

    address_id = from_path(call.path["id"], ADDRESS)
    return await core.update_address(
        call.hub, call.command, address_id, decide, lambda owned: _respond(call, 200, owned)
    )


async def delete(call: Call) -> Answer:
    """`DELETE /v1/sales/addresses/{id}`: 200 with an empty object; twice is 404."""
    address_id = from_path(call.path["id"], ADDRESS)
    return await core.delete_address(call.hub, call.command, address_id, lambda _: respond(call, 200, {}))


def _respond(call: Call, status: int, owned: OwnedAddress) -> Answer:
    """The address with its tag, which is its customer's where it has one."""
    return respond(call, status, to_placed_address(owned.address), owned.version)


def _propose(call: Call, model: Model, catalogue: Catalogue, before: Address | None) -> AddressProposal:
    shown = _to_request(before) if before is not None else None
    draft = read(call, model, catalogue, shown)
    call.command.ignored[:] = draft.ignored
    if draft.errors:
        return AddressProposal(AddressPatch(), draft.found())
    sent = to_sent(draft)
    if shown is not None:
        # What is shown may be made of other members than it is kept in (a name of two, a country of none).
        sent = {name: value for name, value in sent.items() if value != shown.get(name, ...)}
    return AddressProposal(to_address_patch(sent))


OPERATIONS: tuple[Operation, ...] = (
    Operation(
        method="GET",
        path=_PATH,
        name="listAddresses",
        summary="List addresses",
        description=(
            "The newest first: those of customers and those that no customer has yet. `q` looks into name, street, "
            "city, state, postal code and country."
        ),
        handler=list_page,
        query=ListQuery,
        answer=Page[PlacedAddress],
        tags=(_TAG,),
        permissions=("addresses:read",),
    ),
    Operation(
        method="POST",
        path=_PATH,
        name="createAddress",
        summary="Create an address",
        description="No customer has it yet; the first that is billed or shipped to it takes it, with its id.",
        handler=create,
        status=201,
        body=AddressBody,
        answer=PlacedAddress,
        tags=(_TAG,),
        writes=True,
        creates=True,
        permissions=("addresses:create",),
        examples={
            "body": {
                "name": "Harbour warehouse",
                "is_drop_ship": False,
                "street_line_1": "14 Quay Lane",
                "locality": "Astoria",
                "state": "OR",
                "postal_code": "97103",
                "country": "US",
            }
        },
    ),
    Operation(
        method="GET",
        path=f"{_PATH}/{{id}}",
        name="getAddress",
        summary="Get an address",
        handler=get,
        answer=PlacedAddress,
        errors=(404,),
        tags=(_TAG,),
        permissions=("addresses:read",),
    ),
    Operation(
        method="PATCH",
        path=f"{_PATH}/{{id}}",
        name="updateAddress",
        summary="Update an address",
        description=f"{PARTIAL} What a customer has is changed there, by a version of that customer.",
        handler=update,
        body=AddressEdit,
        body_required=False,
        answer=PlacedAddress,
        errors=(404,),
        tags=(_TAG,),
        writes=True,
        permissions=("addresses:update",),
        examples={"body": {"phone": None, "locality": "Warrenton"}},
    ),
    Operation(
        method="DELETE",
        path=f"{_PATH}/{{id}}",
        name="deleteAddress",
        summary="Delete an address",
        description="One that a customer is billed or shipped to cannot be deleted.",
        handler=delete,
        answer=Nothing,
        errors=(404, 409),
        tags=(_TAG,),
        writes=True,
        takes_key=False,
        permissions=("addresses:delete",),
    ),
)
