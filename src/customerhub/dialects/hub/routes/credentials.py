"""Credentials of every API, sessions, and what happened: the routes."""

from typing import Final

from customerhub.dialects.hub.administration import audit, credentials, sessions
from customerhub.dialects.hub.administration.credentials import CREDENTIALS
from customerhub.dialects.hub.answers import VERSION
from customerhub.dialects.hub.auth import ADMIN
from customerhub.dialects.hub.models import Page
from customerhub.web.operation import Operation

_TAGS: Final = ("Administration",)
_SESSIONS: Final = f"{VERSION}/sessions"

OPERATIONS: Final[tuple[Operation, ...]] = (
    Operation(
        method="GET",
        path=CREDENTIALS,
        name="listCredentials",
        summary="List credentials",
        description="Of every API of this hub, the newest first, those that have ended among them.",
        handler=credentials.list_page,
        query=credentials.CredentialListQuery,
        answer=Page[credentials.ShownCredential],
        errors=(400,),
        permissions=(ADMIN,),
        tags=_TAGS,
    ),
    Operation(
        method="POST",
        path=CREDENTIALS,
        name="createCredential",
        summary="Create a credential",
        description="For any API of this hub. `secrets` has what its owner needs, as that API calls it; it is in this "
        "answer and nowhere else. Nobody gives what they may not do themselves.",
        handler=credentials.create,
        status=201,
        body=credentials.NewCredentialBody,
        answer=credentials.NewCredential,
        errors=(409, 422),
        permissions=(ADMIN,),
        tags=_TAGS,
        writes=True,
        creates=True,
        is_secret=True,
        examples={"body": {"dialect": "hub", "name": "Till", "scopes": ["write"], "rate_limit": "100/minute"}},
    ),
    Operation(
        method="GET",
        path=f"{CREDENTIALS}/{{id}}",
        name="getCredential",
        summary="Get a credential",
        handler=credentials.get,
        answer=credentials.ShownCredential,
        permissions=(ADMIN,),
        tags=_TAGS,
    ),
    Operation(
        method="PATCH",
        path=f"{CREDENTIALS}/{{id}}",
        name="updateCredential",
        summary="Update a credential",
        description="Whether its updates must carry `If-Match`, and how often it may ask; null is the team's limit.",
        handler=credentials.update,
        body=credentials.CredentialBody,
        answer=credentials.CredentialWritten,
        errors=(409, 422),
        permissions=(ADMIN,),
        tags=_TAGS,
        writes=True,
        examples={"body": {"requires_precondition": True, "rate_limit": None}},
    ),
    Operation(
        method="POST",
        path=f"{CREDENTIALS}/{{id}}/rotate",
        name="rotateCredential",
        summary="Rotate a credential",
        description="It keeps its id and all it may; the new secret is in this answer and nowhere else. The old one is "
        "refused at once, or goes on for `overlap_seconds`, a week at most.",
        handler=credentials.rotate,
        body=credentials.RotationBody,
        answer=credentials.NewCredential,
        errors=(409, 422),
        permissions=(ADMIN,),
        tags=_TAGS,
        writes=True,
        is_secret=True,
        examples={"body": {"overlap_seconds": 3600}},
    ),
    Operation(
        method="POST",
        path=f"{CREDENTIALS}/{{id}}/revoke",
        name="revokeCredential",
        summary="Revoke a credential",
        description="With all its secrets, from the very next request on. It stays readable.",
        handler=credentials.revoke,
        answer=credentials.CredentialWritten,
        permissions=(ADMIN,),
        tags=_TAGS,
        writes=True,
    ),
    Operation(
        method="GET",
        path=_SESSIONS,
        name="listSessions",
        summary="List who is signed in",
        description="With a browser; the newest first.",
        handler=sessions.list_page,
        query=sessions.SessionListQuery,
        answer=Page[sessions.ShownSession],
        errors=(400,),
        permissions=(ADMIN,),
        tags=_TAGS,
    ),
    Operation(
        method="DELETE",
        path=f"{_SESSIONS}/{{id}}",
        name="endSession",
        summary="End a session",
        handler=sessions.end,
        answer=sessions.SessionEnded,
        permissions=(ADMIN,),
        tags=_TAGS,
        writes=True,
    ),
    Operation(
        method="GET",
        path=f"{VERSION}/audit",
        name="listAudit",
        summary="List what happened",
        description="To customers, users, credentials and all else, the newest first, with old and new values.",
        handler=audit.list_page,
        query=audit.AuditQuery,
        answer=Page[audit.ShownEvent],
        errors=(400,),
        permissions=(ADMIN,),
        tags=_TAGS,
    ),
)
