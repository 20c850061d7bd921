"""`/v1/identity/roles`: what keys and members may do; to be read, since a new key is given one by its id."""

from customerhub.core.catalogue import get_entry
from customerhub.core.lists import get_catalogue
from customerhub.dialects.augno.answers import respond
from customerhub.dialects.augno.ids import ROLE, from_path
from customerhub.dialects.augno.include import read_includes
from customerhub.dialects.augno.models import Page
from customerhub.dialects.augno.paging import QueryReader, holds, read_page, to_scope, to_window_page
from customerhub.dialects.augno.resources.models import Role
from customerhub.dialects.augno.resources.queries import RoleListQuery, RoleQuery
from customerhub.dialects.augno.resources.shown import to_role
from customerhub.model.answer import Answer
from customerhub.model.page import window
from customerhub.web.operation import Call, Operation

_INCLUDES = ("owner", "owner.account", "permissions")
_TAG = "Roles"


async def list_page(call: Call) -> Answer:
    """`GET /v1/identity/roles`: 200."""
    includes = read_includes(call.query, _INCLUDES)
    reader, scope = QueryReader(call.query), to_scope(call, "roles")
    asked = read_page(reader, scope)
    reader.check()
    catalogue = await get_catalogue(call.hub, call.caller)
    chosen = (role for role in catalogue.entries("role") if holds(asked.text, role.name))
    page = window(chosen, asked.position, asked.limit)
    rows = [to_role(role, catalogue, includes) for role in page.items]
    return respond(call, 200, to_window_page(scope, rows, page.before, page.after))


async def get(call: Call) -> Answer:
    """`GET /v1/identity/roles/{id}`: 200."""
    includes = read_includes(call.query, _INCLUDES)
    role, catalogue = await get_entry(call.hub, call.caller, "role", from_path(call.path["id"], ROLE))
    return respond(call, 200, to_role(role, catalogue, includes), role.version)


OPERATIONS: tuple[Operation, ...] = (
    Operation(
        method="GET",
        path="/v1/identity/roles",
        name="listRoles",
        summary="List roles",
        description="They come with every account; `q` looks into the name.",
        handler=list_page,
        query=RoleListQuery,
        answer=Page[Role],
        tags=(_TAG,),
        permissions=("roles:read",),
    ),
    Operation(
        method="GET",
        path="/v1/identity/roles/{id}",
        name="getRole",
        summary="Get a role",
        handler=get,
        query=RoleQuery,
        answer=Role,
        errors=(404,),
        tags=(_TAG,),
        permissions=("roles:read",),
    ),
)
