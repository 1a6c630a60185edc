"""Reading slips: a stream of elements becomes values, rule by rule, and every fault is noted with its line.

Nothing is believed because it parsed: a document counts only if its root ended, its count is right, its names are safe
and distinct, and nothing in it is unknown.
"""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from hashlib import sha256
from io import BytesIO
from typing import Any, BinaryIO
from weakref import WeakValueDictionary

from packageslip import attributes
from packageslip.attributes import Table
from packageslip.commit_rules import CommitRules
from packageslip.document import MOST_FAULTS, Begun, Element, Faults, Readable, Unreadable, chunks
from packageslip.elements import known, local, read_attributes, require_root
from packageslip.errors import BadSlip
from packageslip.lines import NotPlain, halves, read_lines
from packageslip.listing import Listing
from packageslip.names import ITSELF
from packageslip.occupied import Occupied
from packageslip.stale_files import StaleFiles
from packageslip.values import Limits, Packageslip, Resource, View, ViewKind

_SECTIONS = {
    "resources": attributes.RESOURCES,
    "views": attributes.NONE,
    "dependent-modules": attributes.NONE,
    "linked-departments": attributes.NONE,
    "stale": attributes.STALES,
}
RESOURCE_DEPTH = 3
WHOLE = 64 * 1024 * 1024
"""Bytes of a document up to which it is taken as a whole, which can be read by lines, in a third of the time."""
_LEAVES: Mapping[str, Mapping[str, Table]] = {
    "resources": {"resource": attributes.RESOURCE},
    "views": {kind.value: attributes.VIEW for kind in ViewKind},
    "dependent-modules": {"module": attributes.DEPENDENT},
    "linked-departments": {"department": attributes.DEPARTMENT},
    "stale": {"file": attributes.STALE},
}


def read_slip(stream: BinaryIO | bytes, name: str, limits: Limits = Limits(), *, url: str | None = None) -> Packageslip:  # noqa: B008 - frozen
    """The slip in a document, checked; `name` is what errors call it, `url` (if given) the module it must be of.

    A very long one is read piece by piece. Raises BadSlip with every fault, each with its line and its rule.
    """
    if not isinstance(stream, bytes):
        begun = Begun(stream, min(WHOLE, limits.bytes))
        if begun.more:
            return _read(begun, name, limits, url)
        stream = begun.first
    key = sha256(stream).digest(), limits
    known = _in_use.get(key)
    if known is None or url not in {None, known.url}:
        known = _in_use[key] = _read_plain(stream, limits, url) or _read(BytesIO(stream), name, limits, url)
    return known


_in_use: WeakValueDictionary[tuple[bytes, Limits], Packageslip] = WeakValueDictionary()
"""Slips that somebody still has, by the digest of the document that they were read from and the limits that it kept.

The same bytes say the same, and reading 100,000 files takes seconds: what the record and the target both have is read once.
"""


def get_ready() -> None:
    """Read in what the first document would wait for: the XML library, which is large."""
    import packageslip.parsing  # noqa: F401, PLC0415


def _read_plain(document: bytes, limits: Limits, url: str | None) -> Packageslip | None:
    """The slip in a document without a fault, of which each resource is a plain line; None: nobody knows yet."""
    if len(document) > limits.bytes or limits.depth < RESOURCE_DEPTH:
        return None
    faults = Faults()
    try:
        frame, first, last = halves(document)
        draft = Draft(faults, limits, plain=read_lines(document, first, last, limits.attribute))
    except NotPlain:
        return None
    draft.read(iter([frame]), url)
    return None if faults.found else draft.slip()


def _read(stream: Readable, name: str, limits: Limits, url: str | None) -> Packageslip:
    faults = Faults()
    draft = Draft(faults, limits)
    draft.read(chunks(stream, limits, faults), url)
    if faults.found:
        raise BadSlip(name, faults.sorted())
    return draft.slip()


