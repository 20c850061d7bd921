"""Who did something, as request logs and audit events tell it."""

from collections.abc import Mapping
from uuid import UUID

from msgspec import Struct

from customerhub.core.api_keys import ApiKey, list_api_keys
from customerhub.dialects.augno.answers import Shown
from customerhub.dialects.augno.ids import API_KEY, NOBODY, USER, to_id
from customerhub.dialects.augno.include import Includes
from customerhub.dialects.augno.resources.shown import to_role
from customerhub.model.catalogue import Catalogue
from customerhub.web.operation import Call


class Actors(Struct, frozen=True):
    """The members and keys of an account; `keys` by the credential of each of their secrets."""

    catalogue: Catalogue
    keys: Mapping[UUID, ApiKey]

    def show(self, actor: UUID, credential: UUID, name: str, includes: Includes) -> Shown:
        """Who did it: the member behind the credential, or the key itself; `name` is the credential's.

        Credentials of other APIs are shown as keys too. What no credential did was done by whoever runs the server.
        """
        user = self.catalogue.find_user(actor)
        if user is not None:
            return self._actor(to_id(USER, user.id), "user", user.name, user.email, user.access_role, includes)
        key = self.keys.get(credential)
        if key is not None:
            return self._actor(to_id(API_KEY, key.id), "api_key", key.name, key.hint, key.role, includes)
        kind = "agent" if credential == NOBODY else "api_key"
        return self._actor(to_id(API_KEY, credential), kind, name, None, None, includes)

    def _actor(
        self, actor: str, kind: str, name: str | None, handle: str | None, role_id: UUID | None, includes: Includes
    ) -> Shown:
        role = self.catalogue.find_entry("role", role_id) if "role" in includes else None
        return {
            "id": actor,
            "object": "actor",
            "type": kind,
            "name": name,
            "handle": handle,
            "role": to_role(role, self.catalogue, includes.under("role")) if role is not None else None,
        }


async def read_actors(call: Call) -> Actors:
    """Everybody who may have done something in the caller's account; raises Unauthenticated."""
    keys, catalogue = await list_api_keys(call.hub, call.caller)
    return Actors(catalogue, {credential: key for key in keys for credential in key.credentials})
