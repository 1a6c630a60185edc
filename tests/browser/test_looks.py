"""How each page looks in light, in dark and on a phone: no axe fault; nothing cut off.

`make screenshots` makes a picture of each; docs/console-checklist.md says what each must answer.
"""

import re
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from support.browser import LAPTOP, PHONE, Colours, Visits
from support.watched_site import WatchedSite

PAGES = {
    "overview": "/",
    "queue": "/queue",
    "queue-filtered": "/queue?state=failed&state=held&env=STAGING&older=1s",
    "queue-insert": "/queue/insert",
    "task-succeeded": "/task/9",
    "task-held": "/task/10",
    "task-failed": "/task/4",
    "task-rejected": "/task/5",
    "module": "/module/courses/physics",
    "module-not-live": "/module/courses/logic",
    "module-unknown": "/module/courses/unheard-of",
    "module-difference": "/module/courses/physics?before=1&after=6",
    "module-back": "/module/courses/physics?back=1",
    "trends": "/trends",
    "schedules": "/schedules",
    "targets": "/targets",
    "audit": "/audit",
}
"""By the name of the picture. The numbers are those of `support.watched_site.fill`."""
LOOKS: dict[str, tuple[Colours, tuple[int, int]]] = {
    "light": ("light", LAPTOP),
    "dark": ("dark", LAPTOP),
    "phone": ("light", PHONE),
}
RULES: dict[str, tuple[str, ...]] = {"light": (), "dark": ("color-contrast",)}
"""What axe looks at; nothing: at all that it knows. In the dark only colours are others."""
GRAVE = {"serious", "critical"}


@pytest.mark.parametrize("look", LOOKS)
def test_every_page_is_accessible_and_nothing_is_cut_off(visit: Visits, screenshots: Path | None, look: str) -> None:
    colours, size = LOOKS[look]
    window = visit(colours=colours, size=size)
    found = {}
    for name, path in PAGES.items():
        page = window.open(path)
        page.wait_for_load_state("load")
        picture(page, screenshots / f"{name}-{look}.png" if screenshots else None)
        found[name] = cut_off(page) if look == "phone" else grave_faults(page, *RULES[look])
    assert {name: faults for name, faults in found.items() if faults} == {}


def test_the_sign_in_page_is_accessible_and_a_picture_of_it_is_made(
    visit: Visits, screenshots: Path | None, tmp_path: Path
) -> None:
    for look, (colours, size) in LOOKS.items():
        page = visit(role=None, colours=colours, size=size).open("/signin")
        shown = (screenshots or tmp_path) / f"signin-{look}.png"
        picture(page, shown)
        assert shown.stat().st_size > 1000
        assert [*(grave_faults(page) if look == "light" else ()), *cut_off(page)] == []


def picture(page: Page, path: Path | None) -> None:
    """Of the whole page, if it is to be kept; its foot, which stays in sight in a window, is at its end from now on."""
    page.evaluate("document.querySelector('.bottom').style.position = 'static'")
    if path:
        page.screenshot(path=path, full_page=True)


def test_the_pictures_are_of_what_they_say(watched_site: WatchedSite) -> None:
    states = {task: watched_site.state(task) for task in (4, 5, 9, 10, 11, 12)}
    assert states == {4: "FAILED", 5: "REJECTED", 9: "SUCCEEDED", 10: "HELD", 11: "READY", 12: "READY"}


def test_dark_is_dark_by_the_system_and_by_the_switch(visit: Visits) -> None:
    """The colours of page and text are others, and far enough apart in both; the switch wins over the system."""
    for colours in ("light", "dark"):
        page = visit(colours=colours).open("/")
        assert (brightness(page, "background-color") > brightness(page, "color")) == (colours == "light")
    page.get_by_role("button", name="System").click()
    page.get_by_role("button", name="Dark").click()
    assert brightness(page, "background-color") > brightness(page, "color")


def brightness(page: Page, what: str) -> float:
    """Of the page's background or text, from 0 to 255."""
    colour = page.evaluate("what => getComputedStyle(document.documentElement).getPropertyValue(what)", what)
    return sum(map(int, re.findall(r"\d+", colour)[:3])) / 3


def grave_faults(page: Page, *rules: str) -> list[str]:
    """What axe finds serious or critical, with the place. `rules`: those alone."""
    options = {"resultTypes": ["violations"], **({"runOnly": list(rules)} if rules else {})}
    found: list[dict[str, Any]] = Axe().run(page, options=options).response["violations"]
    return [
        f"{fault['id']}: {fault['help']}: {node['html'][:200]}"
        for fault in found
        if fault["impact"] in GRAVE
        for node in fault["nodes"]
    ]


def cut_off(page: Page) -> list[str]:
    """What makes the page itself scroll sideways."""
    over = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    return [f"the page is {over} pixels wider than its window"] if over > 0 else []
