"""Large slips: their documents are made piece by piece, their renames some at a time; what comes of it is the same."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path

import pytest

from packageslip import read_slip, slip_pieces, write_slip
from support.claims import TestQueue
from support.releases import FILES, URL, publish, slip_of
from targets import LocalDisk, OrderedTarget, PlacedOptions, replay, small
from targets.disk import Answer, Call, Op
from targets.small import slip_document, small_write


@pytest.fixture
def small_ones_are_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(small, "LARGE", 0)
    monkeypatch.setattr(replay, "MANY", 1)


def test_a_large_document_is_made_anew_each_time_and_the_same(small_ones_are_large: None) -> None:
    slip = slip_of(URL, FILES)
    document = slip_document(slip)
    assert not isinstance(document, bytes)
    assert b"".join(document()) == b"".join(slip_pieces(slip)) == write_slip(slip)
    large, plain = (small_write("slip", each, 0o600, sync=True) for each in (document, write_slip(slip)))
    assert large._replace(open=plain.open) == plain, "size, digest, mode"
    for most in (1, 7, 32_768, -1):
        with large.open() as stream:
            pieces = list(iter(partial(stream.read, most), b""))
        assert b"".join(pieces) == write_slip(slip)
        assert all(len(piece) == most for piece in pieces[:-1]), "only the end comes short"


class Noting(LocalDisk):
    """Notes what is synced, and refuses the first rename to one of these places."""

    def __init__(self, root: Path, *refused: str) -> None:
        super().__init__(root, "t")
        self.synced: list[str] = []
        self._refused = set(refused)

    def run(self, calls: Sequence[Call]) -> Sequence[Answer]:
        answers = []
        for call in calls:
            if call.op is Op.RENAME and call.to in self._refused:
                self._refused.remove(call.to)
                answers.append(Answer.REFUSED)
            else:
                self.synced += [call.path] if call.op is Op.SYNC else []
                answers += super().run([call])
        return answers


@pytest.mark.parametrize("durability", ["none", "commit", "file"])
def test_the_same_is_synced_whether_renames_are_made_together_or_one_by_one(
    tmp_path: Path, request: pytest.FixtureRequest, durability: str
) -> None:
    synced = []
    for name in ("small", "large"):
        if name == "large":
            request.getfixturevalue("small_ones_are_large")
        disk = Noting(tmp_path)
        target = OrderedTarget("t", disk, PlacedOptions(durability=durability, area=f".{name}"))  # type: ignore[arg-type]
        publish(target, f"/{name}", FILES, TestQueue().claim())
        synced.append([path.replace(name, "") for path in disk.synced if path.startswith(name)])
    assert synced[0] == synced[1]
    assert bool(synced[0]) == (durability != "none")


@pytest.mark.parametrize("path", FILES)
def test_each_live_file_is_synced_again_also_where_one_of_them_was_refused_at_first(tmp_path: Path, path: str) -> None:
    disk = Noting(tmp_path, f"courses/physics/{path}")
    target = OrderedTarget("t", disk, PlacedOptions(durability="file"))
    publish(target, URL, FILES, TestQueue().claim())
    assert {f"courses/physics/{each}" for each in FILES} <= set(disk.synced)


@pytest.mark.parametrize("layout", ["ordered", "versioned"])
@pytest.mark.parametrize("durability", ["none", "commit", "file"])
def test_a_large_module_lies_as_a_small_one_does(
    tmp_path: Path, request: pytest.FixtureRequest, layout: str, durability: str
) -> None:
    trees = []
    for name in ("small", "large"):
        if name == "large":
            request.getfixturevalue("small_ones_are_large")
        root = tmp_path / name
        root.mkdir()
        options = PlacedOptions(layout=layout, durability=durability, public_slip=True)  # type: ignore[arg-type]
        target, queue = OrderedTarget("t", LocalDisk(root, "t"), options), TestQueue()
        publish(target, URL, FILES, queue.claim())
        publish(target, URL, {**FILES, "index.htm": b"again", "b.htm": b"more"}, queue.claim())
        live = target.slip(URL)
        assert live is not None
        assert len(live.resources) == len(FILES) + 1
        trees.append(
            {path.relative_to(root / URL[1:]): path.read_bytes() for path in (root / URL[1:]).rglob("*") if path.is_file()}
        )
    plain, large = ({path: body for path, body in tree.items() if path.suffix != ".xml"} for tree in trees)
    assert plain == large
    assert len(plain) == len(FILES) + 1
    for tree in trees:
        for path, body in tree.items():
            if path.suffix == ".xml":
                assert len(read_slip(body, "here").resources) == len(FILES) + 1
