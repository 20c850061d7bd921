"""From a template to an answer that a browser shows and that can do nothing but what it shows."""

from importlib.resources import files
from typing import Final

import jinja2

from customerhub.model.answer import Answer
from customerhub.web.page import Page, to_page

STYLE: Final = "/pages/style.css"

# Ends with where forms may lead.
_POLICY: Final = "default-src 'none'; style-src 'self'; base-uri 'none'; frame-ancestors 'none'; form-action 'self'"
_PAGES: Final = jinja2.Environment(
    loader=jinja2.PackageLoader("customerhub.web", "pages"),
    autoescape=True,
    undefined=jinja2.StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


def render(template: str, status: int = 200, *, form_targets: tuple[str, ...] = (), **values: object) -> Answer:
    """The page of a template in `web/pages`.

    `form_targets` are origins that the answers to its forms lead to, beside this hub: browsers that follow a redirect
    after a form hold the policy against that too.
    """
    policy = " ".join((_POLICY, *form_targets))
    body = _PAGES.get_template(template).render(values).encode("utf-8", "backslashreplace")
    headers = (
        ("content-type", "text/html; charset=utf-8"),
        ("content-security-policy", policy),
        ("x-frame-options", "DENY"),
        ("x-content-type-options", "nosniff"),
        # An address of ours may hold what only this browser should know.
        ("referrer-policy", "same-origin"),
    )
    return Answer(status, body, headers)


def to_style_page() -> Page:
    """The style sheet of every page."""
    sheet = files("customerhub.web").joinpath("pages", "style.css").read_bytes()
    return to_page(sheet, "text/css; charset=utf-8")


def redirect(location: str) -> Answer:
    """Go and GET there."""
    return Answer(303, b"", (("location", location), ("referrer-policy", "same-origin")))
