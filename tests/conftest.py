"""Fixtures of all tests: each plugin starts what it needs and stops it again."""

pytest_plugins: list[str] = [
    "support.http_cms",
    "support.source_kinds",
    "support.mariadb",
    "support.queue",
    "support.sshd",
    "support.sftp_stub",
    "support.target_kinds",
    "support.real_data",
    "support.deployment",
    "support.bench",
    "support.engine_process",
    "support.small_site",
]
