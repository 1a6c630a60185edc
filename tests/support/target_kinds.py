"""One place for each kind of target, as the contract suite uses it: a way to open targets there, and its trees seen from outside."""

import os
import posixpath
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

import pytest

from targets import GroupTarget, LocalDisk, MemoryDisk, MemoryFiles, OrderedTarget, PlacedOptions, Target
from targets.disk import Disk, EntryType

AREA, RELEASES = ".slipway", ".slipway-releases"


class Tree(Protocol):
    """One root folder, as its server's administrator sees it."""

    def files(self) -> dict[str, bytes]:
        """Every file by its path, those in the area included."""

    def folders(self) -> set[str]: ...

    def write(self, path: str, content: bytes) -> None:
        """Put a foreign file there, with the folders it needs."""

    def make_folder(self, path: str) -> None: ...

    def link(self, path: str, to: str) -> None:
        """A symbolic link to a folder or file of the same root."""

    def links(self) -> dict[str, str]:
        """Every symbolic link by its path, with what it says."""

    def rename(self, path: str, to: str) -> None: ...

    def mode(self, path: str) -> int: ...

    def modified(self, path: str) -> int: ...


@dataclass(frozen=True, slots=True)
class PathTree:
    """A tree in this machine's file system. What it makes belongs to whom the root belongs."""

    root: Path

    def files(self) -> dict[str, bytes]:
        return {path.relative_to(self.root).as_posix(): path.read_bytes() for path in self._all() if path.is_file()}

    def folders(self) -> set[str]:
        return {path.relative_to(self.root).as_posix() for path in self._all() if path.is_dir() and not path.is_symlink()}

    def _all(self) -> Iterator[Path]:
        return self.root.rglob("*")

    def write(self, path: str, content: bytes) -> None:
        self.make_folder(path.rpartition("/")[0])
        self.root.joinpath(path).write_bytes(content)
        self._own(path)

    def make_folder(self, path: str) -> None:
        parts = path.split("/") if path else []
        for end in range(1, len(parts) + 1):
            folder = "/".join(parts[:end])
            if not (self.root / folder).exists():
                (self.root / folder).mkdir()
                self._own(folder)

    def link(self, path: str, to: str) -> None:
        self.root.joinpath(path).symlink_to(self.root / to)
        self._own(path)

    def links(self) -> dict[str, str]:
        return {path.relative_to(self.root).as_posix(): str(path.readlink()) for path in self._all() if path.is_symlink()}

    def _own(self, path: str) -> None:
        owner = self.root.stat()
        os.lchown(self.root / path, owner.st_uid, owner.st_gid)

    def rename(self, path: str, to: str) -> None:
        self.root.joinpath(path).rename(self.root / to)

    def mode(self, path: str) -> int:
        return self.root.joinpath(path).stat().st_mode & 0o7777

    def modified(self, path: str) -> int:
        return int(self.root.joinpath(path).stat().st_mtime)


@dataclass(frozen=True, slots=True)
class MemoryTree:
    """A tree in a dict."""

    held: MemoryFiles

    def files(self) -> dict[str, bytes]:
        return self.held.tree()

    def folders(self) -> set[str]:
        return {self.held.spelled(key) for key, node in self.held.nodes.items() if node.type is EntryType.FOLDER}

    def write(self, path: str, content: bytes) -> None:
        real = self._real(path)
        self.make_folder(real.rpartition("/")[0])
        self.held.add(real, EntryType.FILE, content)

    def _real(self, path: str) -> str:
        """A path with the links on its way followed, as a file system does it."""
        for link, lead in self.links().items():
            if path.startswith(f"{link}/"):
                return posixpath.normpath(posixpath.join(posixpath.dirname(link), lead)) + path.removeprefix(link)
        return path

    def make_folder(self, path: str) -> None:
        parts = path.split("/") if path else []
        for end in range(1, len(parts) + 1):
            if self.held.find("/".join(parts[:end])) is None:
                self.held.add("/".join(parts[:end]), EntryType.FOLDER)

    def link(self, path: str, to: str) -> None:
        self.held.add(path, EntryType.LINK, to.encode())

    def links(self) -> dict[str, str]:
        nodes = self.held.nodes.items()
        return {self.held.spelled(key): node.content.decode() for key, node in nodes if node.type is EntryType.LINK}

    def rename(self, path: str, to: str) -> None:
        start, to = self.held.key(self._real(path)), self._real(to)
        for key in [key for key in self.held.nodes if f"{key}/".startswith(f"{start}/")]:
            self.held.nodes[self.held.key(to) + key[len(start) :]] = self.held.nodes.pop(key)
        self.held.nodes[self.held.key(to)].name = to.rpartition("/")[2]

    def mode(self, path: str) -> int:
        node = self.held.find(self._real(f"{path}/").rstrip("/"))
        assert node is not None
        return node.mode

    def modified(self, path: str) -> int:
        node = self.held.find(self._real(path))
        assert node is not None
        return node.modified


