"""What a browser carries from request to request: one cookie, and in each form a proof that a page of ours made it."""

import hashlib
import hmac
from typing import Final
from urllib.parse import quote, urlsplit

from customerhub.core.sessions import Person, find_person, new_secret
from customerhub.model.answer import Answer
from customerhub.model.error import Forbidden
from customerhub.web.render import redirect
from customerhub.web.screens import Visit

_COOKIE: Final = "customerhub"
_FIRST_PRINTABLE: Final = "!"


def is_secure(visit: Visit) -> bool:
    """Whether the browser speaks https to the hub, so that its cookies may demand it."""
    return urlsplit(visit.hub.settings.public_url or f"{visit.scheme}://").scheme == "https"


def _cookie_name(visit: Visit) -> str:
    """Over https a name that no other host of the same domain can set (RFC 6265bis, 4.1.3.2)."""
    return f"__Host-{_COOKIE}" if is_secure(visit) else _COOKIE


def find_secret(visit: Visit) -> str | None:
    """The secret in the browser's cookie, signed in or not; None for none, and for one that names two."""
    found = [
        value.strip()
        for line in visit.headers.getlist("cookie")
        for name, _, value in (part.partition("=") for part in line.split(";"))
        if name.strip() == _cookie_name(visit)
    ]
    return found[0] if len(found) == 1 and found[0] else None


def to_secret(visit: Visit) -> str:
    """The browser's secret, or a new one to give it."""
    return find_secret(visit) or new_secret()


def with_secret(visit: Visit, answer: Answer, secret: str, *, seconds: int | None = None) -> Answer:
    """The answer that gives the browser a secret, for so long or as long as it is open."""
    life = f"; Max-Age={seconds}" if seconds is not None else ""
    secure = "; Secure" if is_secure(visit) else ""
    return answer.with_header(
        "set-cookie", f"{_cookie_name(visit)}={secret}; Path=/; HttpOnly; SameSite=Lax{life}{secure}"
    )


def to_csrf(secret: str) -> str:
    """What a form shows to prove that its page was made for the holder of the secret, which it does not give away."""
    return hashlib.sha256(f"form {secret}".encode("utf-8", "surrogatepass")).hexdigest()


def check_csrf(visit: Visit) -> str:
    """The browser's secret; raises Forbidden where the form was not made for it: another site may have sent it."""
    secret = find_secret(visit)
    given = visit.form.get("csrf", "").encode("utf-8", "surrogatepass")
    if secret is None or not hmac.compare_digest(given, to_csrf(secret).encode()):
        raise Forbidden("a form of ours")
    return secret


async def get_person(visit: Visit) -> Person | None:
    """Who is signed in with this browser."""
    return await find_person(visit.hub, find_secret(visit))


def to_sign_in(visit: Visit) -> Answer:
    """Sign in, and come back here."""
    here = f"{visit.path}?{visit.raw_query}" if visit.raw_query else visit.path
    if visit.method == "POST":
        # What a form is sent to need not be a page.
        here = _find_page(visit) or here
    return redirect(f"/signin?next={quote(here, safe='')}")


def _find_page(visit: Visit) -> str | None:
    """The page of ours whose form it is, as far as the browser tells."""
    try:
        found = urlsplit(visit.headers.get("referer", ""))
    except ValueError:
        return None
    if not found.path or found.netloc != visit.headers.get("host"):
        return None
    return f"{found.path}?{found.query}" if found.query else found.path


def to_local(target: str) -> str:
    """A path of this hub to go on to; the front page for everything that a browser might take for another place."""
    is_plain = all(character >= _FIRST_PRINTABLE and character.isascii() for character in target)
    if not is_plain or not target.startswith("/") or target.startswith("//") or "\\" in target:
        return "/"
    return target
