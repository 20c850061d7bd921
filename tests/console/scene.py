"""A team with one of everything, in which all that anybody can name is called as a test wants it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

from customerhub.console.fields import DEFAULTS, GROUPS, PRIMARY
from customerhub.core.catalogue import EntryValues
from customerhub.model.catalogue import CarrierDetails, Kind, NoDetails, PriceListDetails
from tests.console.belongings import NOWHERE, import_file, log_request, make_mirror, make_sink, tell_in_vain
from tests.console.house import Bureau
from tests.console.places import Route
from tests.support.augno import add_entry, to_command
from tests.support.hub import CUSTOMERS, Json

Say = Callable[[str], str]
"""What something is called, by a mark that tells it from others."""

# Closes an attribute of either kind, an element and a script; is evaluated by a template that is rendered twice.
HURT = "\"'></title></textarea></script><b data-hurt=1>{{7*7}}</b><img src=x onerror=hurt()><script>hurt()</script>"
# What has rules of its own, and still says something to a parser.
EMAIL = "o'b&lt=`{{7*7}}`"
LINK = "javascript:hurt()"


def hurtful(mark: str) -> str:
    """A text that a careless page would run."""
    return {"website": LINK, "email": f"{EMAIL}{uuid4().hex}@c.example"}.get(mark, f"{mark} {HURT}")


def pleasant(mark: str) -> str:
    """A text as people have it."""
    found = _PLEASANT.get(mark, mark.capitalize())
    return f"{uuid4().hex[:6]}.{found}" if mark == "email" else found


_PLEASANT = {
    "team": "Nordlys Trading",
    "name": "Kestrel Outfitters AS",
    "number": "K-20931",
    "display_name": "Kestrel Outfitters",
    "reference_id": "ERP-88120",
    "first_name": "Ingrid",
    "last_name": "Berg",
    "phone": "+47 22 33 44 55",
    "email": "kestrel@outfitters.example",
    "website": "https://outfitters.example/",
    "note": "Ships on Tuesdays; ring before delivery.",
    "newer": "Ships on Thursdays; ring before delivery.",
    "tax_number": "NO 123 456 789 MVA",
    "line1": "Storgata 8",
    "line2": "Door 2",
    "city": "Oslo",
    "state": "Oslo",
    "postal_code": "0155",
}


@dataclass
class Scene:
    """The team, its customer with a value in every field, and what stands at the places of routes."""

    bureau: Bureau
    customer: Json
    things: dict[str, object] = field(default_factory=dict)
    asked: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def to_paths(self, route: Route, team: str = "") -> list[str]:
        """The addresses at which the route has something to show; in another team, that has nothing of it."""
        return route.to_paths(team or self.bureau.team, self.things, self.asked)


async def make_scene(bureau: Bureau, say: Say = hurtful, url: str = NOWHERE) -> Scene:
    """One of everything, with a sink at `url` that takes nothing; without a server at hand, if that is nowhere."""
    await _send(bureau, "PATCH", "/hub/v1/team", {"name": f"{say('team')} {uuid4().hex[:6]}"})
    catalogue = await _add_catalogue(bureau, say)
    customer = await _add(bureau, to_body(say, **catalogue))
    twin = await _add(bureau, to_body(say, number=say("twin"), reference_id=None))
    source = await _add(bureau, to_body(say, number=say("source"), reference_id=None))
    credential = await _send(bureau, "POST", "/hub/v1/credentials", {"dialect": "hub", "name": say("key")})
    await _send(
        bureau, "PATCH", f"{CUSTOMERS}/{customer['id']}", {"note": say("newer")}, key=credential["secrets"]["api_key"]
    )
    merged = await _send(bureau, "POST", f"{CUSTOMERS}/{customer['id']}/merge", {"sources": [source["id"]]})
    users = await _send(
        bureau,
        "POST",
        "/hub/v1/users",
        {"first_name": say("first_name"), "last_name": say("last_name"), "email": say("email")},
    )
    sink = await make_sink(bureau, say("sink"), url)
    await _send(bureau, "PATCH", f"{CUSTOMERS}/{twin['id']}", {"note": say("newer")})
    mirror = await make_mirror(bureau, say("mirror"), customer["id"])
    delivery = await tell_in_vain(bureau, sink, say("reason"), is_served=url != NOWHERE)
    things: dict[str, object] = {
        "customers/{id}": customer["id"],
        "customers/{id}/edit/{form}": "note",
        "customers/{id}/versions/{version}": 1,
        "users/{id}": users["user"]["id"],
        "credentials/{id}": credential["credential"]["id"],
        "duplicates/{id}": customer["id"],
        "settings/catalogue/{kind}": "carrier",
        "settings/catalogue/{kind}/{id}": catalogue["carrier"],
        "imports/{id}": await import_file(bureau, say("file")),
        "requests/{id}": await log_request(bureau, say("request")),
        "sinks/{id}": sink.id,
        "sinks/{id}/deliveries/{delivery}": delivery,
    }
    gone = await _add(bureau, to_body(say, number=say("gone"), reference_id=None))
    await bureau.desk.api.delete(f"{CUSTOMERS}/{gone['id']}")
    at = f"customers/{customer['id']}"
    asked = {
        "credentials/new": ("credentials/new", "credentials/new?api=hub"),
        "customers": ("customers", f"customers?{urlencode({'q': say('name')})}"),
        "customers/{id}/as-it-was": (f"{at}/as-it-was?at=2099-01-01T00:00:00",),
        "customers/{id}/edit/{form}": tuple(f"{at}/edit/{form}" for form in _list_forms(customer)),
        "customers/{id}/restore": (f"customers/{gone['id']}/restore",),
        "customers/{id}/versions/{version}/undo": (f"{at}/versions/2/undo",),
        "customers/{id}/versions/{version}/unmerge": (f"{at}/versions/{merged['customer']['version']}/unmerge",),
        "duplicates/{id}": (f"duplicates/{customer['id']}?with={twin['id']}",),
        "duplicates/{id}/merge": (f"duplicates/{customer['id']}/merge?with={twin['id']}&into={customer['id']}",),
        "merge": (f"merge?customer={customer['id']}&customer={twin['id']}",),
        "sinks/{id}/customers": (f"sinks/{mirror}/customers",),
        "sinks/{id}/drift": (f"sinks/{mirror}/drift",),
        "sinks/new": ("sinks/new", "sinks/new?kind=webhook&form=hub"),
    }
    return Scene(bureau, customer, things, asked)


def _list_forms(customer: Json) -> list[str]:
    """What all forms on a customer's page are called, of each list of entries one; the most various first."""
    address, contact = customer["addresses"][0]["id"], customer["contacts"][0]["id"]
    others = (group.name for group in (*GROUPS, DEFAULTS, PRIMARY) if group.name != "terms")
    return ["terms", f"address-{address}", "attributes", *others, f"contact-{contact}", "address-new", "contact-new"]


