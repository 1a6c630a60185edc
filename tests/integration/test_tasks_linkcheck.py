"""LINKCHECK, compared with a crawler of its own that walks the files on the disk."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urljoin, urlsplit

import pytest

from database import State
from packageslip import build_slip
from support.bench import Bench, settings_of
from support.http_cms import Cms, Fault

SITE = "https://ocw.example.edu"
PAGE = """<html><head><link rel="stylesheet" href="/styles/a.css"><link rel="preconnect" href="//cdn.example.com"></head><body>
<a href="l%201.pdf">here</a> <a href="gone.pdf">gone</a> <a href="../b">a folder</a> <a href="../b/">the same</a>
<a href="https://ocw.example.edu/b/index.htm#top">absolute</a> <a href="/nowhere/">nowhere</a> <a href="#top">here</a>
<img src="i.png" srcset="i2.png 2x"> <img src="/strangers/old.gif"> <a href="mailto:x@example.com">mail</a>
<a href="javascript:void(0)">js</a> <a href="http://[::1">no address</a> <a href="?q=1">query</a> <a href="//x\x01/">odd</a>
<form action="/search"></form> <a href="/strangers/../b/">up</a> <a href="a\x00b">nul</a>
<a href="/aux/x.htm">a name that no target takes</a>
</body></html>
"""


class Links(HTMLParser):
    """The links of a page, as somebody else reads HTML."""

    def __init__(self) -> None:
        super().__init__()
        self.found: set[str] = set()
        self.base = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.base = self.base or next((value or "" for name, value in attrs if (tag, name) == ("base", "href")), "")
        if tag in {"a", "img", "link", "input"} and ("rel", "preconnect") not in attrs:
            self.found |= {value for name, value in attrs if name in {"href", "src"} and value is not None}
            self.found |= {value.split()[0] for name, value in attrs if name == "srcset" and value}


def crawl(root: Path) -> dict[str, set[str]]:
    """Page -> its links within the site that lead to no file below the root."""
    broken: dict[str, set[str]] = {}
    for file in root.rglob("*.htm"):
        if ".slipway" in file.parts:
            continue
        page = "/" + file.relative_to(root).as_posix().removesuffix("index.htm")
        reader = Links()
        reader.feed(file.read_text())
        for link in reader.found:
            try:
                there = urlsplit(urljoin(urljoin(SITE + page, reader.base), link.strip().replace("\x00", "\ufffd")))
            except ValueError:
                broken.setdefault(page, set()).add(link)
                continue
            if there.scheme == "https" and there.netloc == "ocw.example.edu":
                place = root / unquote(there.path).lstrip("/")
                if not (place.is_file() or (place / "index.htm").is_file()):
                    broken.setdefault(page, set()).add(link)
    return broken


@dataclass
class Checked:
    bench: Bench

    def report(self, **parameters: Any) -> dict[str, Any]:
        self.view = self.bench.well("/report.json", action="LINKCHECK", **parameters)
        found: dict[str, Any] = json.loads((self.bench.target("origin") / "report.json").read_text())
        return found

    def publish(self, url: str, **files: str) -> None:
        self.bench.write(url, {name.replace("_", "."): text for name, text in files.items()})
        self.bench.well(url)


@pytest.fixture
def checked(tmp_path: Path) -> Iterator[Checked]:
    settings = settings_of(tmp_path, web={"allow_private": True, "read_timeout": 2, "connect_timeout": 2})
    staging = settings.environments["STAGING"].model_copy(update={"site": SITE})
    bench = Bench(tmp_path, settings.model_copy(update={"environments": settings.environments | {"STAGING": staging}}))
    yield Checked(bench)
    bench.close()


def by_page(report: dict[str, Any]) -> dict[str, set[str]]:
    return {each["page"]: {link["link"] for link in each["links"]} for each in report["findings"]}


def test_the_report_names_what_a_crawler_finds(checked: Checked) -> None:
    checked.bench.write("/a", {"index.htm": PAGE, "l 1.pdf": "pdf", "i.png": "png", "sub/index.htm": '<a href="../">up</a>'})
    checked.bench.well("/a")
    checked.publish("/b", index_htm='<base href="/a/"><a href="i.png">fine</a>', empty_htm="")
    checked.publish("/styles", a_css="x")
    strangers = checked.bench.target("origin") / "strangers"
    strangers.mkdir()
    (strangers / "old.gif").write_text("of an older engine")
    report = checked.report()
    expected = crawl(checked.bench.target("origin"))
    assert {
        page: {link for link in links if "\x00" not in link and "\ufffd" not in link} for page, links in by_page(report).items()
    } == {page: {link for link in links if "\x00" not in link} for page, links in expected.items()}
    assert (report["pages"], report["broken"]) == (4, sum(len(each["links"]) for each in report["findings"]))
    assert (checked.view.task.reason or "").startswith(
        f"{report['broken']} of {report['links']} links on 4 pages are broken, on 1 "
    )
    assert "nothing had to move" in (checked.bench.well("/report.json", action="LINKCHECK").task.reason or "")
    assert checked.report(prefix="/b")["pages"] == 2
    assert checked.report(prefix="/b/")["pages"] == 2


def test_a_site_below_another_is_only_what_lies_below_it(tmp_path: Path) -> None:
    settings = settings_of(tmp_path)
    staging = settings.environments["STAGING"].model_copy(update={"site": f"{SITE}/ocw/"})
    bench = Bench(tmp_path, settings.model_copy(update={"environments": settings.environments | {"STAGING": staging}}))
    links = ("/ocw/a/b.htm", "/ocw/none", "/ocwx/a", "/a/b.htm", "/ocw", "b.htm")
    bench.write("/a", {"index.htm": "".join(f'<a href="{link}">x</a>' for link in links), "b.htm": "b"})
    bench.well("/a")
    bench.well("/report.json", action="LINKCHECK")
    report = json.loads((bench.target("origin") / "report.json").read_text())
    assert by_page(report) == {"/a/": {"/ocw/none", "/ocw"}}
    bench.close()


def test_pages_are_read_from_the_target_where_the_store_has_them_no_more(checked: Checked) -> None:
    checked.publish("/a", index_htm='<a href="none">x</a>', b_htm="x")
    for blob in (checked.bench.root / "state/store").rglob("*"):
        if blob.is_file():
            blob.unlink()
    (checked.bench.target("origin") / "a/b.htm").unlink()
    report = checked.report()
    assert by_page(report) == {"/a/": {"none"}, "/a/b.htm": {""}}
    assert "the page itself is not on the target" in report["findings"][1]["links"][0]["why"]


def test_addresses_outside_are_asked_for_once_and_not_without_end(
    checked: Checked, tmp_path: Path, cms: Callable[..., Cms]
) -> None:
    (tmp_path / "web").mkdir()
    (tmp_path / "web/fine").write_text("x")
    server = cms(tmp_path / "web")
    server.faults["/private"] = Fault(403)
    links = [f"{server.url}/{name}" for name in ("fine", "fine#part", "gone", "private")]
    dead = "http://127.0.0.1:9/x"
    page = "".join(f'<a href="{link}">x</a>' for link in [*links, dead])
    checked.publish("/a", index_htm=page)
    checked.publish("/b", index_htm=page)
    report = checked.report(external=True)
    assert report["outside"] == {"addresses": 4, "asked": 4}
    assert by_page(report) == {page: {links[2], dead} for page in ("/a/", "/b/")}
    whys = {link["link"]: link["why"] for link in report["findings"][0]["links"]}
    assert whys[links[2]] == "answers 404"
    assert "could not be read" in whys[dead]
    assert [access.path for access in server.log if access.path == "/fine"] == ["/fine"]
    assert checked.report(external=True, most=1)["outside"] == {"addresses": 4, "asked": 1}


def test_a_link_to_a_private_network_is_not_asked_for(bench: Bench, tmp_path: Path, cms: Callable[..., Cms]) -> None:
    (tmp_path / "web").mkdir()
    server = cms(tmp_path / "web")
    bench.write("/a", {"index.htm": f'<a href="{server.url}/x">x</a><a href="b.htm">b</a>', "b.htm": "b"})
    bench.well("/a")
    bench.well("/report.json", action="LINKCHECK", external=True)
    report = json.loads((bench.target("origin") / "report.json").read_text())
    assert "no public address" in report["findings"][0]["links"][0]["why"]
    assert not server.log


def test_a_dry_run_of_a_check_publishes_nothing(checked: Checked) -> None:
    checked.publish("/a", index_htm="x")
    view = checked.bench.do("/report.json", action="LINKCHECK", dry_run=True)
    assert (view.task.state, (checked.bench.target("origin") / "report.json").exists()) == (State.SUCCEEDED, False)


def test_a_real_course_is_checked_as_the_crawler_does(checked: Checked, real_course: Path) -> None:
    url, folder = "/courses/6-868j", real_course / "6-868j-spring-2007"
    site = checked.bench.site(url)
    site.parent.mkdir(parents=True)
    folder.rename(site)
    checked.bench.put_slip(build_slip(site, url, module_type="course"))
    checked.bench.well(url)
    report = checked.report()
    assert report["pages"] == len(list(site.rglob("*.htm")))
    assert report["links"] > 1000
    assert by_page(report) == crawl(checked.bench.target("origin")) == {}
    (site / "common/images").rename(site / "common/pictures")
    checked.bench.put_slip(build_slip(site, url, module_type="course"))
    held = checked.bench.do(url)
    assert held.task.state is State.HELD
    assert held.plan is not None
    checked.bench.well(url, action="APPROVE", task=held.task.id, plan=held.plan.digest)
    checked.bench.run()
    broken = by_page(checked.report())
    assert broken == crawl(checked.bench.target("origin"))
    assert sum(len(links) for links in broken.values()) > 100
