"""The kill sweep notices what it is there to notice."""

import pytest
from sqlalchemy import text

from support.kill_rig import Rig, Strike, Violation
from support.killing import may_trace
from support.sshd import missing
from support.sweep_world import CHANGE, World


@pytest.fixture(scope="module")
def rig(tmp_path_factory: pytest.TempPathFactory) -> Rig:
    return Rig(World(tmp_path_factory.mktemp("rig"), CHANGE, {}))


def test_a_named_point_is_where_the_engine_dies(rig: Rig) -> None:
    rig.world.reset()
    assert rig.strike(Strike("point", "slip renamed", 1))
    assert list((rig.world.live / "targets/origin/.slipway").rglob("next.xml")), "it died before its release was done"
    rig.check()


def test_a_point_that_no_run_reaches_is_said_so(rig: Rig) -> None:
    rig.world.reset()
    assert not rig.strike(Strike("point", "slip renamed", 99))


def test_a_system_call_is_where_the_engine_dies(rig: Rig) -> None:
    if reason := may_trace(rig.world.folder):
        missing(reason)
    rig.world.reset()
    renames = [strike for strike in rig.calls() if strike.what.startswith("rename")]
    rig.world.reset()
    assert rig.strike(renames[len(renames) // 2])
    assert not rig.strike(Strike("engine", renames[0].what, 5000))


@pytest.mark.parametrize("harm", ["file", "mode", "time", "folder", "residue", "slip", "task", "record", "blob"])
def test_what_is_not_as_an_undisturbed_run_leaves_it_is_a_violation(rig: Rig, harm: str) -> None:
    rig.world.reset()
    rig.quiet()
    rig.compare()
    origin = rig.world.live / "targets/origin"
    page = origin / "courses/a/same0.htm"
    match harm:
        case "file":
            page.write_text("other")
        case "mode":
            page.chmod(0o600)
        case "time":
            page.touch()
        case "folder":
            (origin / "courses/a/empty").mkdir()
        case "residue":
            next(origin.glob(".slipway/modules-*/modules/*/*.*/")).joinpath("s:left").touch()
        case "slip":
            (origin / "courses/a/packageslip.xml").write_text("<other/>")
        case "blob":
            next((rig.world.live / "state/store").glob("??/*")).write_text("other")
        case _:
            _harm_queue(rig, harm)
    with pytest.raises(Violation):
        rig.compare()


def _harm_queue(rig: Rig, harm: str) -> None:
    statement = {
        "task": "UPDATE publication_task_queue SET status = 'FAILED' WHERE action = 'DELIVER'",
        "record": "UPDATE publication SET serial = serial + 1 WHERE target = 'origin'",
    }[harm]
    rig.world.database.change(lambda connection: connection.execute(text(statement)))
    rig.world.database.close()
