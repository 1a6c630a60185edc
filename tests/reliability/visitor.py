"""One visitor of a soak, as a process of its own: reads pages and what they need, and judges every byte it gets.

`python visitor.py '{"seed": 1, "rate": 50, "sites": [...]}'` reads until its standard input ends, then writes one JSON document:
reads, pages, resolved releases, violations, and every distinct thing it saw. It imports nothing of Slipway.
"""

import hashlib
import http.client
import json
import os
import random
import selectors
import sys
import time
import xml.etree.ElementTree as ET
from dataclasses import dataclass, field
from typing import Any

MOST = 50
"""Violations that are told in full."""
SLIP = "packageslip.xml"
PAGES = ("index.htm", "more/page.htm")


class Places:
    """One site, over HTTP or by its folder."""

    def __init__(self, site: dict[str, Any]) -> None:
        self.target: str = site["target"]
        self.steady = frozenset(site["steady"])
        self.modules: list[str] = site["modules"]
        self.versioned = frozenset(site.get("versioned", ()))
        """Modules behind a link that this visitor can resolve."""
        self._root: str | None = site.get("root")
        self._port, self._prefix = site.get("port"), site.get("prefix", "")
        self._connection: http.client.HTTPConnection | None = None

    def get(self, path: str) -> bytes | None:
        """The bytes at a public path; None: nothing is there."""
        return bytes_at(f"{self._root}{path}") if self._root is not None else self._ask(path)

    def behind(self, module: str) -> str | None:
        """The folder that a module's link leads to at this moment; None: there is no link."""
        link = f"{self._root}{module}"
        try:
            return os.path.normpath(os.path.join(os.path.dirname(link), os.readlink(link)))  # noqa: PTH115, PTH118, PTH120 - as above
        except FileNotFoundError:
            return None

    def _ask(self, path: str) -> bytes | None:
        if self._connection is None:
            self._connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=30)
        try:
            self._connection.request("GET", f"{self._prefix}{path}")
            answer = self._connection.getresponse()
            content = answer.read()
        except (ConnectionError, http.client.RemoteDisconnected):
            # The server may close a connection after so many requests.
            self._connection.close()
            self._connection = None
            return self._ask(path)
        if answer.status == 404:
            return None
        if answer.status != 200:
            # A folder stands where the name once was a file.
            return None if answer.status in {301, 403} else b"status " + str(answer.status).encode()
        return content


def bytes_at(place: str) -> bytes | None:
    """The bytes of a file; None: there is none."""
    try:
        with open(place, "rb") as stream:  # noqa: PTH123 - no imports that cost time
            return stream.read()
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
        return None


