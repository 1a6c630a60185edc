"""Reaching everything: in two clicks, by keyboard, without scripts, behind a proxy with a prefix, by the link of the first start."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from support.browser import Visits, Window
from support.nginx import serving
from support.watched_site import WatchedSite

PREFIXED = """
        location /slipway/ {{
            proxy_pass {root};
            proxy_set_header Host $http_host;
            proxy_set_header X-Forwarded-For $remote_addr;
            proxy_set_header X-Forwarded-Proto $scheme;
            proxy_buffering off;
        }}
"""


FOCUSED = """() => { const it = document.activeElement; const style = getComputedStyle(it);
    const place = it === document.body ? 0 : [...document.querySelectorAll('*')].indexOf(it);
    return [place, it.outerHTML.slice(0, 200), style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2]; }"""
"""What has the focus: where it stands in the page, its beginning, and whether that is seen."""


class Clicks:
    """What a person clicks, counted. Typing an address into the search and pressing Enter counts as one."""

    def __init__(self, window: Window) -> None:
        self.page, self.count = window.open("/"), 0

    def link(self, name: str) -> None:
        self.page.get_by_role("link", name=name, exact=True).first.click()
        self.count += 1

    def find(self, text: str) -> None:
        self.page.get_by_role("searchbox").fill(text)
        self.page.get_by_role("searchbox").press("Enter")
        self.page.wait_for_load_state()
        self.count += 1


def test_why_is_this_page_not_live(visit: Visits) -> None:
    """The address of the page, as a visitor complains about it, is all that is needed."""
    clicks = Clicks(visit("viewer"))
    clicks.find("https://www.example.edu/courses/chemistry/lecture-03.htm")
    expect(clicks.page.locator("#why")).to_contain_text("lecture-03.htm does not exist; correct the slip or restore the file")
    clicks.find("/courses/logic/")
    expect(clicks.page.locator("#why")).to_contain_text("waits for vault, which has not answered since")
    clicks.find("/courses/knots/lecture-30.htm")
    expect(clicks.page.locator("#why")).to_contain_text("is held: publishing /courses/knots would drop 40 of its 60 files")
    assert clicks.count == 3, "one for each"


def test_what_is_the_queue_doing(visit: Visits) -> None:
    """The first page says it; one click lists it."""
    clicks = Clicks(visit("viewer"))
    expect(clicks.page.locator("#overview")).to_contain_text("vault does not answer")
    expect(clicks.page.locator("#needs")).to_contain_text("1 held")
    clicks.link("Queue")
    expect(clicks.page.locator("table.tasks tbody tr").first).to_be_visible()
    assert clicks.count == 1


def test_how_do_i_undo_what_just_went_out(visit: Visits, watched_site: WatchedSite) -> None:
    """From the overview: the module that went out last, and back to what was there; one more to say yes, once it was looked at."""
    url = watched_site.course("two-clicks")
    watched_site.publish(url)
    watched_site.course("two-clicks")
    watched_site.publish(url)
    clicks = Clicks(visit("operator"))
    clicks.link(url)
    clicks.link("Back to this")
    assert clicks.count == 2
    expect(clicks.page.get_by_role("button", name="Roll back STAGING")).to_be_visible()
    expect(clicks.page.locator("#back")).to_contain_text("8 files changed")


def test_the_keyboard_reaches_everything_and_shows_where_it_is(visit: Visits) -> None:
    page = visit().open("/")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="To the content")).to_be_in_viewport()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert page.evaluate("document.querySelector('main').contains(document.activeElement)"), "the head is skipped"

    page = visit().open("/queue")
    seen: dict[int, str] = {}
    unseen = []
    while True:
        page.keyboard.press("Tab")
        place, html, outlined = page.evaluate(FOCUSED)
        if place in seen or place == 0:
            break
        seen[place] = html
        if not outlined:
            unseen.append(html)
    assert unseen == []
    for what in ('value="cancel"', "Task 4", ">Filter<", "/task/10", "/courses/physics", 'name="q"'):
        assert any(what in each for each in seen.values()), f"{what} cannot be reached by Tab"


def test_without_scripts_everything_is_shown_and_every_form_works(visit: Visits, watched_site: WatchedSite) -> None:
    window = visit("approver", name="nora", scripts=False)
    for path, said in (
        ("/", "Oldest due task could have run"),
        ("/queue", "/courses/physics"),
        ("/task/9", "live on staging: 3 files put"),
        ("/task/10", "40 files removed"),
        ("/module/courses/physics?before=1&after=6", "lecture-05.htm"),
        ("/trends", "As a table"),
        ("/schedules", "nightly"),
        ("/targets", "vault"),
        ("/audit", "half of it is gone?"),
    ):
        window.open(path)
        assert said in window.text(), path
    expect(visit(scripts=False).open("/trends").locator("details td").first).to_be_visible()

    page = window.open("/queue/insert")
    page.get_by_label("Module", exact=True).fill(watched_site.course("by-hand"))
    page.locator("select[name=environment]").select_option("STAGING")
    page.get_by_label("on hold until released").check()
    page.get_by_role("button", name="Insert").click()
    task = int(re.findall(r"/task/(\d+)", page.url)[0])
    watched_site.becomes(task, "READY")
    page.get_by_label("Why", exact=True).fill("now it may")
    page.reload()
    page.get_by_role("button", name="Release").click()
    watched_site.becomes(task, "SUCCEEDED")
    page.reload()
    expect(page.locator("#task .state").first).to_have_text("SUCCEEDED")
    page.get_by_role("button", name="System").click()
    page.get_by_role("button", name="Do it again").click()
    assert int(re.findall(r"/task/(\d+)", page.url)[0]) > task
    window.open("/targets")
    window.page.get_by_role("button", name="Test staging").click()
    expect(window.page.locator("#target-staging")).to_contain_text("it works")
    window.open("/audit")
    window.page.get_by_role("button", name="Walk along the chain").click()
    expect(window.page.locator("#chain")).to_contain_text("rows")


@pytest.fixture
def linked(watched_site: WatchedSite) -> str:
    """The link of a console under a prefix, where nobody can sign in otherwise."""
    return watched_site.console(prefix="/slipway", proxy='{"addresses": ["127.0.0.1"]}')


def test_the_link_signs_in_once_and_everything_stays_below_the_prefix(
    visit: Visits, watched_site: WatchedSite, tmp_path: Path, linked: str
) -> None:
    """Through a real nginx, from the link to a change and out again."""
    root, _, way_in = linked.partition("/slipway")
    with serving(tmp_path / "nginx", tmp_path, server=PREFIXED.format(root=root)) as nginx:
        front = f"http://127.0.0.1:{nginx.port}/slipway"
        window = visit(role=None, root=front)
        page = window.open(way_in)
        assert window.place == "/"
        expect(page.locator(".who")).to_contain_text("local approver")
        expect(page.locator(".live-state")).to_have_text("live")
        for link in page.locator("a[href^='/'], form[action^='/']").evaluate_all(
            "them => them.map((it) => it.getAttribute('href') || it.getAttribute('action'))"
        ):
            assert link.startswith("/slipway/"), link
        page.get_by_role("link", name="Queue").click()
        page.get_by_role("link", name="11", exact=True).click()
        page.get_by_label("Why", exact=True).fill("through the front")
        page.get_by_role("button", name="Hold").or_(page.get_by_role("button", name="Release")).first.click()
        expect(page.get_by_role("status")).to_be_visible()
        assert window.place == "/task/11"
        strict_headers(page)
        page.get_by_role("button", name="Sign out").click()
        assert window.place == "/signin"
        other = visit(role=None, root=front)
        other.open(way_in, 401)
        expect(other.page.get_by_role("alert")).to_contain_text("This link was used already")
        window.open("/")
        assert window.place == "/signin"


def strict_headers(page: Page) -> None:
    answer = page.reload()
    assert answer is not None
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert answer.headers["x-frame-options"] == "DENY"
