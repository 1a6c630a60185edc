"""A group of two origins on a real sshd: engines that die, and connections that are cut, at some call to one of them."""

import uuid
from collections.abc import Iterator
from contextlib import suppress

import pytest

from support.claims import TestQueue
from support.histories import GOALS, Killed, do
from support.sshd import Sshd
from support.stopping import StoppingDisk
from support.target_kinds import PathTree, leftovers, visible
from targets import GroupTarget, Moved, OrderedTarget, TargetUnreachable
from targets.sftp import SftpDisk

CALLS = (3, 9, 14, 19, 24, 30)
"""In the takeover, while it is staged, prepared, switched and tidied up."""


class Origins:
    """Two sites of one account, and groups over them."""

    def __init__(self, sshd: Sshd) -> None:
        account = sshd.accounts[0]
        names = [f"site-{uuid.uuid4().hex[:8]}" for _ in range(2)]
        for name in names:
            PathTree(account.root).make_folder(name)
        self.trees = [PathTree(account.root / name) for name in names]
        settings = [sshd.settings(root=f"{account.remote_root}/{name}") for name in names]
        self.disks = [SftpDisk(each, target=f"web{number}") for number, each in enumerate(settings)]

    def group(self, quorum: int = 2, calls: int | None = None, error: BaseException | None = None) -> GroupTarget:
        """`calls`: to the second origin, before each further one raises `error`."""
        second = self.disks[1] if calls is None else StoppingDisk(self.disks[1], calls, error)
        return GroupTarget("g", [OrderedTarget("web0", self.disks[0]), OrderedTarget("web1", second)], quorum)

    def live(self) -> list[dict[str, bytes]]:
        return [{path.removeprefix("m/"): content for path, content in visible(tree).items()} for tree in self.trees]

    def residue(self) -> list[str]:
        return [path for tree in self.trees for path in leftovers(tree)]


@pytest.fixture
def origins(sshd: Sshd) -> Iterator[Origins]:
    made = Origins(sshd)
    yield made
    for disk in made.disks:
        disk.close()


def test_an_engine_that_dies_leaves_a_group_that_the_next_one_finishes(origins: Origins) -> None:
    queue, goals = TestQueue(), ["one", "two"]
    do(origins.group(), GOALS["three"], queue.claim())
    for number, calls in enumerate(CALLS):
        with suppress(Killed):
            do(origins.group(calls=calls, error=Killed()), GOALS[goals[number % 2]], queue.claim())
        wanted = goals[(number + 1) % 2]
        do(origins.group(), GOALS[wanted], queue.claim())
        assert origins.live() == [GOALS[wanted]] * 2
        assert origins.residue() == []


def test_with_a_quorum_the_other_goes_on_and_the_one_that_lags_is_named(origins: Origins) -> None:
    queue = TestQueue()
    for number, calls in enumerate(CALLS[1:]):
        do(origins.group(), GOALS["three"], queue.claim())
        goal = ["one", "two"][number % 2]
        moved = do(origins.group(1, calls, TargetUnreachable("cut")), GOALS[goal], queue.claim())
        assert isinstance(moved, Moved)
        assert origins.live()[0] == GOALS[goal]
        assert moved.lagging == ("web1",) or origins.live()[1] in (GOALS[goal], GOALS["three"])
        do(origins.group(), GOALS[goal], queue.claim())
        assert origins.live() == [GOALS[goal]] * 2


def test_without_a_quorum_nothing_goes_live_that_not_all_prepared(origins: Origins) -> None:
    queue = TestQueue()
    do(origins.group(), GOALS["three"], queue.claim())
    with pytest.raises(TargetUnreachable):
        do(origins.group(calls=12, error=TargetUnreachable("cut")), GOALS["one"], queue.claim())
    assert origins.live() == [GOALS["three"]] * 2
