"""The way in: `/console` leads to the team, or asks which; a team's first page."""

from typing import Final

from customerhub.console.desk import PREFIX, Desk, signed_in, to_url
from customerhub.console.shell import to_page
from customerhub.model.answer import Answer
from customerhub.web.browser import find_secret, get_person, to_csrf, to_sign_in
from customerhub.web.render import redirect
from customerhub.web.screens import Screen, Visit


async def choose_team(visit: Visit) -> Answer:
    """`GET /console`: on to the one team there is, or the teams to choose from."""
    person = await get_person(visit)
    if person is None:
        return to_sign_in(visit)
    if len(person.memberships) == 1 and "all" not in visit.query:
        return redirect(to_url(person.memberships[0].team))
    teams = [(one.name, to_url(one.team)) for one in person.memberships]
    return to_page("teams.html", desk=None, csrf=to_csrf(find_secret(visit) or ""), person=person, teams=teams)


async def show(desk: Desk) -> Answer:
    """`GET /console/{team}`: the team at a glance."""
    return desk.render("start.html")


SCREENS: Final[dict[str, dict[str, Screen]]] = {
    PREFIX: {"GET": choose_team},
    f"{PREFIX}/{{team}}": {"GET": signed_in(show)},
}
