"""`/v1/sales/account-groups`: groups of customers, for pricing or of one kind."""

from typing import Required, get_args

from typing_extensions import TypedDict

from customerhub.dialects.augno.ids import ACCOUNT_GROUP
from customerhub.dialects.augno.models import AccountGroup
from customerhub.dialects.augno.paging import QueryReader
from customerhub.dialects.augno.parts import to_account_group
from customerhub.dialects.augno.resources.family import Family, Judge, Reading
from customerhub.dialects.augno.resources.models import GroupType
from customerhub.dialects.augno.resources.queries import AccountGroupListQuery
from customerhub.dialects.augno.wire import CONFIG, Commission, Freight, Name, Note
from customerhub.model.catalogue import AccountGroupDetails, CatalogueEntry

_TYPES: tuple[GroupType, ...] = get_args(GroupType)


class AccountGroupEdit(TypedDict, total=False):
    """What to change in a group; its type never changes."""

    __pydantic_config__ = CONFIG  # type: ignore[misc]
    name: Name
    description: Note | None
    commission_policy: Commission
    freight_policy: Freight


class AccountGroupBody(TypedDict, total=False):
    """A group to make; its customers pay commission and freight unless it says otherwise."""

    __pydantic_config__ = CONFIG  # type: ignore[misc]
    name: Required[Name]
    type: Required[GroupType]
    description: Note
    commission_policy: Commission
    freight_policy: Freight


def _to_details(reading: Reading) -> AccountGroupDetails:
    old = reading.old(AccountGroupDetails("pricing_group"))
    return reading.changed(old, {name: name for name in ("type", "commission_policy", "freight_policy")})


def _keep(reader: QueryReader) -> Judge:
    types = reader.choices("type", _TYPES)

    def judge(entry: CatalogueEntry) -> bool:
        return not types or (isinstance(entry.details, AccountGroupDetails) and entry.details.type in types)

    return judge


ACCOUNT_GROUPS = Family(
    kind="account_group",
    prefix=ACCOUNT_GROUP,
    noun="account group",
    plural="account groups",
    path="/v1/sales/account-groups",
    body=AccountGroupBody,
    edit=AccountGroupEdit,
    answer=AccountGroup,
    query=AccountGroupListQuery,
    show=lambda entry, *_: to_account_group(entry),
    to_sent=to_account_group,
    to_details=_to_details,
    texts=lambda entry: (entry.name, entry.description),
    keep=_keep,
    keeps_in_use=True,
    notes={
        "list": "`q` looks into name and description.",
        "delete": "A group that a customer is in cannot be deleted.",
    },
    examples={
        "create": {"name": "Chefs' table", "type": "pricing_group", "description": "Restaurants with a standing order"},
        "update": {"description": None, "freight_policy": "free_freight"},
    },
)
