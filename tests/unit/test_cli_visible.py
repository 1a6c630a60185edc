"""What others wrote, on an operator's terminal: it is read there, and does nothing else."""

from dataclasses import replace
from io import StringIO
from types import SimpleNamespace

import pytest
from rich.console import Console

from cli.exits import Exit
from cli.live import Mover, bars
from cli.main import Options
from cli.session import Session, complain
from cli.speed import Speed
from cli.visible import one_line, visible
from cli.words import table
from config import Secrets
from database import Moving, State, Task

TITLE = "\x1b]0;owned\x07\x9b31m"
TASK = Task(7, "/a", "STAGING", "PUBLISH", State.RUNNING, "staging")


def test_what_steers_a_terminal_or_turns_text_around_is_written_out() -> None:
    assert visible(f"a\tb\nc\r{TITLE}\u202e\x7fé") == "a\tb\nc\\r\\x1b]0;owned\\x07\\x9b31m\\u202e\\x7fé"
    assert one_line("fine\n7\tFAILED\r") == "fine\\n7\\tFAILED\\r"


def test_a_cell_of_a_table_is_one_cell_of_one_line() -> None:
    lines: list[str] = []
    session = SimpleNamespace(out=SimpleNamespace(is_terminal=False), secrets=Secrets({}), print=lines.append)
    table(session, ("id", "reason"), [(1, "no\n2\tSUCCEEDED"), (3, None)])  # type: ignore[arg-type]
    assert lines == ["1\tno\\n2\\tSUCCEEDED", "3\t"]


def test_nothing_that_is_said_reaches_the_terminal_as_it_is(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("click.utils.should_strip_ansi", lambda *_: False)
    session = Session(Options())
    session.out = session.err = Console(file=StringIO(), force_terminal=True)
    session.print(TITLE)
    session.say(TITLE)
    complain(TITLE, Exit.FAILED, Options())
    told = capsys.readouterr()
    screen = StringIO()
    Console(file=screen, force_terminal=True, width=200).print(bars([Mover(Moving(replace(TASK, url=TITLE), None), Speed())], 5))
    for text in (told.out, told.err, session.err.file.getvalue(), screen.getvalue()):  # type: ignore[attr-defined]
        assert ("owned" in text, "\x1b]" in text, "\x9b" in text) == (True, False, False)
