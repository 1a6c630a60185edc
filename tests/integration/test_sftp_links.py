"""Links over a real OpenSSH server, and a versioned module behind it, for an account that is locked into its folder and one that is not."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from support.claims import TestQueue
from support.releases import FILES, URL, publish, unpublish
from support.sshd import Sshd
from targets import OrderedTarget, PlacedOptions
from targets.disk import Answer, Call, EntryType, Op
from targets.sftp import SftpDisk

VERSIONED = PlacedOptions(layout="versioned")
NEWER = {**FILES, "index.htm": b"newer"}


@dataclass(frozen=True, slots=True)
class Place:
    """A disk, and the same folder on this machine."""

    disk: SftpDisk
    root: Path


@pytest.fixture(params=["plain", "chrooted"])
def place(request: pytest.FixtureRequest) -> Iterator[Place]:
    server: Sshd = request.getfixturevalue("sshd" if request.param == "plain" else "chrooted_sshd")
    site = server.fresh_site()
    disk = SftpDisk(server.settings(root=site.remote_root), target="origin")
    yield Place(disk, site.root)
    disk.close()


def test_second_names_and_links_are_made_read_and_replaced(place: Place) -> None:
    (place.root / "file").write_bytes(b"f")
    (place.root / "file").chmod(0o666)
    calls = {
        Call(Op.LINK, "file", "again"): Answer.OK,
        Call(Op.LINK, "file", "again", mode=0): Answer.REFUSED,
        Call(Op.LINK, "absent", "x"): Answer.ABSENT,
        Call(Op.LINK, "file", "no/folder"): Answer.ABSENT,
        Call(Op.SYMLINK, "link", "away/tree"): Answer.OK,
        Call(Op.SYMLINK, "link", "elsewhere"): Answer.REFUSED,
        Call(Op.SYMLINK, "no/folder", "x"): Answer.ABSENT,
        Call(Op.SYMLINK, "newer", "../other"): Answer.OK,
        Call(Op.RENAME, "newer", "link"): Answer.OK,
    }
    assert place.disk.run(list(calls)) == list(calls.values())
    assert (place.root / "link").readlink() == Path("../other")
    assert (place.root / "again").samefile(place.root / "file")
    assert [place.disk.lead(name) for name in ("link", "again", "absent")] == ["../other", None, None]
    found = [entry and entry.type for entry in place.disk.stat(["link", "again", "absent"])]
    assert found == [EntryType.LINK, EntryType.FILE, None]


def test_a_versioned_module_goes_forth_and_back(place: Place) -> None:
    target, queue, module = OrderedTarget("origin", place.disk, VERSIONED), TestQueue(), place.root / URL.strip("/")
    publish(target, URL, FILES, queue.claim())
    first = module.readlink()
    publish(target, URL, NEWER, queue.claim())
    assert not first.is_absolute()
    assert (module / "index.htm").read_bytes() == b"newer"
    assert (module / "readme").samefile(module.parent / first / "readme")
    moved = publish(target, URL, FILES, queue.claim(), back=True)
    assert (moved.files, module.readlink()) == (0, first)
    assert (module / "index.htm").read_bytes() == FILES["index.htm"]
    unpublish(target, URL, queue.claim())
    assert not module.is_symlink()


def test_the_probe_tries_links_and_leaves_nothing(place: Place) -> None:
    checks = OrderedTarget("origin", place.disk, VERSIONED).probe()
    assert [check for check in checks if check.outcome == "failure"] == []
    assert "a symbolic link is renamed over another in one step" in {check.what for check in checks}
    assert list(place.root.iterdir()) == []
