"""The shapes of what customers refer to, on its own endpoints and inside a customer."""

from customerhub.dialects.augno.tests.shapes import (
    NOTHING,
    Check,
    Includes,
    Shape,
    below,
    decimal,
    flag,
    listing,
    maybe,
    nothing,
    part,
    record,
    resource,
    text,
    time,
    words,
)

COMMISSION = words("commission_applied", "commission_exempt")
FREIGHT = words("free_freight", "billed_freight")
VISIBILITY = words("visible", "hidden")
CARRIER_CODES = words("fedex", "ups", "usps", "will_call", "delivery", "ltl", "ltl1", "freight_collect")


def account(_: Includes) -> Check:
    """The team itself."""
    return resource(
        "ac",
        "account",
        name=text,
        default_billing_address=nothing,
        default_shipping_address=nothing,
        branding=nothing,
        portal=nothing,
        created_at=time,
        updated_at=time,
    )


def owner(includes: Includes) -> Check:
    """Whose a record is: this team's, or one that every team has."""
    of = below(includes, "owner")
    who = record(
        object=words("owner"), type=words("system", "account"), account=part(of, "account", maybe(account(of)))
    )
    return part(includes, "owner", who)


def quantity(unit: Check = nothing) -> Check:
    """An amount as text, and as people read it."""
    return resource("qty", "quantity", value=decimal, display_value=text, unit=unit)


GROUPS = words("pricing_group", "type_group")


def account_group(_: Includes = NOTHING, type_: Check = GROUPS) -> Check:
    """A group of customers."""
    return resource(
        "acgp",
        "account_group",
        name=text,
        description=maybe(text),
        commission_policy=COMMISSION,
        freight_policy=FREIGHT,
        type=type_,
        created_at=time,
        updated_at=time,
    )


def address(geolocation: Check) -> Check:
    """An address; only its own endpoints tell where it is."""
    return resource(
        "ad",
        "address",
        name=text,
        phone=maybe(text),
        email=maybe(text),
        is_drop_ship=flag,
        geolocation=geolocation,
        created_at=time,
        updated_at=time,
    )


GEOLOCATION = resource(
    "gl",
    "geolocation",
    street_line_1=maybe(text),
    street_line_2=maybe(text),
    locality=maybe(text),
    state=maybe(text),
    postal_code=maybe(text),
    country=text,
)


def placed_address(_: Includes) -> Check:
    """An address on its own endpoints."""
    return address(GEOLOCATION)


def payment_term(includes: Includes = NOTHING) -> Check:
    """A payment term."""
    status = words("active", "inactive")
    return resource(
        "pytm", "payment_term", name=text, status=status, owner=owner(includes), created_at=time, updated_at=time
    )


def service_level(includes: Includes = NOTHING, *, has_owner: bool = True) -> Check:
    """A service level; inside a customer it has no owner, not even null."""
    return resource(
        "crop",
        "service_level",
        name=text,
        service_level_token=text,
        customer_portal_visibility=VISIBILITY,
        is_default=flag,
        **({"owner": owner(includes)} if has_owner else {}),
        created_at=time,
        updated_at=time,
    )


def carrier(includes: Includes = NOTHING) -> Check:
    """A carrier."""
    return resource(
        "cr",
        "carrier",
        name=text,
        code=maybe(CARRIER_CODES),
        account_number=maybe(text),
        customer_portal_visibility=VISIBILITY,
        owner=owner(includes),
        service_levels=part(includes, "service_levels", listing(service_level())),
        deleted_at=maybe(time),
        created_at=time,
        updated_at=time,
    )


def unit(includes: Includes = NOTHING) -> Check:
    """A unit of measure; its fractions are decimals as text."""
    types = words("currency", "quantity", "time", "mass", "volume", "length", "temperature", "area")
    return resource(
        "un",
        "unit",
        name=text,
        abbreviation=text,
        type=types,
        ratio_numerator=decimal,
        ratio_denominator=decimal,
        offset_numerator=decimal,
        offset_denominator=decimal,
        is_base_unit=flag,
        owner=owner(includes),
        created_at=time,
        updated_at=time,
    )


def shipping_term(includes: Includes = NOTHING, *, is_inside: bool = False) -> Check:
    """A shipping term; inside a customer neither its amounts nor its free service levels are told."""

    def amount(name: str) -> Check:
        return nothing if is_inside else maybe(quantity(part(below(includes, name), "unit", unit())))

    levels = part(includes, "free_shipping_service_levels", listing(service_level()))
    return resource(
        "shtm",
        "shipping_term",
        name=text,
        type=words("free_freight", "flat_rate_freight", "carrier_rate_freight"),
        owner=owner(includes),
        flat_rate=amount("flat_rate"),
        minimum_order_value=amount("minimum_order_value"),
        free_shipping_service_levels=levels,
        created_at=time,
        updated_at=time,
    )


def coded(prefix: str, name: str, code: Check) -> Shape:
    """A priority or an account status."""

    def shape(includes: Includes = NOTHING) -> Check:
        return resource(prefix, name, code=code, name=text, owner=owner(includes), created_at=time, updated_at=time)

    return shape


STANDINGS = words("normal", "preferred", "hold_shipment", "hold_all")
priority = coded("pi", "priority", words("low", "normal", "high"))
account_status = coded("acss", "account_status", STANDINGS)
