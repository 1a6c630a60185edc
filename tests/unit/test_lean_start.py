"""What a process reads at its start: each start waits for it, and nothing but the interpreter stands between a row and its engine."""

import subprocess
import sys

import pytest

SELDOM = {
    "alembic",
    "attr",
    "boto3",
    "jinja2",
    "lxml",
    "paramiko",
    "pygments",
    "pymysql",
    "rich.traceback",
    "sqlalchemy.dialects.mysql",
    "sqlalchemy.orm",
    "starlette",
    "urllib3",
}
"""What some tasks, some configurations, or some verbs need."""


@pytest.mark.parametrize(
    "program",
    [
        "import engines.__main__",
        "from cli import slipway; [slipway([verb, '--help'], standalone_mode=False) for verb in ('run', 'publish', 'queue', 'why')]",
    ],
)
def test_a_start_waits_for_nothing_that_is_seldom_needed(program: str) -> None:
    code = f"import sys; {program}; print(*sorted(sys.modules.keys() & {SELDOM}), file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr.split() == []
