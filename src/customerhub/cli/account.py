"""`customerhub account`: keep a team's customers in an account with another system too."""

from typing import Annotated, Any, Final

import msgspec
import typer
from msgspec import UNSET, Struct

from customerhub.cli.connecting import (
    NAME,
    check_url,
    connect,
    list_sinks_of,
    to_owners,
    to_pairs,
    to_value,
)
from customerhub.cli.failure import Refused
from customerhub.cli.opened import with_hub
from customerhub.cli.operating import command_in
from customerhub.cli.options import Choices, command, group
from customerhub.cli.output import say, show
from customerhub.cli.team import TEAM
from customerhub.core.hub import Hub
from customerhub.core.owners import ACCOUNT_OWNERS
from customerhub.core.sinks import NewSink, Sink, SinkPatch
from customerhub.dialects.base import find_dialects
from customerhub.model.error import FieldError, Invalid
from customerhub.web.remote import Remote

_KIND: Final = "account"


class Wish(Struct, frozen=True):
    """What was asked for at the command line; what is None or empty leaves a thing as it is."""

    dialect: str
    url: str
    name: str | None
    fields: tuple[str, ...]
    credentials: dict[str, str]
    config: dict[str, Any]  # Any: JSON

    def check(self, remote: Remote) -> None:
        """Raise BadParameter for fields that do not travel, Invalid for credentials that are not complete."""
        for field in self.fields:
            if field not in remote.fields:
                raise typer.BadParameter(
                    f"no field {field!r}; there are: {', '.join(remote.fields)}", param_hint="--field"
                )
        fault = remote.check_credentials(self.credentials) if self.credentials else None
        if fault is not None:
            raise Invalid((FieldError(("--credential",), "credentials", fault),))

    def to_patch(self, before: Sink | None) -> SinkPatch:
        """What it makes of the sink that is there. Raises Refused for a new one without credentials."""
        if before is None and not self.credentials:
            raise Refused("Name what proves who we are over there by --credential.")
        name = self.name if self.name is not None else self.dialect if before is None else UNSET
        return SinkPatch(
            name=name,
            url=self.url,
            fields=tuple(f"/{one}" for one in self.fields) if self.fields else UNSET,
            config=_merge(before, self.config),
            secret=msgspec.json.encode(self.credentials).decode() if self.credentials else UNSET,
            # One that was disabled for its credentials is to go on with the new ones; what was paused stays so.
            status="active" if before is not None and before.status == "disabled" else UNSET,
        )


def add_to(app: typer.Typer) -> None:
    """Register the command."""
    accounts = group("Accounts with other systems, which are kept like a team's customers.")
    command(accounts, "connect")(connect_account)
    app.add_typer(accounts, name="account")


def connect_account(
    choices: Choices,
    dialect: Annotated[str, typer.Argument(help="Whose API the account speaks.")],
    team: Annotated[str, TEAM],
    url: Annotated[str, typer.Option("--url", help="Where that API is.")],
    credential: Annotated[
        list[str] | None, typer.Option("--credential", metavar="NAME=VALUE", help="By the API's own names; repeatable.")
    ] = None,
    own: Annotated[
        list[str] | None, typer.Option("--own", metavar="FIELD=OWNER", help="Who wins: hub or other; repeatable.")
    ] = None,
    field: Annotated[
        list[str] | None, typer.Option("--field", help="Keep only this field; repeatable. All without.")
    ] = None,
    default: Annotated[
        list[str] | None,
        typer.Option("--default", metavar="NAME=VALUE", help="A member that each new record there gets; repeatable."),
    ] = None,
    *,
    name: Annotated[str | None, NAME] = None,
    create: Annotated[
        bool | None, typer.Option("--create/--no-create", help="Whether customers that it lacks are made there.")
    ] = None,
) -> None:
    """Connect an account, once its credentials were tried; again with the same URL, change what is named."""
    remote = _get_remote(dialect)
    config: dict[str, Any] = {  # Any: JSON
        "ownership": to_owners(own, remote.fields, ACCOUNT_OWNERS),
        "defaults": {one: to_value(value) for one, value in to_pairs(default, "--default").items()},
    }
    if create is not None:
        config["creates"] = create
    wish = Wish(dialect, url, name, tuple(field or ()), to_pairs(credential, "--credential"), config)
    wish.check(remote)
    made = with_hub(choices, lambda hub: _connect(hub, team, wish))
    if not choices.as_json and made["is_new"]:
        say(
            "Changes go by themselves from now on; the customers that there are, by "
            f"`customerhub sync repair {made['id']}`."
        )
    show(choices, made, f"{'connected' if made['is_new'] else 'changed'}: {made['id']}")


async def _connect(hub: Hub, team: str, wish: Wish) -> dict[str, object]:
    order = await command_in(hub, team)
    await check_url(wish.url, "--url")
    known = await list_sinks_of(hub, order, _KIND)
    before = next((sink for sink in known if (sink.form, sink.url) == (wish.dialect, wish.url)), None)
    new = NewSink(_KIND, wish.dialect, is_trusted=True)
    sink = await connect(hub, order, new, wish.to_patch(before), before, tried="--credential")
    shown: dict[str, object] = {"id": sink.id, "is_new": before is None}
    return shown | {one: getattr(sink, one) for one in ("name", "url", "form", "fields", "config", "status")}


def _get_remote(dialect: str) -> Remote:
    """How such an account is kept; a wrong name is a wrong use of the command."""
    remotes = {one.name: one.remote for one in find_dialects() if one.remote is not None}
    if dialect not in remotes:
        raise typer.BadParameter(f"no accounts of {dialect!r}; there are: {', '.join(remotes) or 'none'}")
    return remotes[dialect]


def _merge(before: Sink | None, config: dict[str, Any]) -> dict[str, Any]:
    """What is there with what was named: of objects the members, so that one owner more takes away no other."""
    merged = dict(before.config) if before is not None else {}
    for name, value in config.items():
        merged[name] = {**merged.get(name, {}), **value} if isinstance(value, dict) else value
    return {name: value for name, value in merged.items() if value != {}}
