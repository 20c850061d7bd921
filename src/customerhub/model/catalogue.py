"""What a team's records refer to: terms, carriers, price lists, groups, roles, users; one snapshot a team."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Literal
from uuid import UUID

from msgspec import Struct

from customerhub.model.customer import Status, name_key

Kind = Literal[
    "payment_term",
    "shipping_term",
    "carrier",
    "service_level",
    "unit",
    "price_list",
    "account_group",
    "attribute_definition",
    "role",
]
Visibility = Literal["visible", "hidden"]
UserRole = Literal["member", "admin"]
DataType = Literal[
    "text",
    "number",
    "percentage",
    "long_text",
    "date_only",
    "email",
    "checkbox",
    "file",
    "phone_e164",
    "select",
    "multi_select",
    "url",
    "html",
]
Entity = Literal["customer", "product", "address", "contact", "order"]


class Amount(Struct, frozen=True):
    """A decimal with its unit; digits as sent."""

    id: UUID
    value: Decimal
    unit: UUID


class NoDetails(Struct, frozen=True, omit_defaults=True):
    """Details of a kind that has none (payment terms)."""


class ShippingTermDetails(Struct, frozen=True, omit_defaults=True):
    """How freight is charged under a shipping term."""

    type: Literal["free_freight", "flat_rate_freight", "carrier_rate_freight"] = "carrier_rate_freight"
    flat_rate: Amount | None = None
    minimum_order_value: Amount | None = None
    free_shipping_service_levels: tuple[UUID, ...] = ()


class CarrierDetails(Struct, frozen=True, omit_defaults=True):
    """A carrier's code, None for one made from free text, and our account with it."""

    code: str | None = None
    account_number: str | None = None
    visibility: Visibility = "visible"


class ServiceLevelDetails(Struct, frozen=True):
    """A service level belongs to one carrier."""

    carrier: UUID
    token: str
    visibility: Visibility = "visible"
    is_default: bool = False


class UnitDetails(Struct, frozen=True, omit_defaults=True):
    """A unit of measure: value in base units = value × ratio + offset, both as fractions."""

    type: Literal["currency", "quantity", "time", "mass", "volume", "length", "temperature", "area"]
    abbreviation: str
    ratio_numerator: Decimal = Decimal(1)
    ratio_denominator: Decimal = Decimal(1)
    offset_numerator: Decimal = Decimal(0)
    offset_denominator: Decimal = Decimal(1)
    is_base_unit: bool = False


class PriceListDetails(Struct, frozen=True, omit_defaults=True):
    """A price list's currency (ISO 4217); at most one list of a team is the default of new customers."""

    currency: str = "USD"
    is_default: bool = False
    priority: int | None = None


class AccountGroupDetails(Struct, frozen=True):
    """A group of customers: for pricing rules, or of one kind; the type never changes."""

    type: Literal["pricing_group", "type_group"]
    commission_policy: Literal["commission_applied", "commission_exempt"] = "commission_exempt"
    freight_policy: Literal["free_freight", "billed_freight"] = "billed_freight"


class AttributeOption(Struct, frozen=True):
    """One choice of a select attribute."""

    label: str
    value: str


class AttributeDetails(Struct, frozen=True, omit_defaults=True):
    """What a custom field of one entity may hold."""

    entity: Entity
    data_type: DataType
    default_value: object = None
    options: tuple[AttributeOption, ...] = ()
    show_label: bool = False
    priority: int | None = None
    is_mandatory: bool = False


class RoleDetails(Struct, frozen=True):
    """What a credential of this role may do, as `resource:action`."""

    permissions: tuple[str, ...] = ()


Details = (
    NoDetails
    | ShippingTermDetails
    | CarrierDetails
    | ServiceLevelDetails
    | UnitDetails
    | PriceListDetails
    | AccountGroupDetails
    | AttributeDetails
    | RoleDetails
)
DETAILS: Mapping[Kind, type[Details]] = {
    "payment_term": NoDetails,
    "shipping_term": ShippingTermDetails,
    "carrier": CarrierDetails,
    "service_level": ServiceLevelDetails,
    "unit": UnitDetails,
    "price_list": PriceListDetails,
    "account_group": AccountGroupDetails,
    "attribute_definition": AttributeDetails,
    "role": RoleDetails,
}


class CatalogueEntry(Struct, frozen=True):
    """One entry of any kind. System entries cannot be changed.

    None is ever removed: a deleted one is inactive, in no list, has no name of its own any more, and is still shown
    where something refers to it.
    """

    id: UUID
    kind: Kind
    name: str
    created_at: datetime
    updated_at: datetime
    created_by: UUID
    updated_by: UUID
    details: Details = NoDetails()
    version: int = 1
    reference_id: str | None = None
    description: str | None = None
    status: Status = "active"
    is_system: bool = False
    deleted_at: datetime | None = None

    @property
    def unique_key(self) -> str | None:
        """What must be unique among the entries of this kind in the team; None where names may repeat."""
        if self.deleted_at is not None:
            return None
        match self.details:
            case PriceListDetails():
                return None
            case ServiceLevelDetails(carrier=carrier, token=token):
                return f"{carrier}/{name_key(token)}"
            case AttributeDetails(entity=entity):
                return f"{entity}/{name_key(self.name)}"
        return name_key(self.name)


class User(Struct, frozen=True):
    """A member of the team, with a login or without; sales reps are users.

    `access_role` is a role of the catalogue, `role` whether they administer the team.
    """

    id: UUID
    email: str | None
    first_name: str
    last_name: str
    created_at: datetime
    updated_at: datetime
    created_by: UUID
    updated_by: UUID
    version: int = 1
    login: UUID | None = None
    phone: str | None = None
    department: str | None = None
    username: str | None = None
    status: Status = "active"
    access_role: UUID | None = None
    role: UserRole = "member"

    @property
    def name(self) -> str | None:
        """First and last name in one; None where there is neither."""
        return " ".join(part for part in (self.first_name, self.last_name) if part) or None


