"""What the doctor says of disk, units and clocks, without any of them."""

import socket
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import cast

import pytest

from cli.doctor_console import console_checks
from cli.doctor_machine import HARDENING, directives, hardening_checks, unit_checks
from cli.doctor_queue import clock_check
from config import ConsoleSettings
from console import Role, line_of
from database import Database
from targets import Check

DEPLOY = Path(__file__).parents[2] / "deploy"
SHIPPED = (DEPLOY / "slipway.service").read_text()


@pytest.mark.parametrize("unit", sorted(DEPLOY.glob("*.service")), ids=lambda unit: unit.name)
def test_what_counts_as_shipped_is_what_is_shipped(unit: Path) -> None:
    assert list(hardening_checks(unit.name, unit.read_text())) == [Check("ok", f"unit {unit.name}: hardened as shipped")]


def test_everything_of_the_kind_that_is_shipped_is_compared() -> None:
    kinds = ("Protect", "Private", "Restrict", "NoNew", "Lock", "Memory", "Remove", "Keyring", "Ambient", "Capability")
    shipped = {key for key in directives(SHIPPED) if key.startswith(kinds)}
    assert shipped - {"RestrictAddressFamilies", "RestartPreventExitStatus"} <= HARDENING.keys()


def test_a_drop_in_that_weakens_a_unit_is_named_with_what_was_shipped() -> None:
    text = SHIPPED + "\n# /etc/systemd/system/slipway.service.d/x.conf\n[Service]\nProtectSystem=full\nUser=root\n"
    found = list(hardening_checks("slipway.service", text))
    assert [check.outcome for check in found] == ["warning", "failure"]
    assert "ProtectSystem is 'full', shipped is ProtectSystem=strict" in found[0].what
    assert "ProtectSystem=strict" in found[0].remedy
    assert "as root" in found[1].what


def test_a_bare_unit_is_told_of_everything_that_it_lacks() -> None:
    found = list(hardening_checks("slipway.service", "[Service]\nUser=slipway\nExecStart=/bin/true\n"))
    assert len(found) == len(HARDENING) + 1
    assert all(check.outcome == "warning" and check.remedy for check in found)


def test_where_there_is_no_systemd_there_are_no_units(tmp_path: Path) -> None:
    [check] = unit_checks(tmp_path / "none")
    assert check.outcome == "ok"
    assert "no systemd" in check.what


SYSTEMCTL = """#!/bin/sh
case "$1 $2" in
"cat "*) cat {unit} ;;
*) case "$3" in
   slipway.service) printf 'LoadState=loaded\\nUnitFileState={enabled}\\nActiveState={active}\\n' ;;
   *) printf 'LoadState=not-found\\nUnitFileState=\\nActiveState=inactive\\n' ;;
   esac ;;
esac
"""


@pytest.fixture
def service_manager(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A systemctl of ours, first in the PATH: whatever is written to the file that this gives."""
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    return tmp_path / "systemctl"


def said(program: Path, enabled: str, active: str) -> list[str]:
    program.write_text(SYSTEMCTL.format(unit=DEPLOY / "slipway.service", enabled=enabled, active=active))
    program.chmod(0o755)
    return [f"{check.outcome}: {check.what}" for check in unit_checks(program.parent)]


def test_a_unit_that_runs_is_well(service_manager: Path) -> None:
    assert said(service_manager, "enabled", "active") == [
        "ok: unit slipway.service: installed, enabled",
        "ok: unit slipway.service: active",
        "ok: unit slipway.service: hardened as shipped",
        "ok: unit slipway-console.service: not installed",
    ]


def test_a_unit_that_failed_or_would_not_come_back_is_not_well(service_manager: Path) -> None:
    assert said(service_manager, "disabled", "failed")[:2] == [
        "warning: unit slipway.service: installed, disabled",
        "failure: unit slipway.service: failed",
    ]
    assert said(service_manager, "enabled", "inactive")[1] == "warning: unit slipway.service: inactive"


def test_a_service_manager_that_says_nothing_is_a_warning(service_manager: Path) -> None:
    service_manager.write_text("#!/bin/sh\nexit 1\n")
    service_manager.chmod(0o755)
    assert [check.outcome for check in unit_checks(service_manager.parent)] == ["warning", "warning"]


def test_a_console_that_nobody_wants_is_well() -> None:
    [check] = console_checks(ConsoleSettings())
    assert check.outcome == "ok"


def test_a_console_is_asked_where_it_should_be_and_its_people_are_counted(tmp_path: Path) -> None:
    file = tmp_path / "passwords"
    file.write_text(line_of("ann", Role.VIEWER, "a long word") + "\n")
    file.chmod(0o600)
    with socket.create_server(("127.0.0.1", 0)) as free:
        bind = f"127.0.0.1:{free.getsockname()[1]}"
    people, answer = console_checks(ConsoleSettings(passwords=file, bind=bind))
    assert (people.outcome, people.what) == ("warning", "console: 1 person may sign in, 0 approvers")
    assert "--role approver" in people.remedy
    assert answer.outcome == "warning"
    assert f"nobody answers at {bind}" in answer.what
    file.chmod(0o644)
    assert next(console_checks(ConsoleSettings(passwords=file, bind=bind))).outcome == "failure"


class Elsewhere:
    """A database whose clock is off."""

    dialect = "mysql"

    def __init__(self, seconds: float) -> None:
        self.moment = datetime.now(UTC) + timedelta(seconds=seconds)

    def look(self, _work: object) -> datetime:
        return self.moment


@pytest.mark.parametrize(
    ("seconds", "outcome", "word"),
    [
        (0.5, "ok", ""),
        (-30, "warning", "behind"),
        (30, "warning", "ahead of"),
        (-600, "failure", "behind"),
        (600, "failure", "ahead"),
    ],
)
def test_clocks_that_differ_are_told_by_how_much(seconds: float, outcome: str, word: str) -> None:
    check = clock_check(cast("Database", Elsewhere(seconds)))
    assert check.outcome == outcome
    assert word in check.what
    assert bool(check.remedy) == (outcome != "ok")
