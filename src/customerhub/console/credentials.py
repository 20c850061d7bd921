"""The team's credentials, for whichever of the hub's APIs: who may ask, since when, how often, and until when."""

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Final
from uuid import UUID

import msgspec

from customerhub.console.desk import PREFIX, Desk, signed_in
from customerhub.console.paging import to_position, to_token
from customerhub.console.reader import NOTHING, SHORT, Reader, Refusal, attempt
from customerhub.core import credentials as core
from customerhub.core.command import Author, Command
from customerhub.core.credentials import CreationProposal, KeyShape, MarksProposal, Pass, RotationProposal
from customerhub.core.hub import Hub
from customerhub.core.sessions import ADMINISTER
from customerhub.model.answer import Answer
from customerhub.model.catalogue import Catalogue
from customerhub.model.error import FieldError, NotFound
from customerhub.model.page import window
from customerhub.store.access import Team
from customerhub.web.dialect import CredentialOrder, Dialect
from customerhub.web.screens import Screen

CREDENTIALS: Final = f"{PREFIX}/{{team}}/credentials"
_KIND: Final = "credential"
_PER_PAGE: Final = 100
_LONGEST_URI: Final = 2048
_MOST_URIS: Final = 20
_STATUSES: Final = ("active", "expired", "revoked")
_OVERLAPS: Final = (("0", "at once"), ("3600", "in an hour"), ("86400", "in a day"), ("604800", "in a week"))
# What a dialect says of a new credential that is no secret.
_PLAIN: Final = ("id", "name", "scopes", "team_id")


def to_command(desk: Desk, version: int | None = None) -> Command:
    """A write by somebody who may give a credential whatever a team can give: what each dialect calls it too."""
    command = desk.command(version=version)
    scopes = frozenset(scope for dialect in desk.dialects() for scope in dialect.scopes)
    return replace(command, caller=msgspec.structs.replace(command.caller, scopes=desk.caller.scopes | scopes))


async def list_page(desk: Desk) -> Answer:
    """`GET /console/{team}/credentials?status=&api=&after=`: the newest first, those that are alive unless asked."""
    query, now = desk.visit.query, desk.hub.now()
    status = query.get("status", "active")
    api = query.get("api", "")
    chosen = (
        one
        for one in await core.list_credentials(desk.hub, desk.caller)
        if (status not in _STATUSES or one.status(now) == status) and api in ("", one.dialect)
    )
    scope = f"credentials {desk.team}"
    position = to_position(scope, query.get("after"))
    found = window(chosen, position, _PER_PAGE)
    after = to_token(scope, found.after)
    return desk.render(
        "credentials.html",
        rows=[(one, one.status(now), *_to_rights(desk, one)) for one in found.items],
        wanted=status,
        statuses=[("all", "all"), *((one, one) for one in _STATUSES)],
        api=api,
        apis=[("", "all"), *((dialect.name, dialect.name) for dialect in desk.dialects())],
        older=desk.url("credentials", status=status, api=api or None, after=after) if after else None,
        is_first=position is None,
    )


def _to_rights(desk: Desk, credential: Pass) -> tuple[str, str | None]:
    """What a credential may, in a word, and whose it is."""
    role = desk.catalogue.name_of("role", credential.role)
    user = desk.catalogue.find_user(credential.user)
    return role or ", ".join(credential.scopes) or "everything", (user.name or user.email) if user else None


async def show_new(desk: Desk) -> Answer:
    """`GET …/credentials/new?api=`: for which API, then its form."""
    if "api" not in desk.visit.query:
        return desk.render("credential_apis.html", dialects=desk.dialects())
    return await _render_new(desk, _get_dialect(desk, desk.visit.query["api"]), NOTHING)


def _get_dialect(desk: Desk, name: str) -> Dialect:
    found = next((dialect for dialect in desk.dialects() if dialect.name == name), None)
    if found is None:
        raise NotFound("dialect", name)
    return found


async def _render_new(desk: Desk, dialect: Dialect, refusal: Refusal) -> Answer:
    users = [user for user in desk.catalogue.users() if user.status == "active"]
    return desk.render(
        "credential_new.html",
        refusal.status,
        dialect=dialect,
        users=[("", "nobody: it acts for itself"), *((str(user.id), user.name or user.email) for user in users)],
        values=desk.form,
        scopes=[(scope, scope) for scope in dialect.scopes],
        refusal=refusal,
        errors=refusal.errors,
    )


