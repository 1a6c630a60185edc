"""Templates: escaped, masked, and with the words that all pages use."""

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache
from html import escape
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.responses import HTMLResponse

from config import Secrets
from console.navigation import NAVIGATION
from console.words import WORDS

FOLDER = Path(__file__).parent
STATIC = FOLDER / "static"


class Renderer:
    """Makes pages of templates. No secret that was ever read gets into one, however it came into a text."""

    def __init__(self, prefix: str, secrets: Secrets) -> None:
        self._secrets = secrets
        self._templates = Environment(
            loader=FileSystemLoader(FOLDER / "templates"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._templates.filters |= WORDS
        self._templates.globals |= {
            "url": lambda path: prefix + path,
            "static": lambda name: f"{prefix}/static/{name}?v={fingerprint(name)}",
            "module_path": lambda module: prefix + "/module" + quote(module, safe="/"),
            "query": query,
            "navigation": NAVIGATION,
        }

    def page(self, template: str, status: int, values: Mapping[str, Any]) -> HTMLResponse:
        return HTMLResponse(self.text(template, values), status)

    def text(self, template: str, values: Mapping[str, Any]) -> str:
        """`now` is the moment that ages are counted from, and the same for the whole page."""
        text = self._templates.get_template(template).render({"now": datetime.now(UTC), **values})
        return self.masked(text)

    def masked(self, text: str) -> str:
        for secret in self._secrets.seen:
            # In a page a secret can also stand as HTML writes it.
            if (written := escape(secret)) != secret:
                text = text.replace(written, "***")
        return self._secrets.masked(text)


def query(**values: object) -> str:
    """The part of a link after the path: what is given, without what is empty; a list gives its name several times."""
    given = {name: value for name, value in values.items() if value not in (None, "", (), [])}
    return "?" + urlencode(given, doseq=True) if given else ""


@lru_cache(maxsize=64)
def fingerprint(name: str) -> str:
    """Of a file in `static`: a browser that has it keeps it until it is another one."""
    return hashlib.sha256((STATIC / name).read_bytes()).hexdigest()[:12]