def to_body(say: Say, **members: Any) -> Json:  # Any: members of a customer
    """A customer with such a text wherever it may have one."""
    texts = ("name", "number", "display_name", "reference_id", "first_name", "last_name", "phone", "note", "website")
    more = ("email", "payment_mode", "carrier_billing_account", "tax_number")
    return {
        **{name: say(name) for name in (*texts, *more)},
        "addresses": [_to_address(say, "billing"), _to_address(say, "shipping")],
        "contacts": [_to_contact(say)],
        "attributes": {say("attribute"): say("its value")},
        "bill_to": "/addresses/0",
        "ship_to": "/addresses/1",
        "primary_contact": "/contacts/0",
        **members,
    }


def _to_address(say: Say, kind: str) -> Json:
    texts = ("name", "first_name", "last_name", "phone", "email")
    more = ("line1", "line2", "city", "state", "postal_code")
    return {
        "type": kind,
        "country": "NO",
        "reference_id": say(f"{kind} reference"),
        **{name: say(name) for name in (*texts, *more)},
        "attributes": {say("dock"): say("gate")},
    }


def _to_contact(say: Say) -> Json:
    texts = ("reference_id", "first_name", "last_name", "phone", "email", "designation")
    return {**{name: say(name) for name in texts}, "attributes": {say("language"): say("norwegian")}}


async def _add_catalogue(bureau: Bureau, say: Say) -> Json:
    """What a customer refers to, by the member of the customer."""
    desk = bureau.desk
    command = to_command(await desk.caller())

    async def add(kind: Kind, details: Any) -> str:  # Any: details of several kinds
        return str(await add_entry(desk.hub, command, kind, EntryValues(say(kind), details=details)))

    return {
        "payment_term": await add("payment_term", NoDetails()),
        "carrier": await add("carrier", CarrierDetails()),
        "price_list": await add("price_list", PriceListDetails()),
    }


async def _add(bureau: Bureau, body: Json) -> Json:
    made: Json = (await _send(bureau, "POST", CUSTOMERS, body))["customer"]
    return made


async def _send(bureau: Bureau, method: str, path: str, body: Json, key: str | None = None) -> Json:
    headers = {"content-type": "application/merge-patch+json"} if method == "PATCH" else {}
    if key is not None:
        headers["authorization"] = f"Bearer {key}"
    answer = await bureau.desk.api.request(method, path, json=body, headers=headers)
    assert answer.is_success, answer.text
    sent: Json = answer.json()
    return sent
