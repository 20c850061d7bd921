"""The reference that people browse at `/docs`: all dialects, with requests that can be tried, without the internet."""

from collections.abc import Sequence
from html import escape
from typing import Final

import msgspec
from swagger_ui_bundle import swagger_ui_path

from customerhub.web.dialect import Dialect
from customerhub.web.openapi import to_openapi_page
from customerhub.web.page import Page, to_page

_ASSETS: Final = {
    "swagger-ui.css": "text/css; charset=utf-8",
    "index.css": "text/css; charset=utf-8",
    "swagger-ui-bundle.js": "text/javascript; charset=utf-8",
    "swagger-ui-standalone-preset.js": "text/javascript; charset=utf-8",
    "favicon-32x32.png": "image/png",
}
_HTML: Final = "text/html; charset=utf-8"

# Only files of this server, so that a document's text can neither run nor send anything; the icons are data.
_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)

_REFERENCE: Final = b"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Customerhub reference</title>
<link rel="icon" type="image/png" href="/docs/favicon-32x32.png">
<link rel="stylesheet" href="/docs/swagger-ui.css">
<link rel="stylesheet" href="/docs/index.css">
</head>
<body>
<div id="reference"></div>
<script src="/docs/swagger-ui-bundle.js"></script>
<script src="/docs/swagger-ui-standalone-preset.js"></script>
<script src="/docs/start.js"></script>
</body>
</html>
"""

_START: Final = """SwaggerUIBundle({
  urls: %s,
  dom_id: "#reference",
  layout: "StandaloneLayout",
  presets: [SwaggerUIBundle.presets.apis, SwaggerUIStandalonePreset],
  deepLinking: true,
  validatorUrl: null,
  tryItOutEnabled: true,
  displayRequestDuration: true,
  defaultModelsExpandDepth: 0,
});
"""

_INDEX: Final = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Customerhub</title>
<link rel="stylesheet" href="/docs/front.css">
</head>
<body>
<h1>Customerhub</h1>
<p>One customer record that speaks every system's API.</p>
<ul>
<li><a href="/console">Console</a>: find customers, see what each system sees, change and undo</li>
<li><a href="/docs">Reference</a>, with requests that can be tried</li>
%s
<li>Health: <a href="/healthz">process</a>, <a href="/readyz">database</a></li>
</ul>
</body>
</html>
"""


_FRONT_STYLE: Final = (
    b"body { font: 16px/1.5 system-ui, sans-serif; max-width: 40em; margin: 3em auto; padding: 0 1em; }"
)


def to_document_pages(dialects: Sequence[Dialect]) -> dict[str, Page]:
    """`/`, `/docs` with all that it loads, and each dialect's OpenAPI document, by path."""
    pages = {
        f"/docs/{name}": to_page((swagger_ui_path / name).read_bytes(), media_type)
        for name, media_type in _ASSETS.items()
    }
    urls = [{"name": dialect.document.title, "url": _document_path(dialect)} for dialect in dialects]
    start = _START % msgspec.json.encode(urls).decode()
    pages["/docs/start.js"] = to_page(start.encode(), "text/javascript; charset=utf-8")
    pages["/docs/front.css"] = to_page(_FRONT_STYLE, "text/css; charset=utf-8")
    policy = ("content-security-policy", _POLICY)
    pages["/docs"] = to_page(_REFERENCE, _HTML, policy)
    pages["/"] = to_page(_to_index(dialects).encode(), _HTML, policy)
    return pages | {_document_path(dialect): to_openapi_page(dialect) for dialect in dialects}


def _document_path(dialect: Dialect) -> str:
    return f"/{dialect.name}/openapi.json"


def _to_index(dialects: Sequence[Dialect]) -> str:
    return _INDEX % "\n".join(
        f'<li>{escape(dialect.document.title)}: <a href="{escape(_document_path(dialect))}">OpenAPI document</a></li>'
        for dialect in dialects
    )
