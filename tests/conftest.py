"""Fixtures of all tests: each plugin starts what it needs and stops it again."""

import signal

import pytest
import structlog

pytest_plugins: list[str] = [
    "support.compiled",
    "support.http_cms",
    "support.nginx",
    "support.linear_algebra",
    "support.source_kinds",
    "support.mariadb",
    "support.queue",
    "support.sshd",
    "support.sftp_stub",
    "support.s3_server",
    "support.s3_trouble",
    "support.target_kinds",
    "support.real_data",
    "support.real_package",
    "support.deployment",
    "support.operators",
    "support.bench",
    "support.dropping_port",
    "support.tcp_proxy",
    "support.mirrored_site",
    "support.nest",
    "support.engine_process",
    "support.small_site",
    "support.purge_server",
    "support.mail_server",
    "support.sword_server",
    "support.retirement",
    "support.ratios",
    "support.console",
    "support.sharing",
    "support.watched_site",
    "support.browser",
]

# A shell's background job ignores SIGINT, and so would every process that the tests start and interrupt.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True)
def _log_as_nobody_configured() -> None:
    """What a command that ran in this process made of the log must not decide what the next test can read of it."""
    structlog.reset_defaults()
    # A traceback with every frame's variables takes seconds, and says nothing that a test reads.
    plain = structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback)
    structlog.configure(processors=[*structlog.get_config()["processors"][:-1], plain])
