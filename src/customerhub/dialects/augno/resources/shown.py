"""What several resources show of others: the account, whose a record is, roles, and who did something."""

from collections.abc import Mapping

from customerhub.core.system import to_role_id
from customerhub.dialects.augno.answers import Shown, to_time
from customerhub.dialects.augno.ids import ACCOUNT, ROLE, to_id
from customerhub.dialects.augno.include import Includes
from customerhub.dialects.augno.parts import to_times
from customerhub.dialects.augno.resources.models import RoleType
from customerhub.model.catalogue import Catalogue, CatalogueEntry, RoleDetails


def to_account(catalogue: Catalogue) -> Shown:
    """The team itself; it has no addresses, looks and portal of its own here."""
    born = to_time(catalogue.team_created_at)
    return {
        "id": to_id(ACCOUNT, catalogue.team),
        "object": "account",
        "name": catalogue.team_name,
        "default_billing_address": None,
        "default_shipping_address": None,
        "branding": None,
        "portal": None,
        "created_at": born,
        "updated_at": born,
    }


def to_owner(catalogue: Catalogue, includes: Includes, *, is_system: bool) -> Shown | None:
    """Whose a record is, where `owner` is asked for: this team's, or one that every team has."""
    if "owner" not in includes:
        return None
    has_account = "owner.account" in includes and not is_system
    return {
        "object": "owner",
        "type": "system" if is_system else "account",
        "account": to_account(catalogue) if has_account else None,
    }


def with_owner(shown: Shown, entry: CatalogueEntry, catalogue: Catalogue, includes: Includes) -> Shown:
    """An entry as customers show it, with whose it is."""
    return put(shown, {"owner": to_owner(catalogue, includes, is_system=entry.is_system)})


def put(shown: Shown, parts: Mapping[str, object]) -> Shown:
    """A record with more in it: members it has keep their place, new ones stand before its times."""
    times = {name: shown[name] for name in ("created_at", "updated_at")}
    return {**{name: value for name, value in shown.items() if name not in times}, **parts, **times}


def to_role(role: CatalogueEntry, catalogue: Catalogue, includes: Includes) -> Shown:
    """A role; every one but the administrator's is that of a user to the contract."""
    details = role.details
    if not isinstance(details, RoleDetails):
        raise TypeError(f"{role.id} is no role")
    return {
        "id": to_id(ROLE, role.id),
        "object": "role",
        "name": role.name,
        "type": to_role_type(role, catalogue),
        "owner": to_owner(catalogue, includes, is_system=role.is_system),
        "permissions": list(details.permissions) if "permissions" in includes else None,
        **to_times(role),
    }


def to_role_type(role: CatalogueEntry, catalogue: Catalogue) -> RoleType:
    """What the contract calls a role's type; of its five only two have a meaning here."""
    return "admin" if role.id == to_role_id(catalogue.team, "admin") else "user"
