"""What mkdocs is told: pages that lie elsewhere in the project, their links, and that the manual fetches nothing.

Documents such as deploy/README.md are read where they lie, on their own, and belong into the manual, too. Their links, and links
to them, are right there; here they are made right for the site.
"""

import posixpath
import re
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).parents[1]
ELSEWHERE = {
    "deploy/README.md": "install.md",
    "ARCHITECTURE.md": "architecture.md",
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changelog.md",
    "build/manual/options.md": "options.md",
}
"""Where in the project a page lies, and its name in the manual. The last is written by `make docs`, from the command itself."""

_LINK = re.compile(r"(?<=\]\()(?![a-z]+:|#)([^)#\s]+)")
_LONG = re.compile(r"(?<=<code>)[^<\n]{20,}(?=</code>)")
_FETCHED = re.compile(r"<(?:script|link|img|iframe|source|video)\b[^>]*\b(?:src|href)=[\"']?(?:https?:)?//[^\"'> ]+")


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages that lie elsewhere."""
    for place, name in ELSEWHERE.items():
        text = (ROOT / place).read_text(encoding="utf-8")
        # What was written for the manual alone has the manual's own links.
        folder = "docs" if place.startswith("build/") else posixpath.dirname(place)
        files.append(File.generated(config, name, content=relinked(text, folder)))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:  # noqa: ARG001 - mkdocs' names
    """Let links of the manual's own pages lead to the pages that lie elsewhere."""
    return markdown if page.file.src_uri in ELSEWHERE.values() else relinked(markdown, "docs")


def on_page_content(html: str, page: Page, config: MkDocsConfig, files: Files) -> str:  # noqa: ARG001 - mkdocs' names
    """Let long names break behind a dot, a slash or an underscore, so that a table of them leaves room for what they mean."""
    return _LONG.sub(lambda name: re.sub(r"(?<=[./_])(?=\w)", "<wbr>", name[0]), html)


def on_post_page(output: str, page: Page, config: MkDocsConfig) -> str:  # noqa: ARG001 - mkdocs' names
    """Refuse a page that would fetch a script, a style or a picture from elsewhere."""
    if found := _FETCHED.search(output):
        raise PluginError(f"{page.file.src_uri} fetches from elsewhere: {found[0]}")
    return output


def relinked(markdown: str, folder: str) -> str:
    """Links of a page that lies in `folder` of the project, as they are in the manual, where all pages lie side by side."""

    def there(link: re.Match[str]) -> str:
        place = posixpath.normpath(posixpath.join(folder, link[1]))
        return ELSEWHERE.get(place) or place.removeprefix("docs/")

    return _LINK.sub(there, markdown)
