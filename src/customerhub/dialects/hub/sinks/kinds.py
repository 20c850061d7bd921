"""From what a request says of a sink to what is stored, kind by kind, every wrong value collected."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from functools import cache
from typing import Any, Final

import msgspec
from msgspec import Struct

from customerhub.core.hub import Hub
from customerhub.core.owners import ACCOUNT_OWNERS, STRIPE_FIELDS, STRIPE_OWNERS, find_owner_faults
from customerhub.core.sinks import Sink, SinkPatch
from customerhub.dialects.base import find_dialects
from customerhub.model.answer import COMMAND_LINE
from customerhub.model.error import FieldError
from customerhub.store.sinks import SinkKind
from customerhub.web.remote import Remote
from customerhub.web.webhook import WebhookForm

WEBHOOK: Final[SinkKind] = "webhook"
DEFAULT_FORM: Final = "hub"
# Who makes sinks whose events can be any; others' APIs show what they made in words of their own.
_OWN: Final = (DEFAULT_FORM, COMMAND_LINE)
# Members that lead to the other side: where one of them changes, the sink is tried before it is stored.
REACHING: Final = ("api_key", "credentials", "api_base", "url")
_ALL: Final = ("kind", "name", "status")
_MEMBERS: Final[Mapping[SinkKind, tuple[str, ...]]] = {
    "webhook": ("url", "form", "events", "fields", "config", "secret"),
    "stripe": ("api_key", "webhook_secret", "api_base", "ownership"),
    "account": ("form", "url", "credentials", "fields", "ownership", "creates", "defaults"),
}
_REQUIRED: Final[Mapping[SinkKind, tuple[str, ...]]] = {
    "webhook": ("url",),
    "stripe": ("api_key",),
    "account": ("form", "url", "credentials"),
}


class Asked(Struct, frozen=True):
    """A body whose values keep their own rules, in view of the sink that it is about.

    `before` is None for a new one. `faults` are what is wrong with the addresses that it names, by member. `made` is
    the secret for a webhook whose request brings none.
    """

    kind: SinkKind
    form: str
    values: Mapping[str, Any]  # Any: JSON, checked
    before: Sink | None
    faults: Mapping[str, str]
    made: str | None = None

    def find_errors(self) -> list[FieldError]:
        """What is wrong with which members there are, and with where they lead."""
        known = {*_ALL, *_MEMBERS[self.kind]}
        errors = [
            FieldError((name,), "unknown", f"is no member of {_named(self.kind)}")
            for name in self.values
            if name not in known
        ]
        if self.before is None:
            missing = (name for name in _REQUIRED[self.kind] if name not in self.values)
            errors += (FieldError((name,), "required", "is required") for name in missing)
        for name in ("url", "api_base"):
            if name in self.values and name in known and self._moves(name):
                if self.before is not None and self.before.is_trusted:
                    told = "was set by those who run the hub, and is theirs to change"
                    errors.append(FieldError((name,), "not_yours", told))
                elif name in self.faults:
                    errors.append(FieldError((name,), "invalid_url", self.faults[name]))
                elif self.before is not None and (key := _KEYS.get(self.kind)) and key not in self.values:
                    # Whoever may change an address must not have what is stored sent there, to read it.
                    errors.append(FieldError((key,), "required", f"is needed along with another {name}"))
        return errors

    def _moves(self, name: str) -> bool:
        if self.before is None:
            return True
        now = self.before.url if name == "url" else self.before.config.get(name)
        return bool(self.values[name] != now)


_KEYS: Final[Mapping[SinkKind, str]] = {"stripe": "api_key", "account": "credentials"}


def to_patch(hub: Hub, asked: Asked) -> tuple[SinkPatch, list[FieldError]]:
    """What is asked for, and every wrong value by its place in the request."""
    errors = asked.find_errors()
    fields = {name: asked.values[name] for name in ("name", "url", "status") if name in asked.values}
    for name in ("events", "fields"):
        if name in asked.values:
            fields[name] = tuple(asked.values[name])
    match asked.kind:
        case "webhook":
            errors += _read_webhook(asked, fields)
        case "stripe":
            errors += _read_stripe(hub, asked, fields)
        case "account":
            errors += _read_account(asked, fields)
    return (SinkPatch(**fields) if not errors else SinkPatch()), errors


def _read_webhook(asked: Asked, fields: dict[str, Any]) -> Iterator[FieldError]:
    form = find_forms().get(asked.form)
    if form is None:
        yield FieldError(("form",), "enum", f"must be one of {', '.join(find_forms())}")
        return
    if "events" in fields:
        if asked.before is not None and asked.before.dialect not in _OWN:
            yield FieldError(("events",), "not_yours", f"are changed through the API {asked.before.dialect}")
        told = f"must be one of {', '.join(form.events)}"
        for place, event in enumerate(fields["events"]):
            if event not in form.events:
                yield FieldError(("events", place), "enum", told)
        fields["types"] = form.to_types(fields["events"]) if fields["events"] else ()
    secret = asked.values.get("secret", asked.made)
    if secret is not None:
        if (fault := form.check_secret(secret)) is not None:
            yield FieldError(("secret",), "secret", fault)
        fields["secret"] = secret
    if asked.before is None or "config" in asked.values:
        fields["config"] = asked.values.get("config", {})
        if (fault := form.check_config(fields["config"])) is not None:
            yield FieldError(("config",), "config", fault)


def _read_stripe(hub: Hub, asked: Asked, fields: dict[str, Any]) -> Iterator[FieldError]:
    values, before = asked.values, asked.before
    keys: dict[str, str | None] = {"api_key": None, "webhook_secret": None}
    if before is not None and before.secret is not None:
        keys |= msgspec.json.decode(hub.vault.decrypt(before.secret), type=dict[str, str | None])
    if sent := {name: values[name] for name in keys if name in values}:
        fields["secret"] = msgspec.json.encode(keys | sent).decode()
    fields["config"] = _to_config(asked, ("api_base", "ownership"))
    yield from _find_owner_errors(values.get("ownership", {}), STRIPE_FIELDS, STRIPE_OWNERS)


def _read_account(asked: Asked, fields: dict[str, Any]) -> Iterator[FieldError]:
    values = asked.values
    remote = find_remotes().get(asked.form)
    if remote is None:
        if "form" in values or asked.before is not None:
            yield FieldError(("form",), "enum", f"must be one of {', '.join(find_remotes())}")
        return
    if "credentials" in values:
        if (fault := remote.check_credentials(values["credentials"])) is not None:
            yield FieldError(("credentials",), "credentials", fault)
        fields["secret"] = msgspec.json.encode(values["credentials"]).decode()
    for place, path in enumerate(fields.get("fields", ())):
        if path.removeprefix("/") not in remote.fields:
            told = f"must be one of {', '.join(f'/{field}' for field in remote.fields)}"
            yield FieldError(("fields", place), "enum", told)
    fields["config"] = _to_config(asked, ("ownership", "creates", "defaults"))
    yield from _find_owner_errors(values.get("ownership", {}), remote.fields, ACCOUNT_OWNERS)


def _to_config(asked: Asked, names: Iterable[str]) -> dict[str, Any]:  # Any: JSON
    """The configuration with the members that are sent; null takes one out of it."""
    config = dict(asked.before.config) if asked.before is not None else {}
    config |= {name: asked.values[name] for name in names if name in asked.values}
    return {name: value for name, value in config.items() if value is not None}


def _find_owner_errors(
    ownership: Mapping[str, str], known: Collection[str], owners: Collection[str]
) -> Iterator[FieldError]:
    for fault in find_owner_faults(ownership, known, owners):
        yield FieldError(("ownership", fault.field), fault.code, fault.reason)


@cache
def find_forms() -> dict[str, WebhookForm]:
    """The dialects in whose words webhooks are told."""
    return {dialect.name: form for dialect in find_dialects() if (form := dialect.webhook_form) is not None}


@cache
def find_remotes() -> dict[str, Remote]:
    """The dialects whose vendors' accounts can be kept like this hub's customers."""
    return {dialect.name: remote for dialect in find_dialects() if (remote := dialect.remote) is not None}


def _named(kind: SinkKind) -> str:
    return f"an {kind}" if kind == "account" else f"a {kind}"
