"""Which worker gets which tests, where several run them (`--dist loadgroup`)."""

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


class Sharing(LoadScopeScheduling):
    """Each test goes by itself to whoever is free; those that belong together go to one worker, and first of all."""

    def _split_scope(self, nodeid: str) -> str:
        return next((shared for shared in TOGETHER if nodeid.startswith(shared)), nodeid)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> Sharing | None:
    return Sharing(config, log) if config.getoption("dist") == "loadgroup" else None