@dataclass(frozen=True, slots=True)
class Place:
    """One kind's place: `open` gives a further Target there, as another engine would have it."""

    kind: str
    trees: tuple[Tree, ...]
    open_with: Callable[[PlacedOptions], Target]

    def open(self, options: PlacedOptions | None = None) -> Target:
        return self.open_with(options or PlacedOptions())

    def live(self) -> list[dict[str, bytes]]:
        """Each tree's files, but for the area and the public slips."""
        return [visible(tree) for tree in self.trees]

    def residue(self) -> list[str]:
        """What a release may not leave behind in any area: everything but the commit records and one empty token for each module."""
        return [path for tree in self.trees for path in leftovers(tree)]


def visible(tree: Tree) -> dict[str, bytes]:
    """What visitors see but for public slips: links of ours are followed, one that leads nowhere is a fault of its own."""
    return without_ours(followed(tree))


def without_ours(seen: Mapping[str, bytes]) -> dict[str, bytes]:
    """The same without public slips and areas."""
    hidden = ("packageslip.xml", f"{AREA}/", f"{RELEASES}/")
    return {
        path: content for path, content in seen.items() if not path.startswith(hidden) and not path.endswith("/packageslip.xml")
    }


def followed(tree: Tree) -> dict[str, bytes]:
    """Every file as it is seen through the links to releases."""
    files = tree.files()
    for path, lead in tree.links().items():
        at = posixpath.normpath(posixpath.join(posixpath.dirname(path), lead))
        if at.startswith(f"{RELEASES}/") and not path.startswith(f"{AREA}/"):
            inside = {file.removeprefix(f"{at}/"): content for file, content in files.items() if file.startswith(f"{at}/")}
            files |= {f"{path}/{file}": content for file, content in inside.items()} or {f"{path}/DANGLING": b""}
    return files


def leftovers(tree: Tree) -> list[str]:
    inside = [path.split("/") for path in sorted({*tree.files(), *tree.folders(), *tree.links()}) if path.startswith(f"{AREA}/")]
    tokens: dict[str, int] = {}
    found = []
    for parts in inside:
        name = "/".join(parts)
        match parts[2:]:
            case [] | ["modules"] | ["new"] | ["modules", _] | ["modules", _, "slip.xml"]:
                if not parts[1].startswith("modules-"):
                    found.append(name)
            case ["modules", module, _]:
                tokens[module] = tokens.get(module, 0) + 1
                if tokens[module] > 1:
                    found.append(name)
            case _:
                found.append(name)
    return found


def memory_place(request: pytest.FixtureRequest) -> Place:
    files = MemoryFiles()
    return Place("memory", (MemoryTree(files),), lambda options: OrderedTarget("memory", MemoryDisk(files), options))


def local_place(request: pytest.FixtureRequest) -> Place:
    root: Path = request.getfixturevalue("tmp_path") / "site"
    root.mkdir()
    return Place("local", (PathTree(root),), lambda options: OrderedTarget("local", LocalDisk(root, "local"), options))


def group_place(request: pytest.FixtureRequest) -> Place:
    roots = [request.getfixturevalue("tmp_path") / name for name in ("one", "two")]
    for root in roots:
        root.mkdir()

    def open_group(options: PlacedOptions) -> Target:
        return GroupTarget("group", [OrderedTarget(root.name, LocalDisk(root, root.name), options) for root in roots])

    return Place("group", tuple(PathTree(root) for root in roots), open_group)


def sftp_place(request: pytest.FixtureRequest, **overrides: object) -> Place:
    from targets.sftp import SftpDisk

    server = request.getfixturevalue("sshd")
    name = f"site-{uuid.uuid4().hex[:8]}"
    tree = PathTree(server.accounts[0].root)
    tree.make_folder(name)
    settings = server.settings(root=f"{server.accounts[0].remote_root}/{name}", **overrides)
    opened: list[Target] = []

    def open_sftp(options: PlacedOptions) -> Target:
        disk: Disk = SftpDisk(settings, target="sftp")
        opened.append(OrderedTarget("sftp", disk, options))
        return opened[-1]

    def close_all() -> None:
        for target in opened:
            target.close()

    request.addfinalizer(close_all)
    return Place("sftp", (PathTree(tree.root / name),), open_sftp)


