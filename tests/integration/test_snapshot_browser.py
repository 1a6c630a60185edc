"""A mirror on a stick: a real browser opens it by file://."""

import html
import json
import re
import shutil
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest

from support.chromium import browse
from support.mirrored_site import MirroredSite

LOOK = """<!DOCTYPE html><iframe id=page src="{page}"></iframe><pre id=seen></pre><script>
document.getElementById("page").onload = function () {{
  var there = this.contentDocument, images = [], links = [], style = getComputedStyle(there.body).backgroundImage
  there.querySelectorAll("img").forEach(i => images.push([i.getAttribute("src"), i.naturalWidth]))
  there.querySelectorAll("a[href]").forEach(a => links.push(a.href))
  document.getElementById("seen").textContent = JSON.stringify({{ images, links, style, scripts: typeof this.contentWindow.a }})
}}</script>"""
"""A page beside the mirror that looks at one of its pages, as the browser has made it."""


@pytest.fixture
def stick(mirrored_site: MirroredSite, tmp_path: Path) -> Path:
    """A copy of the mirror under another name."""
    mirrored_site.bench.well("/", "MIRROR")
    return Path(shutil.copytree(mirrored_site.mirror, tmp_path / "a stick" / "OCW 2014"))


def look(stick: Path, page: str, profile: Path) -> dict[str, Any]:
    (stick / "look.html").write_text(LOOK.format(page=page))
    printed = browse(stick / "look.html", profile, "--allow-file-access-from-files", "--virtual-time-budget=5000", "--dump-dom")
    found = re.search(r'<pre id="seen">(.*?)</pre>', printed, re.DOTALL)
    assert found, printed
    seen: dict[str, Any] = json.loads(html.unescape(found[1]))
    return seen


def test_images_styles_and_links_of_a_page_work_from_a_stick(stick: Path, tmp_path: Path) -> None:
    seen = look(stick, "courses/physics/8-01/index.htm", tmp_path / "profile")
    images = dict(seen["images"])
    assert images["../../../images/logo.png"] == 1
    assert images["images/a.jpg"] == 1
    assert seen["style"].endswith('/images/logo.png")')
    assert seen["scripts"] == "string", "the script of the page ran"
    local = [link for link in seen["links"] if link.startswith("file:")]
    assert len(local) > 20
    for link in local:
        assert Path(unquote(urlsplit(link).path)).is_file(), link


def test_it_shows_what_the_page_shows(stick: Path, tmp_path: Path) -> None:
    picture = tmp_path / "page.png"
    browse(stick / "index.htm", tmp_path / "profile", f"--screenshot={picture}", "--window-size=800,600")
    assert picture.stat().st_size > 1000
