"""What the team decides for itself: its name, its rules, the price list of new customers."""

from functools import partial
from typing import Final
from uuid import UUID

import msgspec

from customerhub.console.desk import PREFIX, Desk, signed_in
from customerhub.console.reader import NOTHING, SHORT, Reader, Refusal, attempt
from customerhub.console.sinks import find_names
from customerhub.core import team_settings as core
from customerhub.core import teams
from customerhub.core.sessions import ADMINISTER
from customerhub.core.team_settings import SettingsProposal, SettingsView
from customerhub.core.teams import NameProposal
from customerhub.model.answer import Answer
from customerhub.model.catalogue import Catalogue, TeamSettings
from customerhub.model.customer import name_key
from customerhub.model.error import EmailsShared
from customerhub.store.access import Team
from customerhub.web.screens import Screen

SETTINGS: Final = f"{PREFIX}/{{team}}/settings"
# The rules with several answers: name, title, explanation, and the answers, the first one being the usual.
CHOICES: Final = (
    (
        "email_policy",
        "Email addresses",
        "Whether an email address belongs to one customer only. While customers share one it cannot become so.",
        (("unique", "belong to one customer"), ("free", "may be shared")),
    ),
    (
        "unknown_members",
        "Unknown fields in requests",
        "What becomes of a field in a request that the API does not have.",
        (
            ("contract", "as the API's contract says"),
            ("ignore", "are ignored, and named in the answer"),
            ("refuse", "are refused"),
        ),
    ),
    (
        "null_members",
        "Nulls without a meaning",
        "What becomes of a null where the API's contract has no meaning for it.",
        (("refuse", "are refused"), ("ignore", "are ignored")),
    ),
)
FLAGS: Final = (
    (
        "free_attributes",
        "Custom values need no definition",
        "Otherwise a customer can only have those custom values that are defined for it.",
    ),
    (
        "relaxed_create",
        "New customers may lack what an API's contract demands",
        "A missing sales rep becomes the person who asks, and a missing price list the one below.",
    ),
    (
        "requires_precondition",
        "Every update must name the version that it is about",
        "With If-Match, whichever API it comes through, so that nobody passes over somebody else's change.",
    ),
)


async def show(desk: Desk) -> Answer:
    """`GET /console/{team}/settings`: the name and every setting, with what it means."""
    return await _show(desk, NOTHING)


async def _show(desk: Desk, refusal: Refusal) -> Answer:
    view = await core.get_settings(desk.hub, desk.caller)
    shared = refusal.cause.customers if isinstance(refusal.cause, EmailsShared) else ()
    names = await find_names(desk, shared)
    return desk.render(
        "settings.html",
        refusal.status,
        view=view,
        # What was typed stays, so that it can be mended.
        values=desk.form if refusal.keeps_form and "email_policy" in desk.form else _to_values(view),
        name=desk.form.get("name", view.team.name) if refusal.keeps_form else view.team.name,
        choices=CHOICES,
        flags=FLAGS,
        price_lists=_list_price_lists(desk.catalogue, view.default_price_list),
        hub_limit=desk.hub.settings.rate_limit,
        refusal=refusal,
        errors=refusal.errors,
        shared=[(customer, names.get(customer)) for customer in shared],
        shared_count=refusal.cause.count if isinstance(refusal.cause, EmailsShared) else 0,
    )


def _to_values(view: SettingsView) -> dict[str, object]:
    return {**msgspec.structs.asdict(view.team.settings), "default_price_list": str(view.default_price_list or "")}


def _list_price_lists(catalogue: Catalogue, now: UUID | None) -> list[tuple[str, str]]:
    lists = [entry for entry in catalogue.entries("price_list") if entry.status == "active" or entry.id == now]
    named = sorted((name_key(entry.name), str(entry.id), entry.name) for entry in lists)
    return [("", "none"), *((entry_id, name) for _, entry_id, name in named)]


async def update(desk: Desk) -> Answer:
    """`POST /console/{team}/settings`: all of them as they were filled in."""
    reader = Reader(desk)

    def decide(before: SettingsView, catalogue: Catalogue) -> SettingsProposal:
        del catalogue
        return SettingsProposal(_read(reader, before.team.settings), reader.id("default_price_list"), reader.found())

    def render(view: SettingsView) -> Answer:
        del view
        return desk.go("settings", saved=1)

    command = desk.command(version=reader.version())
    return await attempt(core.update_settings(desk.hub, command, decide, render), partial(_show, desk))


def _read(reader: Reader, before: TeamSettings) -> TeamSettings:
    chosen = {
        name: reader.choice(name, tuple(word for word, _ in answers), getattr(before, name))
        for name, _, _, answers in CHOICES
    }
    checked = {name: reader.flag(name) for name, _, _ in FLAGS}
    limit = reader.text("rate_limit", SHORT) or ""
    return msgspec.structs.replace(before, **chosen, **checked, rate_limit=limit)


async def rename(desk: Desk) -> Answer:
    """`POST …/settings/name`: another name for the team."""
    reader = Reader(desk)
    name = reader.text("name", required=True) or ""

    def decide(before: Team) -> NameProposal:
        del before
        return NameProposal(name, reader.found())

    def render(team: Team) -> Answer:
        del team
        return desk.go("settings", saved=1)

    command = desk.command(version=reader.version())
    return await attempt(teams.rename_team(desk.hub, command, desk.team, decide, render), partial(_show, desk))


SCREENS: Final[dict[str, dict[str, Screen]]] = {
    SETTINGS: {"GET": signed_in(show, permission=ADMINISTER), "POST": signed_in(update, permission=ADMINISTER)},
    f"{SETTINGS}/name": {"POST": signed_in(rename, permission=ADMINISTER)},
}
