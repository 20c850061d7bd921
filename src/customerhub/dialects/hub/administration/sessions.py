"""`/hub/v1/sessions`: who of the team is signed in with a browser."""

from typing import Annotated

from pydantic import Field
from typing_extensions import TypedDict

from customerhub.core import members as core
from customerhub.core.members import SignedIn
from customerhub.dialects.hub.administration.common import Report, Trace, get_id, list_rows, respond_written, to_command
from customerhub.dialects.hub.canonical import Shown, to_time
from customerhub.dialects.hub.models import Time
from customerhub.dialects.hub.paging import QueryReader
from customerhub.dialects.hub.wire import Id
from customerhub.model.answer import Answer
from customerhub.web.operation import Call


class SessionListQuery(TypedDict, total=False):
    """Whose sessions."""

    after: Annotated[str, Field(description="From `next` of the page before.")]
    limit: Annotated[int, Field(ge=1, le=1000)]
    user: Id


class ShownSession(TypedDict):
    """A session of a member, who is signed in to every team that they belong to."""

    id: Id
    user: Id
    email: str
    created_at: Time
    seen_at: Time
    expires_at: Time


class SessionEnded(Report):
    """A session that is no more."""

    session: ShownSession


def to_session(session: SignedIn) -> Shown:
    """A session, without anything that one could get in with."""
    return {
        "id": str(session.id),
        "user": str(session.team_user),
        "email": session.email,
        "created_at": to_time(session.created_at),
        "seen_at": to_time(session.seen_at),
        "expires_at": to_time(session.expires_at),
    }


async def list_page(call: Call) -> Answer:
    """`GET /hub/v1/sessions`: 200 with a page, the newest first."""
    reader = QueryReader(call.query, tuple(SessionListQuery.__annotations__))
    users = reader.uuids("user")
    sessions = await core.list_sessions(call.hub, call.caller)
    chosen = (session for session in sessions if users is None or str(session.team_user) in users)
    return list_rows(call, "sessions", chosen, to_session, reader)


async def end(call: Call) -> Answer:
    """`DELETE /hub/v1/sessions/{id}`: 200 with the session as it was; twice is 404."""

    def render(session: SignedIn) -> Answer:
        shown = to_session(session)
        return respond_written(call, 200, "session", shown, 1, Trace(shown))

    return await core.end_session(call.hub, to_command(call), get_id(call, "session"), render)
