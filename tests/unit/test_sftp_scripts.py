"""Scripts that a stream's program carries out by itself: the real program under this machine's Perl."""

import os
import stat
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from support.receiving import Liar, a_write, many_writes
from support.sftp_pipe import plain, plain_settings
from support.stepping import step_by_step
from targets.disk import Answer, Call, Done, EntryType, Op, Script
from targets.errors import PathBlocked, PermissionRefused, TargetError, TargetUnreachable, TransientTargetError
from targets.sftp import SftpDisk
from targets.sftp.receiver import GREETING, Receiver
from targets.sftp.stream import Stream

MANY = 40


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[SftpDisk]:
    """One whose program runs already."""
    root = tmp_path / "site"
    root.mkdir()
    with closing(SftpDisk(plain_settings(root, transfer="stream"), target="origin", connecting=plain())) as found:
        list(found.write(many_writes(MANY)))
        yield found


@pytest.fixture
def site(tmp_path: Path) -> Path:
    return tmp_path / "site"


def renames(*names: str) -> list[Call]:
    return [Call(Op.RENAME, name, f"new-{name}") for name in names]


def test_all_of_it_happens_in_order(disk: SftpDisk, site: Path) -> None:
    script = Script(
        calls=[Call(Op.RENAME, "d", "live"), Call(Op.RENAME, "note", "live/note"), Call(Op.UNLINK, "f3")],
        first=[Call(Op.MKDIR, "d", mode=0o750), Call(Op.RENAME, "gone", "x"), Call(Op.UNLINK, "f1")],
        writes=[a_write("note", b"noted", mode=0o640), a_write("other", os.urandom(700_000))],
        stats=["live", "live/note", "f3", "f4"],
    )
    done = disk.carry_out(script)
    assert done is not None
    assert done.first == [Answer.OK, Answer.ABSENT, Answer.OK]
    assert done.calls == [Answer.OK] * 3
    folder, note, gone, left = done.stats
    assert folder is not None
    assert folder.type is EntryType.FOLDER
    assert disk.stat(script.stats) == [folder, note, gone, left] == [folder, note, None, left]
    assert (site / "live" / "note").read_bytes() == b"noted"
    assert stat.S_IMODE((site / "live").stat().st_mode) == 0o750


@pytest.mark.parametrize("refused", range(3))
def test_nothing_that_comes_behind_a_refused_call_is_made(disk: SftpDisk, site: Path, refused: int) -> None:
    names = ["f0", "f1", "f2"]
    names[refused] = "gone"
    done = disk.carry_out(Script(renames(*names), stats=["new-f2"]))
    assert done is not None
    assert done.calls == [Answer.OK] * refused + [Answer.ABSENT]
    assert sorted(path.name for path in site.glob("new-*")) == [f"new-f{number}" for number in range(refused)]
    # What was held back is forgotten with the next script.
    done = disk.carry_out(Script(renames("f7")))
    assert done is not None
    assert done.calls == [Answer.OK]


@pytest.mark.parametrize("first", [True, False])
def test_no_call_is_made_where_a_file_is_not_whole(disk: SftpDisk, site: Path, first: bool) -> None:
    writes = [a_write("f9"), a_write("fresh")]
    with pytest.raises(PathBlocked, match="f9"):
        disk.carry_out(Script(renames("fresh"), writes=writes if first else writes[::-1]))
    assert (site / "fresh").exists()
    with pytest.raises(FileNotFoundError):
        disk.carry_out(Script(renames("f2"), writes=[a_write("no/such/folder")]))
    assert not list(site.glob("new-*"))


def test_what_is_made_in_any_case_holds_nothing_back(disk: SftpDisk) -> None:
    done = disk.carry_out(Script(renames("f2"), first=[*renames("gone"), Call(Op.MKDIR, "f3", mode=0o755)]))
    assert done == Done([Answer.ABSENT, Answer.REFUSED], [Answer.OK], [])


ODD = [
    Call(Op.RENAME, "f1", "full"),
    Call(Op.RENAME, "full", "f1"),
    Call(Op.RENAME, "full", "empty"),
    Call(Op.UNLINK, "full"),
    Call(Op.RENAME, "f2", "no/such"),
    Call(Op.RENAME, "f2", "f3"),
    Call(Op.UNLINK, "f2"),
    Call(Op.UNLINK, "f4"),
]