@dataclass
class Visitor:
    """What one visitor knows and has seen."""

    places: list[Places]
    chance: random.Random
    reads: int = 0
    pages: int = 0
    absent: int = 0
    resolved: int = 0
    violations: list[str] = field(default_factory=list)
    seen: set[tuple[str, str, str]] = field(default_factory=set)
    met: set[tuple[str, str]] = field(default_factory=set)

    def visit(self) -> None:
        """One page and some of what it needs, or one whole release."""
        place = self.chance.choice(self.places)
        module = self.chance.choice(place.modules)
        if module in place.versioned and self.chance.random() < 0.3:
            self.resolve(place, module)
            return
        page = "index.htm" if self.chance.random() < 0.7 else "more/page.htm"
        content = self.read(place, module, page)
        if content is None:
            self._absent(place, module, page)
            return
        self.pages += 1
        if page == "index.htm":
            self.met.add((place.target, module))
        needs = needs_of(content)
        for path, digest in self.chance.sample(needs, min(3, len(needs))):
            self._need(place, module, page, content, path, digest)

    def read(self, place: Places, module: str, path: str, tree: str | None = None) -> bytes | None:
        """One read, judged by itself: whole, and of the module and path that were asked for. `tree`: where the module's link led."""
        content = place.get(f"{module}/{path}") if tree is None else bytes_at(f"{tree}/{path}")
        self.reads += 1
        if content is not None:
            fault = judge(module, path, content)
            if fault:
                self.note(f"{place.target}: {module}/{path}: {fault}")
            else:
                self.seen.add((place.target, f"{module}/{path}".strip("/"), hashlib.sha256(content).hexdigest()))
        return content

    def _absent(self, place: Places, module: str, page: str) -> None:
        """A module that is never unpublished keeps its front page once it has it."""
        self.absent += 1
        if page == "index.htm" and module in place.steady and (place.target, module) in self.met:
            self.note(f"{place.target}: {module}/{page} is gone although nobody unpublished it")

    def _need(self, place: Places, module: str, page: str, content: bytes, path: str, digest: str) -> None:
        """What a visible page needs is there: as the page says, or newer.

        The module may have changed since the page was read. Assets come before pages and go after them, so if something is wrong
        with the asset and right with the site, the page has changed by now.
        """
        for _ in range(3):
            found = self.read(place, module, path)
            if found is not None and (hashlib.sha256(found).hexdigest() == digest or version(found) > version(content)):
                return
            if self.read(place, module, page) != content:
                return
        what = "is not there" if found is None else f"is of the older version {version(found)}"
        self.note(f"{place.target}: {module}/{page} of version {version(content)} needs {path}, which {what}")

    def resolve(self, place: Places, module: str) -> None:
        """A module's link once, and everything behind it: one version, whole, and nothing else."""
        tree = place.behind(module)
        if tree is None:
            self._absent(place, module, PAGES[0])
            return
        fault = self._mixed(place, module, tree)
        if not os.path.isdir(tree):  # noqa: PTH112 - as above
            # It was one of the oldest, or was unpublished, and went while it was read: but never before its link.
            if place.behind(module) == tree:
                self.note(f"{place.target}: the link of {module} leads to {tree}, which is not there")
            return
        self.resolved += 1
        if fault:
            self.note(f"{place.target}: {module} within {os.path.basename(os.path.dirname(tree))}: {fault}")  # noqa: PTH119, PTH120

    def _mixed(self, place: Places, module: str, tree: str) -> str | None:
        """What is wrong with a release: by its own slip, by what its pages need, and by the versions that its files are of."""
        there, listed = files_below(tree), listed_in(bytes_at(f"{tree}/{SLIP}") or b"")
        if there - {SLIP} != listed.keys():
            return f"it has {sorted(there - {SLIP} - listed.keys())} too many and lacks {sorted(listed.keys() - there)}"
        found = {path: self.read(place, module, path, tree) or b"" for path in listed}
        digests = {path: hashlib.sha256(content).hexdigest() for path, content in found.items()}
        if wrong := [path for path in listed if digests[path] != listed[path]]:
            return f"{wrong} have other bytes than its slip says"
        pages = [found[page] for page in PAGES if page in found]
        if wrong := [path for page in pages for path, digest in needs_of(page) if digests.get(path) != digest]:
            return f"{wrong} have other bytes than its pages need"
        versions = {version(content) for path, content in found.items() if path in PAGES or path.startswith("turn")}
        return f"it is of the versions {sorted(versions)}" if len(versions) != 1 else None

    def note(self, what: str) -> None:
        """A violation."""
        self.violations.append(what)


def judge(module: str, path: str, content: bytes) -> str | None:
    """What is wrong with a file by its own word; None if nothing is."""
    head, mark, body = content.partition(b"\n")
    words = head.decode("ascii", "replace").split()
    if not mark or len(words) != 5 or words[0] != "soak":
        return f"torn: {len(content)} bytes that begin with {content[:40]!r}"
    if words[1:3] != [module, path]:
        return f"the file of {words[1]} {words[2]} lies here"
    return None if hashlib.sha256(body).hexdigest() == words[4] else f"torn: {len(content)} bytes of version {words[3]}"


def needs_of(page: bytes) -> list[tuple[str, str]]:
    """What a page needs: path and digest."""
    words = [line.split() for line in page.decode("ascii", "replace").splitlines()[1:]]
    return [(line[1], line[2]) for line in words if len(line) == 3 and line[0] == "needs"]


def files_below(tree: str) -> set[str]:
    """Every file of a release, by its path there."""
    return {f"{folder}/{name}".removeprefix(f"{tree}/") for folder, _, names in os.walk(tree) for name in names}


def listed_in(slip: bytes) -> dict[str, str]:
    """The files of a slip with their digests; nothing if it is not whole."""
    try:
        resources = ET.fromstring(slip).findall(".//{*}resource")
    except ET.ParseError:
        return {}
    return {each.get("path", ""): each.get("digest", "").removeprefix("sha256:") for each in resources}


def version(content: bytes) -> int:
    """Which version a file is of; 0 if it cannot say."""
    words = content.partition(b"\n")[0].split()
    return int(words[3]) if len(words) == 5 and words[3].isdigit() else 0


def main(arguments: list[str]) -> int:
    told = json.loads(arguments[0])
    visitor = Visitor([Places(site) for site in told["sites"]], random.Random(told["seed"]))
    pause = 1 / told["rate"]
    began = time.monotonic()
    with selectors.DefaultSelector() as selector:
        selector.register(sys.stdin, selectors.EVENT_READ)
        while True:
            early = began + visitor.reads * pause - time.monotonic()
            if selector.select(max(0, early)) and not os.read(0, 1):
                break
            visitor.visit()
    found = {name: getattr(visitor, name) for name in ("reads", "pages", "absent", "resolved")}
    print(
        json.dumps(
            {**found, "violations": len(visitor.violations), "told": visitor.violations[:MOST], "seen": sorted(visitor.seen)}
        )
    )
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
