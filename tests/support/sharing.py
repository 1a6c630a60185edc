"""Which worker gets which tests, where several run them (`--dist loadgroup`)."""

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

TOGETHER = "tests/browser/"
"""These share an installation and a console that are dear to start."""


class Sharing(LoadScopeScheduling):
    """Each test goes by itself to whoever is free; those that belong together go to one worker, and first of all."""

    def _split_scope(self, nodeid: str) -> str:
        return TOGETHER if nodeid.startswith(TOGETHER) else nodeid


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> Sharing | None:
    return Sharing(config, log) if config.getoption("dist") == "loadgroup" else None