def stream_place(request: pytest.FixtureRequest) -> Place:
    """All goes by the receiver that it can carry, however little it is."""
    request.getfixturevalue("monkeypatch").setattr("targets.sftp.disk.MANY", 1)
    return sftp_place(request, transfer="stream")


def s3_place(request: pytest.FixtureRequest) -> Place:
    """A prefix of a bucket of its own; modes, times and durability mean nothing there."""
    from targets.s3 import BucketTarget

    bucket = request.getfixturevalue("s3_server").new_bucket()
    opened: list[Target] = []

    def open_bucket(options: PlacedOptions) -> Target:
        settings = bucket.settings(area=options.area, public_slip=options.public_slip, verify=options.verify)
        opened.append(BucketTarget("s3", settings, bucket.secrets))
        return opened[-1]

    def close_all() -> None:
        for target in opened:
            target.close()

    request.addfinalizer(close_all)
    return Place("s3", (bucket,), open_bucket)


def versioned(make: Callable[[pytest.FixtureRequest], Place]) -> Callable[[pytest.FixtureRequest], Place]:
    """The same kind of place with every module in the versioned layout that can be."""

    def place(request: pytest.FixtureRequest) -> Place:
        plain = make(request)
        return replace(plain, open_with=lambda options: plain.open_with(replace(options, layout="versioned")))

    return place


# One line for each kind of target that the configuration knows; a test compares the two.
PLACES: Mapping[str, Callable[[pytest.FixtureRequest], Place]] = {
    "memory": memory_place,
    "local": local_place,
    "group": group_place,
    "sftp": sftp_place,
    "s3": s3_place,
}

VERSIONED: Mapping[str, Callable[[pytest.FixtureRequest], Place]] = {
    f"versioned-{kind}": versioned(PLACES[kind]) for kind in ("memory", "local", "sftp")
}
"""The kinds with a file tree, in their other layout."""

STREAMED: Mapping[str, Callable[[pytest.FixtureRequest], Place]] = {
    "sftp-stream": stream_place,
    "versioned-sftp-stream": versioned(stream_place),
}
"""A server over SSH, its other way of transfer."""

# What a kind of place has not by its nature, and why: tests that need it (`@pytest.mark.needs("links")`) say nothing about it.
LACKS: Mapping[str, Mapping[str, str]] = {
    "s3": {
        "links": "an object store has no symbolic links",
        "folders": "an object store has no folders: names that begin alike are all there is, and none is in another's way",
        "modes": "objects have no permission bits",
        "times": "an object's time is when it was written; the slip's goes into its metadata",
        "grace": "a bucket's own versions and rules keep what was replaced or deleted, for as long as they say",
        "marks": "its holder is written in an object that stays where it is, so that one look does not tell who came after",
        "births": "a module begins with one object, so nothing is left of one that was cut short",
    },
    **{
        kind: {
            "nesting": "a versioned module is a link to a whole tree, below which no other module lives",
            "guests": "a release is a tree of its own, in which nothing lies that no slip lists",
            "grace": "what a release leaves out stays in the release before it, not in its own tree",
            "parts": "a release becomes visible as a whole, never file by file",
        }
        for kind in (*VERSIONED, "versioned-sftp-stream")
    },
}


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "needs(ability): not for places that lack it by their nature")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what a place has not: a test of links is no test of a bucket, and would only ever be skipped."""
    beside = [item for item in items if _lacks(item)]
    if beside:
        config.hook.pytest_deselected(items=beside)
        items[:] = [item for item in items if item not in set(beside)]


def _lacks(item: pytest.Item) -> bool:
    kind = item.callspec.params.get("place") if isinstance(item, pytest.Function) and hasattr(item, "callspec") else None
    needed = {ability for mark in item.iter_markers("needs") for ability in mark.args}
    return bool(needed & LACKS.get(str(kind), {}).keys())


@pytest.fixture(params=sorted([*PLACES, *VERSIONED, *STREAMED]))
def place(request: pytest.FixtureRequest) -> Place:
    """An empty place of every kind in turn."""
    return {**PLACES, **VERSIONED, **STREAMED}[request.param](request)
