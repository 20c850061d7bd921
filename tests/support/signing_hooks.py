"""Read by schemathesis: signs each request that carries the mark of one to be signed, as it is about to be sent."""

import os
import time

import schemathesis
from requests import PreparedRequest
from requests.auth import AuthBase
from typing_extensions import override

from tests.support.count import SECRET_VARIABLE, TO_BE_SIGNED, sign


class Signing(AuthBase):
    """Signs the very bytes that go out; what was sent without a signature, or with a wrong one, stays so."""

    @override
    def __call__(self, r: PreparedRequest) -> PreparedRequest:
        if r.headers.get("x-signature") != TO_BE_SIGNED:
            return r
        timestamp = str(int(time.time()))
        body = r.body.encode() if isinstance(r.body, str) else r.body or b""
        assert isinstance(body, bytes)
        r.headers["x-timestamp"] = timestamp
        path = r.path_url.partition("?")[0]
        r.headers["x-signature"] = sign(os.environ[SECRET_VARIABLE], r.method or "", path, timestamp, body)
        return r


# Not in the types of `auth`, but in its documentation.
schemathesis.auth.set_from_requests(Signing())  # type: ignore[attr-defined]
