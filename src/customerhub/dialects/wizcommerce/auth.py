"""API keys: how a WizCommerce caller is known, and how one is made from a login."""

from dataclasses import replace
from datetime import timedelta
from typing import cast

from pydantic import TypeAdapter

from customerhub.core.access import find_caller, sign_in, store_credential
from customerhub.core.guarded import Done, Work, write_guarded
from customerhub.core.hub import Hub
from customerhub.core.standing import check_precondition
from customerhub.dialects.wizcommerce.customers import respond
from customerhub.dialects.wizcommerce.read import check
from customerhub.dialects.wizcommerce.show import to_time
from customerhub.dialects.wizcommerce.wire import TokenBody
from customerhub.model.answer import Answer, Caller
from customerhub.model.error import Forbidden, Invalid, Unauthenticated
from customerhub.store.access import Login
from customerhub.web.dialect import Incoming
from customerhub.web.operation import Call

NAME = "wizcommerce"
PREFIX = "api_prod_"
TOKEN_LIFE = timedelta(days=365)
_CHECK: TypeAdapter[object] = TypeAdapter(TokenBody)


async def authenticate(hub: Hub, incoming: Incoming) -> Caller:
    """The caller of `X-API-Key`; raises Unauthenticated, the same for no key and for a wrong one."""
    keys = incoming.headers.getlist("x-api-key")
    if len(keys) != 1 or not keys[0]:
        raise Unauthenticated("missing" if not keys else "ambiguous")
    return await find_caller(hub, NAME, keys[0])


async def create_token(call: Call) -> Answer:
    """`POST /auth/token`: 200 with a new API key of the login's team, valid for a year; shown once, never kept."""
    draft = check(_CHECK, call.json_object())
    if draft.errors:
        raise Invalid(draft.found())
    email, password = str(draft.value["email"]), str(draft.value["password"])
    login = await call.limits.try_password(call.client_address, email, lambda: sign_in(call.hub, email, password))
    if login.team is None or login.team_user is None:
        raise Forbidden("membership of a team")
    caller = Caller(login.team, login.id, login.team_user, login.email, NAME)
    command = replace(call.command, caller=caller)
    call.command.ignored[:] = [name for name in draft.value if name not in ("email", "password")]

    async def work(scene: Work) -> Done:
        check_precondition(command.guards, None, is_required=False)
        expires_at = call.hub.now() + TOKEN_LIFE
        credential, secret = await store_credential(
            call.hub,
            scene.connection,
            caller,
            name=f"token of {login.email}",
            prefix=PREFIX,
            team_user=login.team_user,
            expires_at=expires_at,
            request_id=command.request_id,
        )
        token = {
            "token_id": f"tok_{credential.id.hex}",
            "token_type": "Bearer",
            "expires_at": to_time(expires_at),
            "user": _to_user(login),
            "access_token": secret,
        }
        return Done(respond(call, 200, token), is_secret=True)

    return await write_guarded(call.hub, command, work, has_credential=False)


def _to_user(login: Login) -> dict[str, object]:
    return {
        "id": str(login.team_user),
        "email": login.email,
        "first_name": cast("str", login.first_name),
        "last_name": cast("str", login.last_name),
        "tenant_id": str(login.team),
    }