class Draft:
    """A slip while it is read. With `keep` false its files are only checked, and use no memory but their names.

    `plain`: what was read of its resources already.
    """

    def __init__(self, faults: Faults, limits: Limits, *, keep: bool = True, plain: Listing | None = None) -> None:
        self._faults, self._limits, self._keep = faults, limits, keep
        self._root: dict[str, Any] = {}
        self._section = ""
        self._sections: dict[str, dict[str, Any]] = {}
        self._lines: dict[str, int] = {}
        self._occupied = Occupied()
        self._commit = CommitRules(faults)
        self._resources: list[Resource] = []
        self._views: list[View] = []
        self._stale = StaleFiles(faults)
        self._named: dict[str, dict[str, None]] = {"module": {}, "department": {}}
        self._counted = 0
        self._files = 0
        self._alone = 0
        """The line of a file that is the module itself."""
        self._size: int | None = 0
        self._plain = plain

    def read(self, pieces: Iterator[bytes], url: str | None = None, *, validate: bool = False) -> None:
        """Read the whole document, by the XSD too if asked; what is wrong with it is among the faults afterwards."""
        # Imported when there is something to read: the XML library is large, and many only need the values.
        from packageslip.parsing import elements  # noqa: PLC0415

        with suppress(Unreadable):
            for element in elements(pieces, self._limits, self._faults, validate=validate):
                self._take(element)
            self._finish(url)

    def slip(self) -> Packageslip:
        """What was read, if there was no fault."""
        resources = Listing(self._resources) if self._plain is None else self._plain
        resources.safe = True
        if self._commit.published:
            resources.version, resources.recordable = self._root["version"], True
        return Packageslip(
            resources=resources,
            views=tuple(self._views),
            dependents=tuple(self._named["module"]),
            linked_departments=tuple(self._named["department"]),
            stale=self._stale.files(),
            **self._root,
        )

    def _take(self, element: Element) -> None:
        if element.depth == 3:
            self._take_leaf(element)
        elif element.depth == 2:
            self._take_section(element)
        elif element.depth == 1:
            self._take_root(element)
        else:
            self._faults.add(element.line, "X5", f"<{local(element.tag)}> stands inside an element that holds none")

    def _take_root(self, element: Element) -> None:
        require_root(element, "packageslip", self._faults)
        self._root = read_attributes(element, attributes.SLIP, self._faults, self._limits)
        self._lines[""] = element.line
        self._commit.begin(self._root, element.line)

    def _take_section(self, element: Element) -> None:
        name = known(element, _SECTIONS, self._faults)
        self._section = name or ""
        if not name:
            return
        if name in self._sections:
            self._faults.add(element.line, "X7", f"there is a second <{name}>")
        self._sections[name] = read_attributes(element, _SECTIONS[name], self._faults, self._limits)
        self._lines[name] = element.line
        if self._sections[name].get("count", 0) > self._limits.resources:
            self._faults.end(element.line, "X4", f"there are more than {self._limits.resources} resources")
        if name == "resources" and self._plain is not None:
            self._take_plain(self._plain, element.line)

    def _take_plain(self, plain: Listing, line: int) -> None:
        """All resources at once, which are right one by one. Any fault will do: the document is read again for its place."""
        paths = [resource.path for resource in plain]
        sizes = [resource.size for resource in plain if resource.size is not None]
        self._counted = self._files = len(plain)
        self._size = sum(sizes) if len(sizes) == len(plain) else None
        self._alone = line if ITSELF in paths else 0
        if len(plain) > self._limits.resources or not self._occupied.take_all(paths):
            self._faults.end(line, "X4", "there are too many resources, or two that cannot be side by side")
        if self._commit.published:
            self._commit.resources(plain, line)

    def _take_leaf(self, element: Element) -> None:
        if not self._section:
            return
        table = _LEAVES[self._section]
        name = known(element, table, self._faults)
        if not name:
            return
        values = read_attributes(element, table[name], self._faults, self._limits)
        if name == "resource":
            self._take_resource(values, element.line)
        elif name == "file":
            self._stale.take(values, element.line)
        elif name in self._named:
            self._take_name(name, values, element.line)
        elif self._take_file(values, element.line) and self._keep:
            self._views.append(View(kind=ViewKind(name), **values))

    def _take_resource(self, values: dict[str, Any], line: int) -> None:
        self._counted += 1
        if self._counted > self._limits.resources:
            self._faults.end(line, "X4", f"there are more than {self._limits.resources} resources")
        declared = self._sections["resources"].get("count", self._counted)
        if self._counted > declared + MOST_FAULTS:
            self._faults.end(line, "X10", f"count is {declared}, but many more resources follow")
        size = values.get("size")
        self._size = None if size is None or self._size is None else self._size + size
        if self._take_file(values, line):
            if self._commit.published:
                self._commit.resource(values, line)
            if self._keep:
                self._resources.append(Resource(**values))

    def _take_file(self, values: dict[str, Any], line: int) -> bool:
        """Whether the file has a path of its own."""
        path = values.get("path")
        if path is None:
            return False
        self._files += 1
        if path == ITSELF:
            self._alone = line
        if self._commit.published:
            self._commit.file(values, line)
        clash = self._occupied.take(path)
        if clash:
            self._faults.add(line, clash[0], _CLASHES[clash[0]].format(path=path, other=clash[1]))
        return not clash

    def _take_name(self, name: str, values: dict[str, Any], line: int) -> None:
        for value in values.values():
            if value in self._named[name]:
                self._faults.add(line, "X7", f"the {name} {value!r} is named twice")
            self._named[name][value] = None

    def _finish(self, url: str | None) -> None:
        if url is not None and self._root.get("url", url) != url:
            self._faults.add(self._lines[""], "U1", f"this is the slip of {self._root['url']!r}, not of {url!r}")
        if "resources" not in self._sections:
            self._faults.add(self._lines[""], "X10", 'there is no <resources>; a module without any says <resources count="0">')
            return
        declared = self._sections["resources"]
        line = self._lines["resources"]
        if declared.get("count", self._counted) != self._counted:
            self._faults.add(line, "X10", f"count is {declared['count']}, but {self._counted} resources follow")
        if self._size is not None and declared.get("size", self._size) != self._size:
            self._faults.add(line, "X10", f"size is {declared['size']}, but the resources' sizes make {self._size}")
        if self._alone and (self._files > 1 or self._counted == 0 or self._root.get("url") == "/"):
            self._faults.add(
                self._alone, "N18", f"{ITSELF!r}, the file at the module's own URL, must be the only file, and never of /"
            )
        if "stale" in self._sections:
            count = self._sections["stale"].get("count")
            self._stale.finish(self._lines["stale"], count, self._occupied.holds, published=self._commit.published)
        self._commit.finish()


_CLASHES = {
    "N14": "path {path!r} is listed twice",
    "N10": "paths {other!r} and {path!r} differ only in case or Unicode form, and are one file on many systems",
    "N13": "path {path!r} cannot be beside {other!r}: one would have to be a file and a folder",
}
