"""Generated records of any origin: what every dialect must be able to show, and must not harm."""

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, TypeVar, get_args
from uuid import UUID

import msgspec
from hypothesis import assume
from hypothesis import strategies as st

from customerhub.model.catalogue import (
    AccountGroupDetails,
    AttributeDetails,
    AttributeOption,
    CarrierDetails,
    Catalogue,
    CatalogueEntry,
    DataType,
    Details,
    Entity,
    Kind,
    NoDetails,
    PriceListDetails,
    ServiceLevelDetails,
    ShippingTermDetails,
    TeamSettings,
    UnitDetails,
    User,
)
from customerhub.model.customer import (
    Address,
    Attribute,
    CarrierBilling,
    CommissionPolicy,
    Contact,
    Customer,
    FreightPolicy,
    Priority,
    Standing,
    Status,
    name_key,
)
from customerhub.model.merge import Merger
from customerhub.model.nested import Moment

START = datetime(2025, 3, 4, 9, 10, 11, tzinfo=UTC)
ACTOR = UUID(int=0xAC)
TEAM = UUID(int=0x7EA)
GROUPS = tuple(UUID(int=0x6E0 + number) for number in range(4))
ABOVE = tuple(UUID(int=0xAB0 + number) for number in range(3))
AnyEntry = TypeVar("AnyEntry", Address, Contact)

# Any text that JSON and PostgreSQL can hold.
CHARACTERS = st.characters(codec="utf-8", exclude_characters="\0")
TEXTS = st.text(CHARACTERS, min_size=1, max_size=12)
LONG = st.just("long name from another door " * 12)
IDS = st.integers(1, 2**128 - 1).map(lambda number: UUID(int=number))
TIMES = st.integers(0, 10**13).map(lambda microseconds: START + timedelta(microseconds=microseconds))
STATUSES = st.sampled_from(get_args(Status))
LIVES: st.SearchStrategy[tuple[Status, datetime | None]] = st.sampled_from(
    [("active", None), ("active", None), ("inactive", None), ("inactive", START)]
)
MAYBE_TEXT = st.none() | TEXTS | LONG
EMAILS = st.sampled_from(["ola@nordmann.test", "INGRID@Berg.example", "øla@bücher.example", "x@y.local"])
PHONES = st.sampled_from(["+4722334455", "+12", "+123456789012345"])
COUNTRIES = st.sampled_from(["NO", "SE", "US", "AX"])


def choices(literal: Any) -> st.SearchStrategy[Any]:  # Any: a Literal and its words
    """One word of a Literal."""
    return st.sampled_from(get_args(literal))


def some(values: Sequence[Any], most: int = 3) -> st.SearchStrategy[list[Any]]:
    """A few of the values, none twice; none of none."""
    return st.lists(st.sampled_from(values), unique=True, max_size=most) if values else st.just([])


def one_or_none(values: Sequence[Any]) -> st.SearchStrategy[Any]:
    """One of the values, at times None."""
    return st.sampled_from([*values, *values, None])


def ids() -> Callable[[], UUID]:
    """New ids in order, none of which a generated record has."""
    numbers: Iterator[int] = iter(range(1 << 100, 1 << 101))
    return lambda: UUID(int=next(numbers))


def moment(after: Customer | None = None, mint: Callable[[], UUID] | None = None) -> Moment:
    """A moment a little after a record's last change."""
    now = after.updated_at if after is not None else START
    return Moment(ACTOR, now + timedelta(seconds=5), mint or ids())


def entry(
    kind: Kind, number: int, name: str, details: Details, status: Status = "active", deleted_at: datetime | None = None
) -> CatalogueEntry:
    """One entry of the catalogue."""
    return CatalogueEntry(
        id=UUID(int=number),
        kind=kind,
        name=name,
        created_at=START,
        updated_at=START,
        created_by=ACTOR,
        updated_by=ACTOR,
        details=details,
        status=status,
        reference_id=f"{kind}-{number}",
        deleted_at=deleted_at,
    )