async def create(desk: Desk) -> Answer:
    """`POST …/credentials/new`: what its owner needs, this once."""
    dialect, reader = _get_dialect(desk, desk.form.get("api", "")), Reader(desk)
    order = CredentialOrder(
        name=reader.text("name", required=True) or "",
        team_user=reader.id("user"),
        requires_precondition=reader.flag("requires_precondition"),
        redirect_uris=reader.lines("redirect_uris", _LONGEST_URI, _MOST_URIS),
        scopes=tuple(scope for scope in reader.words("scopes") if scope in dialect.scopes),
    )
    rate_limit, ends = reader.text("rate_limit", SHORT), reader.time("expires_at")

    def decide(catalogue: Catalogue) -> CreationProposal:
        errors = reader.found()
        if order.team_user is not None and catalogue.find_user(order.team_user) is None:
            errors += (FieldError(("user",), "unknown_id", "names no user of this team"),)
        return CreationProposal(rate_limit, ends, errors=errors)

    async def make(hub: Hub, team: Team, author: Author) -> Mapping[str, object]:
        return await dialect.create_credential(hub, team, replace(order, by=author))

    def render(credential: Pass, made: Mapping[str, object]) -> Answer:
        secrets = [(name, value) for name, value in made.items() if name not in _PLAIN and value not in (None, [], "")]
        return _show_secrets(desk, credential, secrets)

    write = core.create_credential(desk.hub, to_command(desk), decide, make, render)
    return await attempt(write, partial(_render_new, desk, dialect))


def _show_secrets(desk: Desk, credential: Pass, secrets: list[tuple[str, object]]) -> Answer:
    return desk.render(
        "secret.html",
        title=f"The secret of {credential.name}",
        told=f"Whoever asks through the API {credential.dialect} shows it.",
        secrets=secrets,
        back=desk.url("credentials", credential.id),
    )


async def show(desk: Desk) -> Answer:
    """`GET …/credentials/{id}`: one credential, and what can be done with it."""
    return await _show(desk, NOTHING)


async def _show(desk: Desk, refusal: Refusal) -> Answer:
    credential = await core.get_credential(desk.hub, desk.caller, desk.get_id(kind=_KIND))
    now = desk.hub.now()
    until = credential.previous_until
    rights, user = _to_rights(desk, credential)
    return desk.render(
        "credential.html",
        refusal.status,
        one=credential,
        standing=credential.status(now),
        rights=rights,
        user=user,
        until=until if until is not None and until > now else None,
        can_rotate=_find_shape(desk, credential.dialect) is not None,
        overlaps=_OVERLAPS,
        refusal=refusal,
        errors=refusal.errors,
        base=desk.url("credentials", credential.id),
    )


def _find_shape(desk: Desk, name: str) -> KeyShape | None:
    form = next((dialect.key_form for dialect in desk.dialects() if dialect.name == name), None)
    return KeyShape(form.prefix, form.mask) if form is not None else None


async def rotate(desk: Desk) -> Answer:
    """`POST …/rotate`: another secret, shown this once; the old one goes on for a while if that is asked for."""
    reader = Reader(desk)
    overlap = int(reader.choice("overlap", tuple(seconds for seconds, _ in _OVERLAPS), "0"))

    def render(credential: Pass, secret: str) -> Answer:
        return _show_secrets(desk, credential, [("api_key", secret)])

    write = core.rotate_credential(
        desk.hub,
        to_command(desk, reader.version()),
        _get_id(desk),
        lambda _: RotationProposal(overlap, reader.found()),
        partial(_find_shape, desk),
        render,
    )
    return await attempt(write, partial(_show, desk))


async def mark(desk: Desk) -> Answer:
    """`POST …/marks`: what it must send, and how often it may ask."""
    reader = Reader(desk)
    proposal = MarksProposal(reader.flag("requires_precondition"), reader.text("rate_limit", SHORT))

    def render(credential: Pass) -> Answer:
        return desk.go("credentials", credential.id)

    def decide(before: Pass) -> MarksProposal:
        del before
        return msgspec.structs.replace(proposal, errors=reader.found())

    write = core.mark_credential(desk.hub, to_command(desk, reader.version()), _get_id(desk), decide, render)
    return await attempt(write, partial(_show, desk))


async def revoke(desk: Desk) -> Answer:
    """`POST …/revoke`: the very next request with it is refused."""
    reader = Reader(desk)

    def render(before: Pass, credential: Pass) -> Answer:
        del before
        return desk.go("credentials", credential.id)

    write = core.revoke_credential(desk.hub, to_command(desk, reader.version()), _get_id(desk), render)
    return await attempt(write, partial(_show, desk))


def _get_id(desk: Desk) -> UUID:
    return desk.get_id(kind=_KIND)


SCREENS: Final[dict[str, dict[str, Screen]]] = {
    CREDENTIALS: {"GET": signed_in(list_page, permission=ADMINISTER)},
    f"{CREDENTIALS}/new": {
        "GET": signed_in(show_new, permission=ADMINISTER),
        "POST": signed_in(create, permission=ADMINISTER),
    },
    f"{CREDENTIALS}/{{id}}": {"GET": signed_in(show, permission=ADMINISTER)},
    f"{CREDENTIALS}/{{id}}/rotate": {"POST": signed_in(rotate, permission=ADMINISTER)},
    f"{CREDENTIALS}/{{id}}/marks": {"POST": signed_in(mark, permission=ADMINISTER)},
    f"{CREDENTIALS}/{{id}}/revoke": {"POST": signed_in(revoke, permission=ADMINISTER)},
}
