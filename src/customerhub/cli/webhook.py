"""`customerhub webhook`: tell a receiver of a team's changes by HTTP."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Final

import typer

from customerhub.cli.connecting import NAME, check_url, connect, to_pairs
from customerhub.cli.opened import with_hub
from customerhub.cli.operating import command_in
from customerhub.cli.options import Choices, command, group
from customerhub.cli.output import say, show, to_lines
from customerhub.cli.team import TEAM
from customerhub.core.hub import Hub
from customerhub.core.sinks import NewSink, SinkPatch
from customerhub.dialects.base import find_dialects
from customerhub.model.customer import CUSTOMER_FIELDS
from customerhub.model.error import FieldError, Invalid
from customerhub.web.webhook import WebhookForm

_KIND: Final = "webhook"
_DEFAULT: Final = "hub"


def add_to(app: typer.Typer) -> None:
    """Register the command."""
    webhooks = group("Webhooks: receivers that are told of a team's changes by HTTP.")
    command(webhooks, "add")(add)
    app.add_typer(webhooks, name="webhook")


def add(
    choices: Choices,
    team: Annotated[str, TEAM],
    url: Annotated[str, typer.Option("--url", help="Where messages are posted to.")],
    form: Annotated[str, typer.Option("--form", help="The API in whose words it is told.")] = _DEFAULT,
    event: Annotated[
        list[str] | None, typer.Option("--event", help="Only this event, in those words; repeatable.")
    ] = None,
    field: Annotated[
        list[str] | None,
        typer.Option("--field", metavar="PATH", help="Updates only where this place changed: /email; repeatable."),
    ] = None,
    secret: Annotated[str | None, typer.Option("--secret", help="Signs messages; made without.")] = None,
    config: Annotated[
        list[str] | None, typer.Option("--config", metavar="NAME=VALUE", help="What only that form knows; repeatable.")
    ] = None,
    *,
    name: Annotated[str, NAME] = "",
) -> None:
    """Add a receiver and print the secret that its messages are signed with, this once."""
    words = _get_form(form)
    settings = to_pairs(config, "--config")
    _check(words, event or (), field or (), settings)
    signing = secret if secret is not None else words.new_secret()
    fault = words.check_secret(signing) if signing is not None else None
    if fault is not None:
        raise Invalid((FieldError(("--secret",), "secret", fault),))
    patch = SinkPatch(
        name=name,
        url=url,
        events=tuple(event or ()),
        types=words.to_types(event) if event else (),
        fields=tuple(field or ()),
        config=dict(settings),
        secret=signing,
    )

    async def work(hub: Hub) -> dict[str, object]:
        await check_url(url, "--url")
        order = await command_in(hub, team)
        sink = await connect(hub, order, NewSink(_KIND, form, is_trusted=True), patch, None, tried=None)
        shown = {one: getattr(sink, one) for one in ("id", "name", "url", "form", "events", "fields", "status")}
        return {**shown, "secret": signing}

    made = with_hub(choices, work)
    if not choices.as_json and signing is not None:
        say("Keep the secret: it is not shown again.")
    show(
        choices, made, to_lines({**made, "events": ", ".join(event or ["all"]), "fields": ", ".join(field or ["all"])})
    )


def _get_form(name: str) -> WebhookForm:
    """The words that a receiver is told in; a wrong name is a wrong use of the command."""
    forms = {one.name: one.webhook_form for one in find_dialects() if one.webhook_form is not None}
    if name not in forms:
        raise typer.BadParameter(f"no form {name!r}; there are: {', '.join(forms) or 'none'}", param_hint="--form")
    return forms[name]


def _check(words: WebhookForm, events: Sequence[str], fields: Sequence[str], config: Mapping[str, object]) -> None:
    for event in events:
        if event not in words.events:
            raise typer.BadParameter(f"no event {event!r}; there are: {', '.join(words.events)}", param_hint="--event")
    for field in fields:
        if not field.startswith("/") or field.split("/")[1] not in CUSTOMER_FIELDS:
            raise typer.BadParameter(f"{field!r} is no place in a customer, such as /email", param_hint="--field")
    fault = words.check_config(config)
    if fault is not None:
        raise Invalid((FieldError(("--config",), "config", fault),))
