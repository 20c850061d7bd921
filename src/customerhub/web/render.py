"""From a template to an answer that a browser shows and that can do nothing but what it shows."""

from importlib.resources import files
from typing import Final

import jinja2

from customerhub.model.answer import Answer
from customerhub.web.page import Page, to_page

STYLE: Final = "/pages/style.css"

# Ends with where forms may lead.
_POLICY: Final = "default-src 'none'; style-src 'self'; base-uri 'none'; frame-ancestors 'none'; form-action 'self'"


class Pages:
    """The templates of a package's folder, and what a browser may do with pages made of them.

    `policy` is a Content-Security-Policy that ends with where forms may lead.
    """

    def __init__(self, package: str, policy: str = _POLICY, folder: str = "pages") -> None:
        self.templates = jinja2.Environment(
            loader=jinja2.PackageLoader(package, folder),
            autoescape=True,
            undefined=jinja2.StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._policy = policy

    def render(
        self, template: str, status: int = 200, *, form_targets: tuple[str, ...] = (), **values: object
    ) -> Answer:
        """The page of a template.

        `form_targets` are origins that the answers to its forms lead to, beside this hub: browsers that follow a
        redirect after a form hold the policy against that too.
        """
        policy = " ".join((self._policy, *form_targets))
        body = self.templates.get_template(template).render(values).encode("utf-8", "backslashreplace")
        headers = (
            ("content-type", "text/html; charset=utf-8"),
            ("content-security-policy", policy),
            ("x-frame-options", "DENY"),
            ("x-content-type-options", "nosniff"),
            # An address of ours may hold what only this browser should know.
            ("referrer-policy", "same-origin"),
        )
        return Answer(status, body, headers)


render = Pages("customerhub.web").render


def to_style_page() -> Page:
    """The style sheet of every page."""
    sheet = files("customerhub.web").joinpath("pages", "style.css").read_bytes()
    return to_page(sheet, "text/css; charset=utf-8")


def redirect(location: str) -> Answer:
    """Go and GET there."""
    return Answer(303, b"", (("location", location), ("referrer-policy", "same-origin")))
