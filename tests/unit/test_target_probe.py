"""What a probe tries on a target whose modules are to be versioned, and what it says of a server that lacks it."""

from collections.abc import Callable, Sequence
from typing import Literal

import pytest

from targets import MemoryDisk, MemoryFiles, OrderedTarget, PlacedOptions, TargetUnfit
from targets.disk import Answer, Call, Op

LINK_CHECKS = [
    "a file can have a second name",
    "symbolic links can be made",
    "a symbolic link says where it leads",
    "a symbolic link is renamed over another in one step",
]


class Refusing(MemoryDisk):
    """Refuses some calls."""

    def __init__(self, files: MemoryFiles, refuses: Callable[[Call], bool]) -> None:
        super().__init__(files)
        self._refuses = refuses

    def run(self, calls: Sequence[Call]) -> Sequence[Answer]:
        return [Answer.REFUSED if self._refuses(call) else super(Refusing, self).run([call])[0] for call in calls]


@pytest.fixture
def files() -> MemoryFiles:
    return MemoryFiles()


def test_a_probe_tries_links_where_the_layout_needs_them(files: MemoryFiles) -> None:
    def passed(layout: Literal["ordered", "versioned"]) -> list[str]:
        checks = OrderedTarget("t", MemoryDisk(files), PlacedOptions(layout=layout)).probe()
        assert files.nodes == {}
        return [check.what for check in checks if check.outcome == "ok" and check.what in LINK_CHECKS]

    assert passed("versioned") == LINK_CHECKS
    assert passed("ordered") == []


@pytest.mark.parametrize(
    ("refuses", "what"),
    [
        (lambda call: call.op is Op.LINK, LINK_CHECKS[0]),
        (lambda call: call.op is Op.SYMLINK, LINK_CHECKS[1]),
        (lambda call: call.op is Op.RENAME and call.path.endswith("/link"), LINK_CHECKS[3]),
    ],
)
def test_a_probe_says_what_a_versioned_target_lacks(files: MemoryFiles, refuses: Callable[[Call], bool], what: str) -> None:
    target = OrderedTarget("t", Refusing(files, refuses), PlacedOptions(layout="versioned"))
    [failure] = [check for check in target.probe() if check.outcome == "failure"]
    assert failure.what == what
    assert "ordered" in failure.remedy
    assert files.nodes == {}


def test_a_probe_of_a_server_that_hides_where_links_lead(files: MemoryFiles) -> None:
    class Hiding(MemoryDisk):
        def lead(self, path: str) -> str | None:
            return None

    [failure] = [
        check
        for check in OrderedTarget("t", Hiding(files), PlacedOptions(layout="versioned")).probe()
        if check.outcome == "failure"
    ]
    assert failure.what == LINK_CHECKS[2]


def test_a_probe_of_a_server_that_knows_no_second_names(files: MemoryFiles) -> None:
    class Bare(MemoryDisk):
        def run(self, calls: Sequence[Call]) -> Sequence[Answer]:
            if any(call.op is Op.LINK for call in calls):
                raise TargetUnfit("no hardlink here")
            return super().run(calls)

    checks = OrderedTarget("t", Bare(files), PlacedOptions(layout="versioned")).probe()
    assert [check.what for check in checks if check.outcome == "failure"] == [LINK_CHECKS[0]]
