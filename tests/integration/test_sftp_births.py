"""A module's birth in the flight that finds it missing, over SFTP: made only where it is, with the modes that it must have."""

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from support.sftp_pipe import plain_disk, plain_settings
from targets.disk import Answer, Call, Looks, Op
from targets.sftp import SftpDisk

BIRTH = [Call(Op.MKDIR, "new/b", mode=0o700), Call(Op.MKDIR, "new/b/t", mode=0o700), Call(Op.RENAME, "new/b", "modules/m")]
LOOKS = Looks(lists=("modules/m", "new"), stats=("modules", "m"))


@contextmanager
def disk(root: Path, *folders: str, umask: int = 0o022) -> Iterator[SftpDisk]:
    before = os.umask(0o022)
    for folder in folders:
        (root / folder).mkdir(parents=True)
    os.umask(umask)
    found = plain_disk(plain_settings(root), "t", lambda pipe: pipe)
    try:
        yield found
    finally:
        os.umask(before)
        found.close()


def modes(root: Path) -> set[int]:
    return {stat.S_IMODE((root / path).stat().st_mode) for path in ("modules/m", "modules/m/t")}


def known(found: SftpDisk) -> None:
    """From here on it knows what modes folders get in `new`."""
    assert found.run([Call(Op.MKDIR, "new/x", mode=0o700), Call(Op.MKDIR, "new/x/y", mode=0o700)]) == [Answer.OK] * 2


@pytest.mark.parametrize("umask", [0o022, 0o077])
@pytest.mark.parametrize("often", [1, 2])
def test_it_is_made_with_its_modes(tmp_path: Path, umask: int, often: int) -> None:
    with disk(tmp_path, "modules", "new", umask=umask) as found:
        if often > 1:
            known(found)
        answers, seen = found.look(LOOKS, otherwise=BIRTH)
        assert answers == [Answer.OK] * 3
        assert seen.lists[0] is None
        assert seen.stats[1] is None
    assert modes(tmp_path) == {0o700}


@pytest.mark.parametrize("is_known", [True, False])
@pytest.mark.parametrize("folders", [("modules/m", "new"), ("modules/m/t", "new"), ("modules",), ()])
def test_it_is_not_made_where_the_module_is_there_or_the_area_is_not(
    tmp_path: Path, folders: tuple[str, ...], is_known: bool
) -> None:
    with disk(tmp_path, *folders) as found:
        if is_known and "new" in folders:
            known(found)
            (tmp_path / "new/x/y").rmdir()
            (tmp_path / "new/x").rmdir()
        answers, seen = found.look(LOOKS, otherwise=BIRTH)
        assert list(answers) == []
        assert (seen.lists[0] is None, seen.lists[1] is None) == ("modules/m" not in " ".join(folders), "new" not in folders)
    assert not (tmp_path / "new" / "b").exists()


def test_what_modes_another_connection_brings_is_looked_at_anew(tmp_path: Path) -> None:
    with disk(tmp_path, "modules", "new") as found:
        known(found)
        found.close()
        os.umask(0o027)
        made = [Call(Op.MKDIR, "new/z", mode=0o775), Call(Op.MKDIR, "new/z/y", mode=0o775)]
        assert found.run(made) == [Answer.OK] * 2
        assert {stat.S_IMODE((tmp_path / call.path).stat().st_mode) for call in made} == {0o775}
        # Where modes were wrong, each is looked at.
        assert found.run([Call(Op.MKDIR, "new/w", mode=0o775), Call(Op.MKDIR, "new/w/y", mode=0o775)]) == [Answer.OK] * 2
        assert stat.S_IMODE((tmp_path / "new/w/y").stat().st_mode) == 0o775


def test_a_server_that_keeps_no_order_is_asked_one_by_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("support.sftp_pipe.PlainLink.server", "SSH-2.0-other", raising=False)
    with disk(tmp_path, "modules", "new") as found:
        for number in range(2):
            call = [Call(each.op, each.path, f"modules/{number}" if each.to else "", each.mode) for each in BIRTH]
            answers, _ = found.look(Looks(lists=(f"modules/{number}", "new")), otherwise=call)
            assert answers == [Answer.OK] * 3