@st.composite
def details_of(draw: st.DrawFn, entity: Entity) -> AttributeDetails:
    """What a custom field of an entity may hold."""
    values = draw(st.lists(TEXTS.filter(lambda text: "," not in text and text.strip() == text), min_size=1, max_size=3))
    return AttributeDetails(
        entity=entity,
        data_type=draw(choices(DataType)),
        options=tuple(AttributeOption(value, value) for value in values),
        is_mandatory=draw(st.booleans()),
    )


@st.composite
def catalogues(draw: st.DrawFn) -> Catalogue:
    """A team's catalogue: some of everything, active, inactive and deleted."""
    entries: list[CatalogueEntry] = []

    def add(kind: Kind, details: st.SearchStrategy[Details], most: int = 2) -> list[CatalogueEntry]:
        names = draw(st.lists(TEXTS.filter(str.strip).map(str.strip), unique_by=name_key, max_size=most))
        made = [
            entry(kind, len(entries) + 1 + place, name, draw(details), *draw(LIVES)) for place, name in enumerate(names)
        ]
        entries.extend(made)
        return made

    add("payment_term", st.just(NoDetails()))
    add("shipping_term", st.just(ShippingTermDetails()))
    carriers = add("carrier", st.just(CarrierDetails()))
    for carrier in carriers:
        details = ServiceLevelDetails(carrier=carrier.id, token=f"token {carrier.name}")
        add("service_level", st.just(details), most=1)
    add("unit", st.just(UnitDetails(type="currency", abbreviation="EUR")))
    add("unit", st.just(UnitDetails(type="mass", abbreviation="kg")), most=1)
    add("price_list", st.just(PriceListDetails()), most=3)
    for kind in ("pricing_group", "type_group"):
        add("account_group", st.just(AccountGroupDetails(type=kind)))
    for entity in ("customer", "address", "contact"):
        add("attribute_definition", details_of(entity))
    users = [
        User(
            id=UUID(int=0xBEEF00 + number),
            email=f"rep{number}@team.example",
            first_name=draw(TEXTS),
            last_name=draw(TEXTS),
            created_at=START,
            updated_at=START,
            created_by=ACTOR,
            updated_by=ACTOR,
            status=draw(STATUSES),
        )
        for number in range(draw(st.integers(1, 3)))
    ]
    return Catalogue(1, entries, users, settings=TeamSettings(free_attributes=draw(st.booleans())))


def attributes(names: Sequence[str]) -> st.SearchStrategy[tuple[Attribute, ...]]:
    """Custom values of one owner, of defined names and of others, fitting or not."""
    pairs = st.dictionaries(st.sampled_from(names) | TEXTS | LONG if names else TEXTS | LONG, st.just("") | TEXTS)
    return st.tuples(pairs, st.lists(IDS, min_size=8, max_size=8, unique=True)).map(
        lambda drawn: tuple(
            Attribute(own, name, value, ACTOR, ACTOR, START, START)
            for own, (name, value) in zip(drawn[1], drawn[0].items(), strict=False)
        )
    )


@st.composite
def addresses(draw: st.DrawFn, catalogue: Catalogue, last: datetime) -> tuple[Address, ...]:
    """Addresses as any door leaves them: without a type, without a reference, with two alike."""
    names = list(catalogue.attribute_definitions("address"))
    made = [
        Address(
            id=own,
            created_at=created,
            updated_at=min(last, created + timedelta(seconds=draw(st.integers(0, 9)))),
            reference_id=draw(st.sampled_from([None, "A-1", "A-2", "A-3"])),
            type=draw(st.sampled_from([None, "billing", "shipping"])),
            name=draw(MAYBE_TEXT),
            first_name=draw(MAYBE_TEXT),
            phone=draw(st.none() | PHONES | TEXTS),
            email=draw(st.none() | EMAILS | TEXTS),
            line1=draw(MAYBE_TEXT),
            line2=draw(MAYBE_TEXT),
            city=draw(MAYBE_TEXT),
            country=draw(st.none() | COUNTRIES | TEXTS),
            is_drop_ship=draw(st.booleans()),
            attributes=draw(attributes(names)),
        )
        for own in draw(st.lists(IDS, max_size=3, unique=True))
        for created in [min(last, draw(TIMES))]
    ]
    return tuple(sorted(made, key=lambda address: (address.created_at, address.id)))


