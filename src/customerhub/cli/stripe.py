"""`customerhub stripe`: keep a team's customers in its Stripe account too."""

import shlex
from typing import Annotated, Any, Final

import msgspec
import typer
from msgspec import UNSET, Struct

from customerhub.cli.connecting import check_url, connect, list_sinks_of, to_owners
from customerhub.cli.failure import Refused
from customerhub.cli.opened import with_hub
from customerhub.cli.operating import command_in
from customerhub.cli.options import Choices, command, group
from customerhub.cli.output import say, show
from customerhub.cli.sink import remove_sink
from customerhub.cli.team import TEAM
from customerhub.core.hub import Hub
from customerhub.core.owners import STRIPE_FIELDS, STRIPE_OWNERS
from customerhub.core.sinks import NewSink, Sink, SinkPatch
from customerhub.sinks.stripe.keys import HOOK, Keys, find_keys

_KIND: Final = "stripe"
_NAME: Final = "Stripe"


class Wish(Struct, frozen=True):
    """What was asked for at the command line; what is None or empty leaves a thing as it is."""

    api_key: str | None
    api_base: str | None
    webhook_secret: str | None
    own: dict[str, str]

    def to_patch(self, hub: Hub, before: Sink | None) -> SinkPatch:
        """What it makes of the sink that is there. Raises Refused without any key, and SecretKeyError."""
        keys = find_keys(hub, before) if before is not None else None
        api_key = self.api_key or (keys.api_key if keys is not None else None)
        if api_key is None:
            raise Refused("This team has no Stripe account yet: name its key by --api-key.")
        webhook_secret = self.webhook_secret or (keys.webhook_secret if keys is not None else None)
        config: dict[str, Any] = dict(before.config) if before is not None else {}  # Any: JSON
        if self.api_base is not None:
            config["api_base"] = self.api_base
        if self.own:
            config["ownership"] = {**config.get("ownership", {}), **self.own}
        return SinkPatch(
            name=_NAME if before is None else UNSET,
            config=config,
            secret=msgspec.json.encode(Keys(api_key, webhook_secret)).decode(),
            # A sink that was disabled for its key is to go on with the new one; what was paused stays so.
            status="active" if before is not None and before.status == "disabled" else UNSET,
        )


def add_to(app: typer.Typer) -> None:
    """Register the commands."""
    account = group("Stripe: keep a team's customers in its Stripe account too.")
    command(account, "connect")(connect_stripe)
    command(account, "disconnect")(disconnect)
    app.add_typer(account, name="stripe")


def connect_stripe(
    choices: Choices,
    team: Annotated[str, TEAM],
    api_key: Annotated[str | None, typer.Option("--api-key", help="A secret or restricted key of the account.")] = None,
    api_base: Annotated[
        str | None, typer.Option("--api-base", help="Where Stripe is, if not at its own address.")
    ] = None,
    webhook_secret: Annotated[
        str | None, typer.Option("--webhook-secret", help="Of the endpoint that was entered at Stripe for this hub.")
    ] = None,
    own: Annotated[
        list[str] | None,
        typer.Option("--own", metavar="FIELD=OWNER", help=f"{', '.join(STRIPE_FIELDS)}: {', '.join(STRIPE_OWNERS)}."),
    ] = None,
) -> None:
    """Connect a team's Stripe account, once its key was tried; on a team that has one, change what is named."""
    wish = Wish(api_key, api_base, webhook_secret, to_owners(own, STRIPE_FIELDS, STRIPE_OWNERS))

    async def work(hub: Hub) -> dict[str, object]:
        order = await command_in(hub, team)
        if api_base is not None:
            await check_url(api_base, "--api-base")
        before = next(iter(await list_sinks_of(hub, order, _KIND)), None)
        new = NewSink(_KIND, "", is_trusted=True)
        sink = await connect(hub, order, new, wish.to_patch(hub, before), before, tried="--api-key")
        return _to_answer(hub, sink, is_new=before is None)

    made = with_hub(choices, work)
    if not choices.as_json:
        _say_next(made, team)
    show(choices, made, f"{'connected' if made['is_new'] else 'changed'}: {made['id']}")


def _to_answer(hub: Hub, sink: Sink, *, is_new: bool) -> dict[str, object]:
    return {
        "id": sink.id,
        "is_new": is_new,
        "status": sink.status,
        "config": sink.config,
        "webhook_path": HOOK.format(integration=sink.id),
        "webhook_url": f"{hub.settings.public_url.rstrip('/')}{HOOK.format(integration=sink.id)}",
        "has_webhook_secret": find_keys(hub, sink).webhook_secret is not None,
    }


def _say_next(made: dict[str, object], team: str) -> None:
    if made["status"] != "active":
        say(f"The sink is {made['status']}: `customerhub sink resume {made['id']}` lets it go on.")
    if made["is_new"]:
        say(
            "Changes go by themselves from now on; the customers that there are, by "
            f"`customerhub sync repair stripe --team {shlex.quote(team)}`."
        )
    if not made["has_webhook_secret"]:
        say(
            "For changes made at Stripe, enter there as an endpoint for customer.updated and customer.deleted: "
            f"{made['webhook_url']} at this hub's address. Then connect again with --webhook-secret."
        )


def disconnect(choices: Choices, team: Annotated[str, TEAM]) -> None:
    """Send a team's Stripe account nothing any more and forget its key; its customers stay there as they are."""

    async def work(hub: Hub) -> dict[str, object]:
        found = next(iter(await list_sinks_of(hub, await command_in(hub, team), _KIND)), None)
        if found is None:
            raise Refused("This team has no Stripe account.")
        return await remove_sink(hub, str(found.id), team)

    gone = with_hub(choices, work)
    show(choices, gone, f"disconnected: {gone['id']}")
