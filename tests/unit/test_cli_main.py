"""The command's frame: verbs, help, quickness."""

import importlib
import subprocess
import sys

import click
import pytest
from click.testing import CliRunner

from cli.main import VERBS, slipway

HEAVY = {"sqlalchemy", "paramiko", "lxml", "rich", "pydantic", "urllib3", "alembic", "starlette", "uvicorn", "jinja2"}


def test_help_lists_every_verb_without_importing_what_the_verbs_need() -> None:
    code = f"import sys; from cli import slipway; slipway(['--help'], standalone_mode=False); sys.exit(bool(set(sys.modules) & {HEAVY}))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert all(f"  {verb} " in done.stdout for verb in VERBS)


def test_the_verbs_are_the_documented_ones() -> None:
    assert list(VERBS) == [
        "demo", "init", "run", "console", "publish", "unpublish", "rollback", "takedown", "republish", "plan", "why", "queue", "schedule",
        "history", "verify", "slip", "package", "audit", "store", "target", "notice", "alert", "config", "db",
        "doctor", "completion", "man",
    ]  # fmt: skip


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_exists_and_explains_itself(verb: str) -> None:
    module, name = VERBS[verb][0].split(":")
    command = getattr(importlib.import_module(module), name)
    assert isinstance(command, click.Command)
    assert command.name == verb
    result = CliRunner().invoke(slipway, [verb, "--help"])
    assert result.exit_code == 0
    assert command.help


def test_an_unknown_verb_is_a_usage_error() -> None:
    result = CliRunner().invoke(slipway, ["publsh"])
    assert result.exit_code == 2
    assert "publsh" in result.stderr


def test_version() -> None:
    result = CliRunner().invoke(slipway, ["--version"])
    assert result.exit_code == 0
    assert result.stdout.startswith("slipway 0.")
