"""Keys of the hub's own API, made for whoever may have one."""

from collections.abc import Mapping

from customerhub.core.admin import create_credential
from customerhub.core.hub import Hub
from customerhub.dialects.hub import auth
from customerhub.store.access import Team
from customerhub.web.dialect import CredentialOrder


async def make_key(hub: Hub, team: Team, order: CredentialOrder) -> Mapping[str, object]:
    """An API key with the scopes that are asked for; it does not expire. Raises Invalid."""
    order.check_plain(takes_scopes=True)
    credential, secret = await create_credential(
        hub,
        team,
        dialect=auth.NAME,
        name=order.name,
        prefix=auth.PREFIX,
        team_user=order.team_user,
        scopes=auth.to_scopes(order.scopes),
        requires_precondition=order.requires_precondition,
        by=order.by,
    )
    return {
        "id": str(credential.id),
        "name": credential.name,
        "scopes": list(credential.scopes),
        "api_key": secret,
    }
