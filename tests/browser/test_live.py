"""What moves by itself: a real publish over a slow line is followed without reloading; nothing is listened to by a page that nobody sees."""

import re

from playwright.sync_api import Page, expect

from support.browser import Visits
from support.deployment import eventually
from support.watched_site import SLOW, WatchedSite

STAY = "document.body.dataset.same = 'yes'"
"""A mark that a reload takes away."""


def bytes_done(page: Page) -> float:
    shown = "document.querySelector(\"#task progress[aria-label='Bytes done']\")"
    return float(page.evaluate(f"{shown}?.value ?? 0"))


def test_a_publish_is_followed_from_the_insert_to_the_end(visit: Visits, watched_site: WatchedSite) -> None:
    """Its page and the overview move, and both come to rest, without anybody reloading them."""
    url = watched_site.course("film", files=30, size=SLOW // 5)
    window, other = visit("operator"), visit("viewer")
    page = window.open("/queue/insert")
    page.get_by_label("Module", exact=True).fill(url)
    page.locator("select[name=environment]").select_option("MIRROR")
    page.get_by_label("Why, for the record").fill("new recording")
    page.get_by_role("button", name="Insert").click()
    page.evaluate(STAY)
    overview = other.open("/")
    overview.evaluate(STAY)

    card = overview.locator("section", has=overview.get_by_role("heading", name="MIRROR"))
    expect(card.get_by_text(re.compile(r"stage: \d+ of 30 files, .* of .*B; .*/s"))).to_be_visible()
    expect(page.get_by_text("RUNNING", exact=True).first).to_be_visible()
    first = eventually(lambda: bytes_done(page), 30, "bytes on the task's page")
    eventually(lambda: bytes_done(page) > first, 30, "more bytes")

    expect(page.locator("#task .state").first).to_have_text("SUCCEEDED")
    expect(page.locator("#task")).to_contain_text("live on mirror: 30 files put")
    expect(card.get_by_text(url)).to_be_visible()
    expect(card).to_contain_text("has nothing to do")
    for each in (page, overview):
        assert each.evaluate("document.body.dataset.same") == "yes"


def test_a_page_that_is_hidden_does_not_listen_and_catches_up_when_it_is_seen_again(
    visit: Visits, watched_site: WatchedSite
) -> None:
    page = visit().open("/queue")
    expect(page.locator(".live-state")).to_have_text("live")
    hide = "Object.defineProperty(document, 'hidden', {configurable: true, get: () => %s}); document.dispatchEvent(new Event('visibilitychange'))"
    page.evaluate(hide % "true")
    expect(page.locator(".live-state")).to_have_text("paused while the page is hidden")
    task = watched_site.insert(watched_site.course("hidden"), hold=1)
    watched_site.becomes(task, "READY")
    # Longer than the console needs to tell of a change, and the page to fetch it.
    page.wait_for_timeout(2000)
    expect(page.get_by_role("link", name=str(task), exact=True)).to_have_count(0)
    page.evaluate(hide % "false")
    expect(page.get_by_role("link", name=str(task), exact=True)).to_be_visible()
    expect(page.locator(".live-state")).to_have_text("live")


def test_what_somebody_has_ticked_is_not_taken_away_by_a_change(visit: Visits, watched_site: WatchedSite) -> None:
    page = visit().open("/queue")
    box = page.get_by_label("Task 4", exact=True)
    box.check()
    task = watched_site.insert(watched_site.course("meanwhile"), hold=1)
    watched_site.becomes(task, "READY")
    page.wait_for_timeout(2000)
    expect(box).to_be_checked()


def test_the_trends_are_drawn(visit: Visits) -> None:
    page = visit().open("/trends")
    plot = page.locator(".plot canvas").first
    expect(plot).to_be_visible()
    drawn = page.evaluate(
        """() => { const canvas = document.querySelector('.plot canvas');
        const pixels = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;
        return pixels.some((value) => value !== 0); }"""
    )
    assert drawn


def test_what_is_replaced_keeps_the_focus_and_what_was_opened(visit: Visits, watched_site: WatchedSite) -> None:
    earlier = watched_site.insert(watched_site.course("focused"), hold=1)
    watched_site.becomes(earlier, "READY")
    page = visit().open("/queue")
    link = page.get_by_role("link", name=str(earlier), exact=True)
    link.focus()
    link.evaluate("element => element.dataset.old = 'yes'")
    later = watched_site.insert(watched_site.course("beside"), hold=1)
    watched_site.becomes(later, "READY")
    expect(page.get_by_role("link", name=str(later), exact=True)).to_be_visible()
    expect(link).to_be_focused()
    assert link.evaluate("element => element.dataset.old") is None
