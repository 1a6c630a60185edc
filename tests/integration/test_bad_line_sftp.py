"""A release over a bad line: cut, reset, silent, half-open or wrong in one bit, anywhere, either way. It ends in words, the live
files are whole, and the next engine leaves the same tree as if nothing had been."""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest

from support.claims import TestQueue
from support.releases import publish
from support.sshd import Sshd
from support.target_kinds import PathTree
from support.tcp_proxy import Fault, How, TcpProxy, Way
from targets import OrderedTarget
from targets.errors import TargetUnreachable
from targets.sftp import SftpDisk

URL = "/courses/physics"
BULK = random.Random(0).randbytes(300_000)
OLD = {"index.htm": b"old", "notes/l1.pdf": BULK, "gone.htm": b"x"}
NEW = {"index.htm": b"new", "notes/l1.pdf": BULK[::-1], "more/l2.pdf": BULK[1000:]}
SILENCE = 1.0
"""Seconds of silence after which a target counts as unreachable."""
PATIENCE = 60.0
"""The same where nothing is wrong: a busy machine is no bad line."""


@dataclass(frozen=True, slots=True)
class Line:
    """A server behind a bad line, and the same one by a good one."""

    proxy: TcpProxy
    direct: OrderedTarget
    behind: Callable[[], OrderedTarget]
    tree: PathTree
    queue: TestQueue
    length: dict[Way, int]
    """Bytes that a release takes each way."""

    def begin(self) -> None:
        """The old version is live."""
        publish(self.direct, URL, OLD, self.queue.claim())

    def live(self) -> dict[str, bytes]:
        files = self.tree.files()
        return {path: content for path, content in files.items() if path.startswith("courses/") and not path.endswith(".xml")}

    def finish(self) -> None:
        """Another engine, by the good line, makes the tree that it would have made alone, without residue."""
        publish(self.direct, URL, NEW, self.queue.claim())
        assert self.live() == {f"courses/physics/{path}": content for path, content in NEW.items()}
        ours = [path for path in self.tree.files() if path.startswith(".slipway/")]
        assert [path.rpartition("/")[2] for path in ours] == ["slip.xml"], ours


@pytest.fixture(scope="module")
def line(sshd: Sshd) -> Iterator[Line]:
    site = sshd.fresh_site()
    opened: list[OrderedTarget] = []

    def target(port: int, silence: float = PATIENCE) -> OrderedTarget:
        settings = sshd.settings(
            port=port, host_key=sshd.host_key, root=site.remote_root, idle_timeout=silence, connect_timeout=silence
        )
        opened.append(OrderedTarget("origin", SftpDisk(settings, target="origin")))
        return opened[-1]

    with TcpProxy(sshd.port) as proxy:
        queue, direct = TestQueue(), target(sshd.port)
        publish(direct, URL, OLD, queue.claim())
        behind = target(proxy.port)
        publish(behind, URL, NEW, queue.claim())
        yield Line(proxy, direct, lambda: target(proxy.port, SILENCE), PathTree(site.root), queue, dict(proxy.talks[0].taken))
        for each in opened:
            each.close()


def suffer(line: Line, fault: Fault) -> TargetUnreachable:
    """Publish over a line with this fault; how it ended."""
    error = outcome(line, fault)
    assert error is not None, "it went on"
    return error


def outcome(line: Line, fault: Fault) -> TargetUnreachable | None:
    """The same; None where it went on: a line that is seen to be dead before anything is asked over it is replaced."""
    line.begin()
    line.proxy.strike(fault, times=1)
    struck, error = line.proxy.struck, None
    target = line.behind()
    try:
        publish(target, URL, NEW, line.queue.claim())
    except TargetUnreachable as caught:
        error = caught
    target.close()
    assert line.proxy.struck == struck + 1, "the release never came so far"
    either = {f"courses/physics/{path}": {OLD.get(path), NEW.get(path)} for path in OLD | NEW}
    assert all(content in either[path] for path, content in line.live().items()), "a live file is torn"
    return error


# The last replies are of no weight: how many packets a publish is varies by some.
SHARES = (0.0, 0.004, 0.3, 0.8, 0.9)
"""How much of a release has passed: nothing, in the handshake, in the bulk, at its end, in the last words."""


@pytest.mark.parametrize("way", Way)
@pytest.mark.parametrize("share", SHARES)
@pytest.mark.parametrize("how", [How.CUT, How.RESET])
def test_a_line_that_is_cut_anywhere_is_an_unreachable_target_or_replaced(line: Line, how: How, share: float, way: Way) -> None:
    error = outcome(line, Fault(how, int(share * line.length[way]), way))
    if error is None:
        assert {path: NEW.get(path.removeprefix("courses/physics/")) for path in line.live()} == line.live()
    else:
        assert str(error).startswith("origin: ")
        assert "127.0.0.1" in str(error)
        assert error.target == "origin"
    line.finish()


@pytest.mark.parametrize("way", Way)
@pytest.mark.parametrize("share", [0.3, 0.9])
def test_one_wrong_bit_is_noticed_by_ssh(line: Line, share: float, way: Way) -> None:
    """Each packet has an authentication tag: what a bad line changes can become no request, no reply and no byte of a file."""
    suffer(line, Fault(How.FLIP, int(share * line.length[way]), way))
    line.finish()


@pytest.mark.parametrize("way", Way)
@pytest.mark.parametrize("at", [3, 300])
def test_one_wrong_bit_in_the_handshake_ends_it(line: Line, at: int, way: Way) -> None:
    suffer(line, Fault(How.FLIP, at, way))
    line.finish()


@pytest.mark.parametrize("how", [How.SILENCE, How.HALF_OPEN])
@pytest.mark.parametrize(("share", "words"), [(0.0, "SSH handshake"), (0.5, "did not answer for 1 s")])
def test_a_line_that_falls_silent_is_given_up_with_words(line: Line, how: How, share: float, words: str) -> None:
    error = suffer(line, Fault(how, int(share * line.length[Way.TO_SERVER])))
    assert words in str(error)
    line.finish()


def test_a_long_and_thin_line_is_slow_and_nothing_else(sshd: Sshd) -> None:
    site, queue = sshd.fresh_site(), TestQueue()
    with TcpProxy(sshd.port, delay=0.02, rate=3_000_000) as proxy:
        settings = sshd.settings(port=proxy.port, host_key=sshd.host_key, root=site.remote_root)
        target = OrderedTarget("origin", SftpDisk(settings, target="origin"))
        for files in (OLD, NEW):
            publish(target, URL, files, queue.claim())
            live = {path: content for path, content in PathTree(site.root).files().items() if path.startswith("courses/")}
            assert {path: content for path, content in live.items() if not path.endswith(".xml")} == {
                f"courses/physics/{path}": content for path, content in files.items()
            }
        target.close()