def test_each_call_comes_to_what_it_comes_to_by_sftp(disk: SftpDisk, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    with closing(SftpDisk(plain_settings(other, transfer="sftp"), target="origin", connecting=plain())) as slow:
        list(slow.write(many_writes(MANY)))
        for each in (disk, slow):
            each.run([Call(Op.MKDIR, "full", mode=0o755), Call(Op.MKDIR, "empty", mode=0o755)])
            list(each.write([a_write("full/x")]))
        for call in ODD:
            script = Script([call, *renames("f5")], first=[call, Call(Op.MKDIR, "full", mode=0o755)], stats=["f5", "f1/x"])
            ours, theirs = disk.carry_out(script), step_by_step(slow, script)
            assert ours is not None
            assert (ours.first, ours.calls) == (theirs.first, theirs.calls)
            assert [entry and entry.type for entry in ours.stats] == [entry and entry.type for entry in theirs.stats]
            for each in (disk, slow):
                each.run([Call(Op.RENAME, "new-f5", "f5")])


def test_who_has_no_program_running_waits_in_between(tmp_path: Path) -> None:
    for transfer in ("sftp", "stream"):
        with closing(SftpDisk(plain_settings(tmp_path, transfer=transfer), target="t", connecting=plain())) as found:
            assert found.carry_out(Script(renames("f"))) is None


def test_folders_that_went_ahead_are_there_before_another_program_writes_into_them(disk: SftpDisk, site: Path) -> None:
    answers = disk.ahead([Call(Op.MKDIR, "d", mode=0o755)])
    # Many synced files are spread over several programs, and large ones are sent at once.
    list(disk.write(a_write(f"d/{number}", bytes(60_000 if number > MANY else 1), sync=True) for number in range(100)))
    assert answers() == [Answer.OK]
    assert len(list((site / "d").iterdir())) == 100


@pytest.mark.parametrize("how", ["begun", "not begun", "sftp", "sftp with syncs"])
def test_folders_go_ahead_of_files(disk: SftpDisk, site: Path, how: str) -> None:
    if how == "not begun":
        disk.close()
    if how.startswith("sftp"):
        durability = "commit" if how.endswith("syncs") else "none"
        disk = SftpDisk(plain_settings(site, transfer="sftp", durability=durability), target="t", connecting=plain())
    folders = [Call(Op.MKDIR, path, mode=0o751) for path in ("a", "a/b", "f1", "no/such")]
    answers = disk.ahead(folders)
    files = [a_write(f"a/b/f{number}") for number in range(MANY)]
    assert list(disk.write(files)) == files
    assert answers() == [Answer.OK, Answer.OK, Answer.REFUSED, Answer.ABSENT]
    assert {stat.S_IMODE((site / path).stat().st_mode) for path in ("a", "a/b")} == {0o751}
    disk.close()


def test_folders_that_nothing_follows_have_their_answers(disk: SftpDisk) -> None:
    answers = disk.ahead([Call(Op.MKDIR, "a", mode=0o755)])
    assert disk.run([Call(Op.UNLINK, "gone")] * MANY) == [Answer.ABSENT] * MANY
    assert answers() == [Answer.OK]
    assert disk.ahead([Call(Op.MKDIR, "b", mode=0o755)])() == [Answer.OK]


@pytest.mark.parametrize("transfer", ["stream", "sftp"])
@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077, 0o277])
def test_a_folder_has_exactly_its_mode(tmp_path: Path, umask: int, transfer: str) -> None:
    before = os.umask(umask)
    try:
        disk = SftpDisk(plain_settings(tmp_path, transfer=transfer, durability="none"), target="origin", connecting=plain())
        with closing(disk):
            list(disk.write(many_writes(MANY)))
            (tmp_path / "shared").mkdir()
            (tmp_path / "shared").chmod(0o2775)
            assert disk.ahead([Call(Op.MKDIR, path, mode=0o755) for path in ("a", "shared/b")])() == [Answer.OK] * 2
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == 0o755
    assert stat.S_IMODE((tmp_path / "shared" / "b").stat().st_mode) == 0o2755


@pytest.mark.parametrize(
    ("said", "error"),
    [
        (b"..=33188 12 -5\n", None),
        (b"..!look-at ENOENT gone\n", None),
        (b"..!look-at EACCES no\n", PermissionRefused),
        (b"...", TransientTargetError),
        (b"..=nonsense\n", TransientTargetError),
        (b"..=1 2\n", TransientTargetError),
        (b"..?", TargetUnreachable),
        (b"..=33188 1 1\n.", TargetUnreachable),
        (b"..=" + b"1" * 5000, TargetUnreachable),
    ],
)
def test_findings_are_believed_only_in_their_form(said: bytes, error: type[TargetError] | None) -> None:
    from targets.sftp.calls import Change
    from targets.sftp.steps import Steps

    stream = Stream(lambda: Receiver(Liar(GREETING, said), "there", patience=1), "origin")
    steps = Steps([], [], [Change(Op.UNLINK, b"a")], [b"a"])

    def asked() -> Any:
        return stream.carry_out(steps)

    if error is None:
        assert asked().calls == [Answer.OK]
    else:
        with pytest.raises(error):
            asked()
