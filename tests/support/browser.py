"""Somebody at the console with a real browser: one Chromium for all, and for each test windows of its own."""

import os
import re
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, Response, expect, sync_playwright

from support.chromium import program
from support.watched_site import WatchedSite

FLAGS = (
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    # Only this machine may be asked.
    "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1 , EXCLUDE localhost",
)
Colours = Literal["light", "dark"]
LAPTOP, PHONE = (1280, 800), (390, 844)
LONGEST = 30_000
"""Milliseconds before a wait counts as a hang."""
expect.set_options(timeout=LONGEST)


@dataclass
class Window:
    """One window of somebody, and every fault that the browser found in what it was shown."""

    page: Page
    root: str
    faults: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.on("console", self._said)
        self.page.on("pageerror", lambda error: self.faults.append(f"{self.page.url}: {error}"))
        self.page.on("response", self._answered)

    def _said(self, message: ConsoleMessage) -> None:
        # A page that refuses is meant to: what the test expects of it, it says. Everything else a policy or a script complains of is a fault.
        if message.type in {"error", "warning"} and "Failed to load resource" not in message.text:
            self.faults.append(f"{self.page.url}: {message.text}")

    def _answered(self, response: Response) -> None:
        if response.status >= 500 or (response.status == 404 and "/static/" in response.url):
            self.faults.append(f"{response.url}: {response.status}")

    def open(self, path: str, status: int = 200) -> Page:
        """Go to a page of the console."""
        answer = self.page.goto(self.root + path)
        assert answer is not None
        assert answer.status == status, f"{path}: {answer.status}\n{self.text()}"
        return self.page

    def text(self) -> str:
        """The words that can be seen, with one blank between them."""
        return re.sub(r"\s+", " ", self.page.inner_text("body"))

    @property
    def place(self) -> str:
        """Where the window is, from the console's root."""
        return self.page.url.removeprefix(self.root)


class Visits:
    """Opens windows; at the end none of them may have found a fault."""

    def __init__(self, browser: Browser, site: WatchedSite, stack: ExitStack) -> None:
        self.browser, self.site, self._stack = browser, site, stack
        self.windows: list[Window] = []

    def __call__(
        self,
        role: str | None = "approver",
        *,
        name: str = "ann",
        root: str | None = None,
        colours: Colours = "light",
        size: tuple[int, int] = LAPTOP,
        scripts: bool = True,
        **more: Any,
    ) -> Window:
        """A window of somebody whom a proxy in front has signed in with this role; without one, of a stranger."""
        known = {"X-Remote-User": name, "X-Remote-Role": role} if role is not None else {}
        context = self.browser.new_context(
            extra_http_headers=known,
            color_scheme=colours,
            viewport={"width": size[0], "height": size[1]},
            java_script_enabled=scripts,
            **more,
        )
        context.set_default_timeout(LONGEST)
        self._stack.callback(context.close)
        self.windows.append(Window(context.new_page(), root or self.site.main_console))
        return self.windows[-1]

    def faults(self) -> list[str]:
        return [fault for window in self.windows for fault in window.faults]


@pytest.fixture
def chromium(watched_site: WatchedSite) -> Browser:
    """One for as long as the site stands. Not for the whole session: Playwright's loop would run below other tests that start one."""
    if watched_site.browser is None:
        playwright = watched_site.stack.enter_context(sync_playwright())
        browser = playwright.chromium.launch(executable_path=program(), args=list(FLAGS), chromium_sandbox=False)
        watched_site.browser = watched_site.stack.enter_context(browser)
    return watched_site.browser


@pytest.fixture
def visit(chromium: Browser, watched_site: WatchedSite) -> Iterator[Visits]:
    """`visit(role)` opens a window; the test fails if a page had a script's error or broke its own policy."""
    with ExitStack() as stack:
        visits = Visits(chromium, watched_site, stack)
        yield visits
        assert visits.faults() == []


@pytest.fixture
def screenshots() -> Path | None:
    """Where pictures of pages go, if somebody wants them: `make screenshots` does."""
    wanted = os.environ.get("SLIPWAY_SCREENSHOTS")
    if not wanted:
        return None
    folder = Path(wanted)
    folder.mkdir(parents=True, exist_ok=True)
    return folder