@st.composite
def contacts(draw: st.DrawFn, catalogue: Catalogue, last: datetime) -> tuple[Contact, ...]:
    """Contacts as any door leaves them."""
    names = list(catalogue.attribute_definitions("contact"))
    made = [
        Contact(
            id=own,
            created_at=created,
            updated_at=created,
            reference_id=draw(st.sampled_from([None, "C-1", "C-2"])),
            first_name=draw(MAYBE_TEXT),
            last_name=draw(MAYBE_TEXT),
            email=draw(st.none() | EMAILS | TEXTS),
            phone=draw(st.none() | PHONES | TEXTS),
            designation=draw(MAYBE_TEXT),
            attributes=draw(attributes(names)),
        )
        for own in draw(st.lists(IDS, max_size=2, unique=True))
        for created in [min(last, draw(TIMES))]
    ]
    return tuple(sorted(made, key=lambda contact: (contact.created_at, contact.id)))


def entry_ids(catalogue: Catalogue, kind: Kind) -> list[UUID]:
    """The ids of a kind's entries, active or not, deleted ones too: what a record may refer to."""
    return sorted(found.id for found in catalogue._entries.values() if found.kind == kind)


def group_ids(catalogue: Catalogue, kind: str) -> list[UUID]:
    """The ids of groups of one type."""
    groups = (catalogue.find_entry("account_group", found) for found in entry_ids(catalogue, "account_group"))
    return [
        group.id
        for group in groups
        if group is not None and isinstance(group.details, AccountGroupDetails) and group.details.type == kind
    ]


def level_ids(catalogue: Catalogue, carrier: UUID | None) -> list[UUID]:
    """The ids of a carrier's service levels."""
    levels = (catalogue.find_entry("service_level", found) for found in entry_ids(catalogue, "service_level"))
    return [
        level.id
        for level in levels
        if level is not None and isinstance(level.details, ServiceLevelDetails) and level.details.carrier == carrier
    ]


