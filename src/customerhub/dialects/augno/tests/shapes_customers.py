"""The shapes of customers, and of who asked for what: members, keys, request logs and audit events."""

from customerhub.dialects.augno.tests.shapes import (
    NOTHING,
    Check,
    Includes,
    anything,
    below,
    flag,
    listing,
    maybe,
    nothing,
    part,
    record,
    resource,
    rows,
    text,
    time,
    whole,
    words,
)
from customerhub.dialects.augno.tests.shapes_catalogue import (
    COMMISSION,
    FREIGHT,
    STANDINGS,
    account,
    account_group,
    address,
    carrier,
    owner,
    payment_term,
    priority,
    quantity,
    service_level,
    shipping_term,
)


def customer(includes: Includes = NOTHING) -> Check:
    """A customer: every member always, eleven of them null unless they are asked for."""
    shallow = nothing if includes is NOTHING else customer()
    parts = {
        "credit_limit": maybe(quantity()),
        "contact_info": record(
            object=words("customer_contact_info"), email=maybe(text), phone=maybe(text), url=maybe(text)
        ),
        "freight_preferences": freight_preferences(below(includes, "freight_preferences")),
        "defaults": defaults(below(includes, "defaults")),
        "notification_preferences": record(
            object=words("customer_notification_preferences"), accepts_invoice_emails=flag
        ),
        "bill_to_address": maybe(address(nothing)),
        "ship_to_address": maybe(address(nothing)),
        "type": maybe(account_group(type_=words("type_group"))),
        "price_groups": listing(account_group(type_=words("pricing_group"))),
        "parent_account": maybe(shallow),
        "child_accounts": maybe(listing(shallow)),
    }
    return resource(
        "ac",
        "customer",
        name=text,
        number=text,
        status=STANDINGS,
        is_edi_enabled=flag,
        is_parent_account=flag,
        commission_policy=COMMISSION,
        note=maybe(text),
        **{name: part(includes, name, check) for name, check in parts.items()},
        created_at=time,
        updated_at=time,
    )


def freight_preferences(includes: Includes) -> Check:
    """How things are sent to a customer."""
    return record(
        object=words("customer_freight_preferences"),
        status=FREIGHT,
        carrier=part(includes, "carrier", maybe(carrier())),
        service_level=part(includes, "service_level", maybe(service_level(has_owner=False))),
        billing_type=maybe(words("sender", "third_party")),
        billing_account=maybe(text),
    )


def defaults(includes: Includes) -> Check:
    """What a customer's next order starts from."""
    return record(
        object=words("customer_defaults"),
        payment_term=part(includes, "payment_term", maybe(payment_term())),
        shipping_term=part(includes, "shipping_term", maybe(shipping_term(is_inside=True))),
        priority=part(includes, "priority", maybe(priority(NOTHING))),
        sales_rep=part(includes, "sales_rep", maybe(user())),
    )


def user() -> Check:
    """A sales representative inside a customer."""
    return resource(
        "us",
        "user",
        email=maybe(text),
        name=maybe(text),
        username=maybe(text),
        email_verified_at=maybe(time),
        image_url=maybe(text),
        created_at=time,
        updated_at=time,
    )


def role(includes: Includes = NOTHING) -> Check:
    """What a key or a member may do."""
    return resource(
        "rl",
        "role",
        name=text,
        type=words("admin", "user"),
        owner=owner(includes),
        permissions=part(includes, "permissions", rows(text)),
        created_at=time,
        updated_at=time,
    )


def account_user(includes: Includes = NOTHING) -> Check:
    """A member of the team."""
    return resource(
        "acus",
        "account_user",
        name=maybe(text),
        email=maybe(text),
        username=maybe(text),
        image_url=maybe(text),
        status=words("active", "disabled", "removed"),
        role=part(includes, "role", maybe(role())),
        department=nothing,
        last_used_at=maybe(time),
        created_at=time,
        updated_at=time,
    )


def api_key(includes: Includes = NOTHING) -> Check:
    """A key without its secret."""
    return resource(
        "apke",
        "api_key",
        name=text,
        redacted_value=text,
        role=part(includes, "role", maybe(role(below(includes, "role")))),
        created_at=time,
        updated_at=time,
        last_used_at=maybe(time),
        expires_at=maybe(time),
        revoked_at=maybe(time),
    )


def new_api_key(_: Includes = NOTHING) -> Check:
    """A key with its secret, shown once."""
    return record(api_key_secret=text, api_key_info=api_key())


def actor(includes: Includes) -> Check:
    """Who did it: a member of the team, a key by itself, or whoever runs the hub."""
    return record(
        id=text,
        object=words("actor"),
        type=words("user", "api_key", "agent"),
        name=maybe(text),
        handle=maybe(text),
        role=part(includes, "role", maybe(role(below(includes, "role")))),
    )


CHANGES = listing(record(field=text, old_value=anything, new_value=anything))


def request_log(includes: Includes = NOTHING) -> Check:
    """One request and what came of it."""
    return resource(
        "rq",
        "request_log",
        method=words("GET", "POST", "PUT", "PATCH", "DELETE"),
        host=text,
        path=text,
        normalized_route=text,
        query_json=part(includes, "query_json", maybe(text)),
        status_code=whole,
        latency_us=whole,
        api_version=maybe(text),
        identity_type=maybe(text),
        client_ip=maybe(text),
        user_agent=maybe(text),
        referrer=maybe(text),
        error_code=maybe(text),
        error_message=maybe(text),
        occurred_at=time,
        created_at=time,
        account=part(includes, "account", account(NOTHING)),
        actor=part(includes, "actor", actor(below(includes, "actor"))),
        idempotency_key=maybe(text),
        request_body_json=part(includes, "request_body_json", maybe(text)),
        response_body_json=part(includes, "response_body_json", maybe(text)),
    )


def audit_event(includes: Includes = NOTHING) -> Check:
    """One change in the history."""
    return resource(
        "ae",
        "audit_event",
        action=words("create", "update", "delete", "restore", "archive"),
        resource_type=text,
        resource_id=text,
        actor=part(includes, "actor", actor(below(includes, "actor"))),
        changes=part(includes, "changes", CHANGES),
        metadata=part(includes, "metadata", anything),
        request_id=maybe(text),
        idempotency_key=maybe(text),
        source_ip=maybe(text),
        occurred_at=time,
        created_at=time,
    )
