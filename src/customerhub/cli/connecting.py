"""What the commands share that set up sinks: values from options, one sink made or changed, and tried before."""

from collections.abc import Collection, Iterable, Sequence
from typing import Final

import msgspec
import typer

from customerhub.cli.operating import Kept
from customerhub.core.command import Command
from customerhub.core.hub import Hub
from customerhub.core.outgoing import Verdict
from customerhub.core.owners import find_owner_faults
from customerhub.core.sinks import NewSink, Sink, SinkPatch, SinkProposal, create_sink, list_sinks, update_sink
from customerhub.core.trial import Trial
from customerhub.model.error import FieldError, Invalid
from customerhub.store.sinks import SinkKind
from customerhub.web.callback import find_callback_fault

NAME = typer.Option("--name", help="What the sink is called.")
# What the operator names is theirs to judge: every address will do, as long as it is one.
_LONGEST_URL: Final = 2048


async def connect(
    hub: Hub, order: Command, new: NewSink, patch: SinkPatch, before: Sink | None, *, tried: str | None
) -> Sink:
    """Make a sink, or change the one that is there; `tried` is the option to blame where the other side refuses.

    None does not ask the other side. Raises Invalid, Unproven, Conflict.
    """
    kept: Kept[Sink] = Kept()
    trial = Trial(lambda verdict: _to_error(tried, verdict)) if tried is not None else None
    proposal = SinkProposal(patch)
    if before is None:
        await create_sink(hub, order, new, lambda _: proposal, kept, trial=trial)
    else:
        await update_sink(hub, order, before.id, lambda _: proposal, kept, trial=trial)
    return kept.thing


def _to_error(option: str, verdict: Verdict) -> FieldError:
    return FieldError((option,), "refused", verdict.reason or "does not work")


async def list_sinks_of(hub: Hub, order: Command, kind: SinkKind) -> list[Sink]:
    """The team's sinks of a kind, the oldest first."""
    return [view.sink for view in await list_sinks(hub, order.caller) if view.sink.kind == kind]


async def check_url(url: str, option: str) -> None:
    """Raise Invalid for what is no URL; private addresses and http will do, since it is the operator who names it."""
    fault = await find_callback_fault(url, allows_private=True, allows_http=True)
    if fault is None and len(url) > _LONGEST_URL:
        fault = f"must be no longer than {_LONGEST_URL} characters"
    if fault is not None:
        raise Invalid((FieldError((option,), "invalid_url", fault),))


def to_pairs(texts: Iterable[str] | None, option: str) -> dict[str, str]:
    """`NAME=VALUE` by name; what is none is a wrong use of the command, and not shown: it may be a secret."""
    found: dict[str, str] = {}
    for text in texts or ():
        name, equals, value = text.partition("=")
        if not equals or not name.strip():
            raise typer.BadParameter("must be NAME=VALUE", param_hint=option)
        found[name.strip()] = value
    return found


def to_owners(texts: Iterable[str] | None, fields: Collection[str], owners: Sequence[str]) -> dict[str, str]:
    """Who wins, by field; raises BadParameter for fields and owners that there are not."""
    found = to_pairs(texts, "--own")
    for fault in find_owner_faults(found, fields, owners):
        raise typer.BadParameter(f"{fault.field} {fault.reason}", param_hint="--own")
    return found


def to_value(text: str) -> object:
    """A list, an object, a flag or a text in quotes as JSON says it; everything else is text as it is."""
    if text[:1] not in ("[", "{", '"') and text not in ("true", "false", "null"):
        return text
    try:
        return msgspec.json.decode(text)
    except msgspec.DecodeError:
        raise typer.BadParameter(f"{text!r} is no JSON") from None
