"""Fixtures of all tests: each plugin starts what it needs and stops it again."""

pytest_plugins: list[str] = [
    "support.http_cms",
    "support.mariadb",
    "support.sshd",
]
