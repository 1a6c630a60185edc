"""Which worker gets which tests and when, where several run them (`--dist loadgroup`)."""

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

TOGETHER = (
    "tests/browser/",
    "tests/acceptance/test_demo.py",
    "tests/acceptance/test_real_package.py",
    "tests/integration/test_bad_line_queue.py",
    "tests/integration/test_bad_line_sftp.py",
    "tests/integration/test_cli_completion.py",
    "tests/integration/test_installed.py",
)
"""The tests of each share what is dear to make: an installation, a console, a demo that was run three times."""

EMULATOR = ("[s3", "tests/integration/test_s3_")
"""What stands in the names of tests that ask an emulated object store: it takes seconds to start, and has one process alone."""

LONGEST = (
    "tests/acceptance/test_soak.py",
    "tests/integration/test_kill_sweep.py",
    "tests/acceptance/test_life_of_a_course.py",
    "tests/acceptance/test_contention.py",
    "tests/acceptance/test_secrets_stay.py",
    "tests/integration/test_some_defences.py",
    "tests/integration/test_console_api_schema.py",
    "tests/integration/test_corruption.py",
    "tests/unit/test_hostile_input.py",
)
"""Half a minute and more, or not much less. Whoever began one of them late would work alone in the end."""


class Sharing(LoadScopeScheduling):
    """Each test goes by itself to whoever is free; those that belong together go to one worker, and first of all."""

    def _split_scope(self, nodeid: str) -> str:
        if any(name in nodeid for name in EMULATOR):
            return "s3"
        return next((shared for shared in TOGETHER if nodeid.startswith(shared)), nodeid)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> Sharing | None:
    return Sharing(config, log) if config.getoption("dist") == "loadgroup" else None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: not item.nodeid.startswith(LONGEST))
