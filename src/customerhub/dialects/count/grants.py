"""The queries, bodies and answers of the way from consent to tokens, for the document."""

from typing import Annotated, Final, Literal, NotRequired

from pydantic import Field
from typing_extensions import TypedDict

MAX_STATE: Final = 2000


class StartQuery(TypedDict):
    """Which client, where people come back to, and what it wants to be told then."""

    clientId: str
    redirectUri: str
    state: Annotated[str, Field(max_length=MAX_STATE)]


class Start(TypedDict):
    """Where to send the person."""

    redirectUri: str


class StartAnswer(TypedDict):
    """The same address twice, for both kinds of reader."""

    status: Literal["success"]
    message: str
    redirectUri: str
    data: Start


class CodeBody(TypedDict):
    """A code; every member may be spelt with an underscore too. Client fields must be those of the signing client."""

    grantType: NotRequired[Literal["authorization_code"]]
    code: str
    client_id: NotRequired[str]
    client_secret: NotRequired[str]


class RefreshBody(TypedDict):
    """A refresh token; every member may be spelt with an underscore too."""

    grantType: Literal["refresh_token"]
    refreshToken: str
    client_id: NotRequired[str]
    client_secret: NotRequired[str]


class Tokens(TypedDict):
    """Tokens for one team; times are UTC with milliseconds."""

    accessToken: str
    refreshToken: str
    accessTokenExpiresAt: str
    refreshTokenExpiresAt: str
    workspaceId: str
    workspaceName: str


class Result(TypedDict):
    """What was granted."""

    result: Tokens


class TokensAnswer(TypedDict):
    """Tokens for one team."""

    status: Literal["success"]
    message: str
    data: Result