@st.composite
def customers(draw: st.DrawFn, catalogue: Catalogue) -> Customer:
    """A live customer of any origin that refers to this catalogue."""
    updated = draw(TIMES)
    reps = draw(some(sorted(user.id for user in catalogue.users())))
    own = draw(addresses(catalogue, updated))
    people = draw(contacts(catalogue, updated))
    carrier = draw(one_or_none(entry_ids(catalogue, "carrier")))
    limit = draw(st.none() | st.decimals(0, 10**6, places=2))
    return Customer(
        team=TEAM,
        id=draw(IDS),
        version=draw(st.integers(1, 99)),
        created_at=START,
        updated_at=updated,
        created_by=ACTOR,
        updated_by=ACTOR,
        name=draw(TEXTS | LONG),
        number=draw(st.from_regex(r"C[0-9]{5}", fullmatch=True) | LONG),
        display_name=draw(MAYBE_TEXT),
        reference_id=draw(MAYBE_TEXT),
        first_name=draw(MAYBE_TEXT),
        email=draw(st.none() | EMAILS | TEXTS),
        phone=draw(st.none() | PHONES | TEXTS),
        website=draw(MAYBE_TEXT),
        note=draw(MAYBE_TEXT),
        status=draw(STATUSES),
        standing=draw(choices(Standing)),
        payment_term=draw(one_or_none(entry_ids(catalogue, "payment_term"))),
        shipping_term=draw(one_or_none(entry_ids(catalogue, "shipping_term"))),
        carrier=carrier,
        service_level=draw(one_or_none(level_ids(catalogue, carrier))),
        payment_mode=draw(MAYBE_TEXT),
        sales_reps=tuple(reps),
        default_sales_rep=draw(one_or_none(reps)),
        price_list=draw(one_or_none(entry_ids(catalogue, "price_list"))),
        price_groups=tuple(draw(some(group_ids(catalogue, "pricing_group")))),
        type_group=draw(one_or_none(group_ids(catalogue, "type_group"))),
        priority=draw(choices(Priority)),
        commission_policy=draw(choices(CommissionPolicy)),
        freight_policy=draw(choices(FreightPolicy)),
        is_edi_enabled=draw(st.booleans()),
        carrier_billing_type=draw(choices(CarrierBilling)),
        carrier_billing_account=draw(MAYBE_TEXT),
        accepts_invoice_emails=draw(st.booleans()),
        credit_limit=limit,
        credit_limit_unit=draw(one_or_none(entry_ids(catalogue, "unit"))) if limit is not None else None,
        credit_limit_id=UUID(int=0xC1) if isinstance(limit, Decimal) else None,
        tax_number=draw(MAYBE_TEXT),
        addresses=own,
        contacts=people,
        attributes=draw(attributes(list(catalogue.attribute_definitions("customer")))),
        bill_to=draw(one_or_none([address.id for address in own])),
        ship_to=draw(one_or_none([address.id for address in own])),
        primary_contact=draw(one_or_none([contact.id for contact in people])),
    )


def twin(entry: AnyEntry, own: UUID) -> AnyEntry:
    """Another address or contact that says the same."""
    values = tuple(
        msgspec.structs.replace(value, id=UUID(int=own.int + (place << 64)))
        for place, value in enumerate(entry.attributes)
    )
    return msgspec.structs.replace(entry, id=own, created_at=START, updated_at=START, attributes=values)


@st.composite
def mergers(draw: st.DrawFn) -> Merger:
    """A target, its sources and those below them: alike in some things, and the target anywhere in the tree."""
    catalogue = draw(catalogues())
    drawn = draw(st.lists(customers(catalogue), min_size=2, max_size=5, unique_by=lambda customer: customer.id))
    cut = draw(st.integers(2, len(drawn)))
    mint = ids()
    target, *sources = (
        msgspec.structs.replace(
            record,
            price_groups=tuple(draw(some(GROUPS))),
            last_name=draw(MAYBE_TEXT),
            addresses=_with_twins(record.addresses, draw(some([a for one in drawn for a in one.addresses])), mint),
            contacts=_with_twins(record.contacts, draw(some([c for one in drawn for c in one.contacts])), mint),
        )
        for record in drawn[:cut]
    )
    names = [source.id for source in sources]
    children = tuple(msgspec.structs.replace(record, parent=draw(st.sampled_from(names))) for record in drawn[cut:])
    # Above a child stands its source, whoever else stands around them.
    steps = draw(some([*names, *(child.id for child in children), *ABOVE], most=4))
    for child in children:
        if child.id in steps:
            steps = [step for step in steps if step != child.parent]
            steps.insert(steps.index(child.id) + 1, child.parent)
    target = msgspec.structs.replace(target, parent=steps[0] if steps else None)
    records = (target, *sources)
    entries = [address.id for record in records for address in record.addresses]
    entries += [contact.id for record in records for contact in record.contacts]
    assume(len(set(entries)) == len(entries))
    return Merger(target, tuple(sources), children, tuple(steps))


def _with_twins(own: tuple[AnyEntry, ...], others: list[AnyEntry], mint: Callable[[], UUID]) -> tuple[AnyEntry, ...]:
    entries = list(own)
    entries.extend(twin(other, mint()) for other in others)
    entries.sort(key=lambda entry: (entry.created_at, entry.id))
    return tuple(entries)
