"""What benchmarks in the tests came to, printed at the end of the run: `ratios(results)` in a test."""

from collections.abc import Callable, Iterable

import pytest

_KEY = "ratio"


@pytest.fixture
def ratios(record_property: Callable[[str, object], None]) -> Callable[[Iterable[object]], None]:
    """Have these said when all tests have ended, wherever they ran."""

    def say(results: Iterable[object]) -> None:
        for result in results:
            record_property(_KEY, str(result))

    return say


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    lines = [
        str(value)
        for report in terminalreporter.stats.get("passed", [])
        for key, value in getattr(report, "user_properties", [])
        if key == _KEY
    ]
    if lines:
        terminalreporter.section("beside others; small, and among other tests")
    for line in lines:
        terminalreporter.write_line(line)
