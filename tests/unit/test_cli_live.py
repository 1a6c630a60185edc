"""What a person sees while something goes on, and how tables fit."""

from io import StringIO

import pytest
from rich.cells import cell_len
from rich.console import Console

from cli.live import Mover, Speeds, bars, clock_words, mover_fields, whole_words
from cli.speed import Speed
from cli.words import fitted, fitting
from database import Moving, Progress, State, Task

TASK = Task(7, "/courses/physics/8-01-physics-i-fall-1999", "STAGING", "PUBLISH", State.RUNNING, "staging")


def at(files: int, size: int, step: str = "transfer", total: int = 1000) -> Progress:
    return Progress(7, step, files, 10, size, total)


def test_a_pace_is_what_was_done_lately() -> None:
    speed = Speed().seen(at(0, 0), 100.0)
    assert (speed.bytes_per_second, speed.seconds_left(at(0, 0))) == (None, None)
    speed = speed.seen(at(2, 400), 104.0)
    assert (speed.bytes_per_second, speed.files_per_second, speed.seconds_left(at(2, 400))) == (100.0, 0.5, 6.0)


def test_a_step_that_runs_already_has_its_mean_at_once() -> None:
    running = Progress(7, "transfer", 2, 10, 400, 1000, seconds=4.0)
    speed = Speed().seen(running, 100.0)
    assert (speed.bytes_per_second, speed.seconds_left(running)) == (100.0, 6.0)


def test_all_tasks_together_have_a_speed_too() -> None:
    everything = Progress(0, "all", 20, 100)
    speed = Speed().seen(Progress(0, "all", 0, 100), 0.0).seen(everything, 10.0)
    assert whole_words(everything, speed, moving()) == "20/100 tasks, 2.0/s, 0:40 left"
    waiting = Mover(Moving(Task(8, "/a", "STAGING", "PUBLISH", State.READY)), Speed())
    assert whole_words(Progress(0, "all", 0, 3), Speed(), [waiting, *moving()]) == "0/3 tasks, 1 waiting"


def test_a_line_that_died_is_seen_to_be_slow() -> None:
    speed = Speed()
    for second in range(60):
        speed = speed.seen(at(1, 500), float(second))
    assert speed.bytes_per_second == 0
    assert speed.seconds_left(at(1, 500)) is None


def test_another_step_begins_anew() -> None:
    speed = Speed().seen(at(0, 0), 1.0).seen(at(2, 400), 2.0).seen(at(0, 0, "commit"), 3.0)
    assert (speed.step, speed.bytes_per_second) == ("commit", None)


def test_what_counts_no_bytes_goes_by_its_files() -> None:
    speed = Speed().seen(at(0, 0, total=0), 0.0).seen(at(5, 0, total=0), 1.0)
    assert speed.seconds_left(at(5, 0, total=0)) == 1.0


def drawn(movers: list[Mover], room: int, width: int) -> list[str]:
    console = Console(file=StringIO(), width=width, force_terminal=True, color_system=None)
    with console.capture() as capture:
        console.print(bars(movers, room))
    return capture.get().splitlines()


def moving() -> list[Mover]:
    speeds = Speeds()
    speeds.movers([Moving(TASK, at(0, 0))], 0.0)
    return speeds.movers([Moving(TASK, at(2, 400))], 4.0)


@pytest.mark.parametrize("width", [80, 120, 200])
def test_a_running_task_is_one_line_that_fits(width: int) -> None:
    [line] = drawn(moving(), 10, width)
    assert cell_len(line) <= width
    for word in ("7", "PUBLISH", "transfer", "2/10", "400 B/1.0 kB", "100 B/s", "0:06"):
        assert word in line
    assert ("physics-i-fall-1999" in line) == (width >= 120)


def test_more_than_fit_are_counted() -> None:
    assert "and 3 more" in drawn(moving() * 5, 2, 100)[-1]


def test_a_task_that_was_not_heard_of_yet_begins() -> None:
    [line] = drawn([Mover(Moving(TASK), Speed())], 5, 100)
    assert "begins" in line


def test_cancelling_is_said_until_it_is_done() -> None:
    cancelled = Task(7, "/a", "STAGING", "PUBLISH", State.RUNNING, cancel_requested=True)
    assert "cancelling" in drawn([Mover(Moving(cancelled, at(1, 1)), Speed())], 5, 100)[0]


def test_scripts_get_every_field_whatever_is_known() -> None:
    known, unknown = mover_fields(moving()[0]), mover_fields(Mover(Moving(TASK), Speed()))
    assert known.keys() == unknown.keys()
    assert (known["bytes_per_second"], known["seconds_left"]) == (100.0, 6.0)
    assert (unknown["step"], unknown["bytes_per_second"]) == (None, None)


@pytest.mark.parametrize(("seconds", "words"), [(0.4, "0:00"), (59.6, "1:00"), (3600, "1:00:00"), (86399, "23:59:59")])
def test_clocks(seconds: float, words: str) -> None:
    assert clock_words(seconds) == words


def test_only_the_widest_columns_of_a_table_give_way() -> None:
    assert fitting([4, 9, 50, 90], 200) == [4, 9, 50, 90]
    assert fitting([4, 9, 50, 90], 100) == [4, 9, 40, 40]
    assert fitting([4, 9, 20, 90], 80) == [4, 9, 20, 41]
    assert fitting([40, 40], 10) == [8, 8]


def test_a_path_keeps_its_end_and_all_else_its_beginning() -> None:
    assert fitted("/courses/physics/8-01-physics-i-fall-1999", 20) == "/cours…s-i-fall-1999"
    assert fitted("the source does not answer", 10) == "the sourc…"
    assert fitted("short", 8) == "short   "
    assert cell_len(fitted("/物理/物理/物理/物理", 10)) == 10
