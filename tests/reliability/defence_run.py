"""One run of named tests over a copy of the tree, in a process of its own, and what it came to."""

import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import pytest

from support.catalogue import ROOT

PRELOADED = ("pytest", "lxml.etree", "sqlalchemy", "paramiko", "urllib3", "pydantic", "structlog", "boto3", "pymysql")
"""Libraries that every run needs: imported once, before the runs are forked off."""

WRONG_REASONS = ("SyntaxError", "ImportError", "ModuleNotFoundError", "NameError", "UnboundLocalError", "IndentationError")
"""A test that fails with one of these does not fail for the lack of its defence."""


Answer = tuple[list[str], dict[str, str], list[str]]
"""An `Outcome`, field by field."""


@dataclass(slots=True)
class Outcome:
    """What a run came to: the tests that passed and failed, and what went wrong besides."""

    passed: list[str] = field(default_factory=list)
    failed: dict[str, str] = field(default_factory=dict)
    """Node id to the error's first line."""
    broken: list[str] = field(default_factory=list)
    """Faults of collection and of fixtures."""

    def cases(self, test: str) -> tuple[int, int]:
        """How many cases of a named test passed and failed."""
        return sum(is_case(test, node) for node in self.passed), sum(is_case(test, node) for node in self.failed)


def is_case(test: str, node: str) -> bool:
    """Whether a node id is a case of the test that a fault names."""
    if test.endswith("...]"):
        return node.startswith(test.removesuffix("...]"))
    return node == test or node.startswith(test + "[")


class Watcher:
    """Runs nothing but what is named, and notes how it ends."""

    def __init__(self, tests: Sequence[str], *, one_failure: bool) -> None:
        self._tests = tests
        self._one_failure = one_failure
        """Of each test: what is known is not shown again, and may take long where a time-out is missing."""
        self.outcome = Outcome()

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item, nextitem: pytest.Item | None) -> bool | None:
        """True: passed over."""
        if not self._one_failure or not any(is_case(test, item.nodeid) and self.outcome.cases(test)[1] for test in self._tests):
            return None
        # What the one before left for this one goes, as if it had run.
        item.session._setupstate.teardown_exact(nextitem)
        return True

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        items[:] = [item for item in items if any(is_case(test, item.nodeid) for test in self._tests)]
        for test in self._tests:
            if not any(is_case(test, item.nodeid) for item in items):
                self.outcome.broken.append(f"there is no test {test}")

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed:
            self.outcome.broken.append(f"{report.nodeid} cannot be collected: {_first_words(report)}")

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when == "call" and report.passed:
            self.outcome.passed.append(report.nodeid)
        elif report.when == "call" and report.failed:
            self.outcome.failed[report.nodeid] = _first_words(report)
        elif report.when == "setup" and report.failed:
            self.outcome.broken.append(f"{report.nodeid} could not be set up: {_first_words(report)}")
        elif report.skipped:
            self.outcome.broken.append(f"{report.nodeid} was skipped")


def _first_words(report: Any) -> str:
    crash = getattr(report.longrepr, "reprcrash", None)
    return str(crash.message if crash else report.longrepr).strip().partition("\n")[0][:300]


def run(copy: Path, tests: Sequence[str], log: Path, seconds: int, one_failure: bool, answer: "Connection[Answer, None]") -> None:
    """Run the tests of a copy in this process, which is forked off for it. The outcome goes to `answer`."""
    os.setsid()
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    os.dup2(descriptor, 1)
    os.dup2(descriptor, 2)
    _move_to(copy)
    watcher = Watcher(tests, one_failure=one_failure)
    files = list(dict.fromkeys(test.partition("[")[0] for test in tests))
    options = [
        "-q",
        "-p",
        "no:cacheprovider",
        "-p",
        "no:xdist",
        "-p",
        "no:randomly",
        f"--timeout={seconds}",
        "--rootdir",
        str(copy),
    ]
    pytest.main([*options, *files], plugins=[watcher])
    # Plain values: this process has imported its own copy of the class.
    answer.send((watcher.outcome.passed, watcher.outcome.failed, watcher.outcome.broken))


def _move_to(copy: Path) -> None:
    """Import from the copy from now on, here and in every process that the tests start."""
    places = [str(copy), str(copy / "tests")]
    ours = (str(ROOT), str(ROOT / "tests"), "")
    sys.path[:] = places + [place for place in sys.path if place not in ours]
    os.environ |= {"PYTHONPATH": os.pathsep.join(places), "CI": "true"}
    # What is compiled is kept, in the copy: the next run begins the sooner.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    sys.dont_write_bytecode = False
    os.chdir(copy)
    for name, module in list(sys.modules.items()):
        file = getattr(module, "__file__", None) or ""
        if file.startswith(f"{ROOT}{os.sep}") and not file.startswith(sys.prefix):
            del sys.modules[name]
