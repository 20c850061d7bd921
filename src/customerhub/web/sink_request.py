"""From what somebody wishes of a sink to what is stored, kind by kind, every wrong value collected; for every door."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any, Final

import msgspec
from msgspec import Struct

from customerhub.core.hub import Hub
from customerhub.core.outgoing import Verdict
from customerhub.core.owners import ACCOUNT_OWNERS, STRIPE_FIELDS, STRIPE_OWNERS, find_owner_faults
from customerhub.core.sinks import Sink, SinkPatch
from customerhub.core.trial import Trial
from customerhub.model.answer import COMMAND_LINE, CONSOLE
from customerhub.model.error import Conflict, FieldError
from customerhub.store.sinks import SinkKind
from customerhub.web.callback import find_callback_fault
from customerhub.web.dialect import Dialect
from customerhub.web.remote import Remote
from customerhub.web.webhook import WebhookForm

WEBHOOK: Final[SinkKind] = "webhook"
# Doors whose sinks' events can be any, beside the canonical API; other APIs show what they made in words of their own.
_OWN: Final = (COMMAND_LINE, CONSOLE)
REACHING: Final = ("api_key", "credentials", "api_base", "url")
"""Members that lead to the other side: where one of them changes, the sink is tried before it is stored."""
_URLS: Final = ("url", "api_base")
_LONGEST_URL: Final = 2048
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


class Ways(Struct, frozen=True):
    """How this hub's dialects let sinks be told: webhooks in the words of `forms`, accounts through `remotes`, by name.

    `own` is the dialect of the record itself, in whose words a webhook is told where nobody says otherwise.
    """

    forms: Mapping[str, WebhookForm]
    remotes: Mapping[str, Remote]
    own: str


def to_ways(dialects: Iterable[Dialect]) -> Ways:
    """What dialects can do for sinks."""
    known = tuple(dialects)
    return Ways(
        {dialect.name: form for dialect in known if (form := dialect.webhook_form) is not None},
        {dialect.name: remote for dialect in known if (remote := dialect.remote) is not None},
        next((dialect.name for dialect in known if dialect.is_canonical), ""),
    )


class Asked(Struct, frozen=True):
    """A request whose values keep their own rules, in view of the sink that it is about.

    `before` is None for a new one. `faults` are what is wrong with the addresses that it names, by member. `made` is
    the secret for a webhook whose request brings none.
    """

    ways: Ways
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
        for name in _URLS:
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
    form = asked.ways.forms.get(asked.form)
    if form is None:
        yield FieldError(("form",), "enum", f"must be one of {', '.join(asked.ways.forms)}")
        return
    if "events" in fields:
        if asked.before is not None and asked.before.dialect not in (asked.ways.own, *_OWN):
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
    remote = asked.ways.remotes.get(asked.form)
    if remote is None:
        if "form" in values or asked.before is not None:
            yield FieldError(("form",), "enum", f"must be one of {', '.join(asked.ways.remotes)}")
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


def make_secret(ways: Ways, kind: SinkKind, form: str) -> str | None:
    """A secret for a new sink whose request brings none; None where its kind or its form has none."""
    found = ways.forms.get(form)
    return found.new_secret() if found is not None and kind == WEBHOOK else None


def choose_secret(ways: Ways, sink: Sink, sent: str | None) -> tuple[str | None, list[FieldError]]:
    """The next secret of a webhook, the one that was sent or one that its form makes, and what is wrong with it.

    Raises Conflict for a sink whose secret is nothing that could be replaced by itself.
    """
    form = ways.forms.get(sink.form)
    if sink.kind != WEBHOOK or form is None:
        raise Conflict("only webhooks have a secret that could be replaced by itself")
    secret = sent or form.new_secret()
    if secret is None:
        return None, [FieldError(("secret",), "required", "is required: this form makes none")]
    fault = form.check_secret(secret)
    return secret, [FieldError(("secret",), "secret", fault)] if fault is not None else []


async def find_faults(hub: Hub, sent: Mapping[str, object], *, is_refused: bool = False) -> dict[str, str]:
    """What is wrong with where the addresses of a request lead, by member; looked up before any transaction begins.

    A request that is refused anyway is not worth the time that it takes to look names up.
    """
    urls = {name: url for name in _URLS if isinstance(url := sent.get(name), str)}
    if not urls or max(map(len, urls.values())) > _LONGEST_URL:
        return {}
    is_free = hub.settings.private_callbacks
    faults: dict[str, str] = {}
    for name, url in urls.items():
        fault = await find_callback_fault(url, allows_private=is_free or is_refused, allows_http=is_free)
        if fault is not None:
            faults[name] = fault
    return faults


def to_trial(reached: list[str]) -> Trial:
    """A trial of a sink; what is wrong is told at the first member that leads there."""

    def to_error(verdict: Verdict) -> FieldError:
        return FieldError((reached[0],), "refused", verdict.reason or "does not work")

    return Trial(to_error)


def _named(kind: SinkKind) -> str:
    return f"an {kind}" if kind == "account" else f"a {kind}"