class TeamSettings(Struct, frozen=True, omit_defaults=True):
    """What a team decides for itself; every door keeps it.

    `email_policy`: whether an email address belongs to one live customer only. `unknown_members`: what the door's own
    contract says of members that nobody knows, or ignore them (and say so), or refuse them. `null_members`: refuse a
    null where the contract has none, or ignore it. `free_attributes`: accept
    custom values without a definition although the entity has definitions. `relaxed_create`: do
    without what a contract demands of a new customer and the record does not need (a missing sales rep and price list
    come from the caller and the team's default), instead of refusing. `requires_precondition`: whether every credential
    must send `If-Match` with its updates. `rate_limit`: requests that each credential may make, as `100/minute`; empty
    is the hub's own limit.
    """

    email_policy: Literal["unique", "free"] = "unique"
    unknown_members: Literal["contract", "ignore", "refuse"] = "contract"
    null_members: Literal["refuse", "ignore"] = "refuse"
    free_attributes: bool = False
    relaxed_create: bool = False
    requires_precondition: bool = False
    rate_limit: str = ""


NOBODY = UUID(int=0)
_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


class Catalogue:
    """A snapshot of one team's entries, users and settings at one catalogue version; never changed, only replaced.

    `team` and `team_created_at` are for what comes with every team and has no row of its own. `rate_limits` are
    those of single credentials.
    """

    __slots__ = (
        *("_by_key", "_default_price_list", "_definitions", "_entries", "_users"),
        *("rate_limits", "settings", "team", "team_created_at", "team_name", "version"),
    )

    def __init__(
        self,
        version: int,
        entries: Iterable[CatalogueEntry] = (),
        users: Iterable[User] = (),
        *,
        settings: TeamSettings | None = None,
        team_name: str = "",
        team: UUID = NOBODY,
        team_created_at: datetime = _LONG_AGO,
        rate_limits: Mapping[UUID, str] | None = None,
    ) -> None:
        self.version = version
        self.team = team
        self.team_created_at = team_created_at
        self.settings = settings or TeamSettings()
        self.team_name = team_name
        self.rate_limits = rate_limits or {}
        self._entries = {entry.id: entry for entry in entries}
        self._users = {user.id: user for user in users}
        self._by_key = {
            (entry.kind, entry.unique_key): entry for entry in self._entries.values() if entry.unique_key is not None
        }
        # What every write asks for, so that not every one looks through all entries.
        self._definitions: dict[Entity, dict[str, CatalogueEntry]] = {}
        self._default_price_list: CatalogueEntry | None = None
        for entry in self._entries.values():
            details = entry.details
            if entry.status != "active":
                continue
            if isinstance(details, AttributeDetails):
                self._definitions.setdefault(details.entity, {})[entry.name] = entry
            elif isinstance(details, PriceListDetails) and details.is_default and self._default_price_list is None:
                self._default_price_list = entry

    def with_entries(self, entries: tuple[CatalogueEntry, ...]) -> "Catalogue":
        """The snapshot as it will be once `entries` are stored."""
        if not entries:
            return self
        return Catalogue(
            self.version,
            (*self._entries.values(), *entries),
            self._users.values(),
            settings=self.settings,
            team_name=self.team_name,
            team=self.team,
            team_created_at=self.team_created_at,
            rate_limits=self.rate_limits,
        )

    def rate_limit_of(self, credential: UUID) -> str:
        """What a credential may ask: its own limit, otherwise the team's; empty where neither says anything."""
        return self.rate_limits.get(credential) or self.settings.rate_limit

    def find_entry(self, kind: Kind, entry_id: UUID | None) -> CatalogueEntry | None:
        """The entry of this kind and id, active or not, deleted or not: what a record that has it shows."""
        entry = self._entries.get(entry_id) if entry_id is not None else None
        return entry if entry is not None and entry.kind == kind else None

    def find_live(self, kind: Kind, entry_id: UUID | None) -> CatalogueEntry | None:
        """The entry of this kind and id, active or not, unless it is deleted: what a path of its own finds."""
        entry = self.find_entry(kind, entry_id)
        return entry if entry is not None and entry.deleted_at is None else None

    def find_named(self, kind: Kind, name: str) -> CatalogueEntry | None:
        """The entry of this kind and name, ignoring case, unless it is deleted."""
        return self._by_key.get((kind, name_key(name)))

    def find_user(self, user_id: UUID | None) -> User | None:
        """The user of this id, active or not."""
        return self._users.get(user_id) if user_id is not None else None

    def name_of(self, kind: Kind, entry_id: UUID | None) -> str | None:
        """The name of an entry, None for none."""
        entry = self.find_entry(kind, entry_id)
        return entry.name if entry is not None else None

    def entries(self, kind: Kind) -> tuple[CatalogueEntry, ...]:
        """All entries of a kind that are not deleted, in no order."""
        return tuple(entry for entry in self._entries.values() if entry.kind == kind and entry.deleted_at is None)

    def users(self) -> tuple[User, ...]:
        """All users, in no order."""
        return tuple(self._users.values())

    def attribute_definitions(self, entity: Entity) -> dict[str, CatalogueEntry]:
        """The active custom field definitions of an entity, by their exact names."""
        return self._definitions.get(entity, {})

    def default_price_list(self) -> CatalogueEntry | None:
        """The active price list that new customers get."""
        return self._default_price_list
