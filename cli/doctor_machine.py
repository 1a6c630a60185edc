"""What `doctor` says of this machine: disk, and the units of the service manager."""

import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

from cli.places import store_of
from config import Settings
from targets import Check

SPACE = 1_000_000_000
"""Bytes free under which a warning is due: a large course has more than this."""
FILES = 10_000
"""Files that can still be made, under which a warning is due: a mirror has many more."""
SYSTEMD = Path("/run/systemd/system")
"""Is there where systemd runs: sd_booted(3)."""
PATIENCE = 10
"""Seconds for systemctl to answer."""

UNITS = {"slipway.service": True, "slipway-console.service": False}
"""The units of deploy/, and whether each is needed: the console can be the daemon's child, or not be wanted at all."""
HARDENING: Mapping[str, str] = {
    "NoNewPrivileges": "yes",
    "CapabilityBoundingSet": "",
    "AmbientCapabilities": "",
    "ProtectSystem": "strict",
    "ProtectHome": "yes",
    "PrivateTmp": "yes",
    "PrivateDevices": "yes",
    "PrivateUsers": "yes",
    "PrivateMounts": "yes",
    "ProtectClock": "yes",
    "ProtectHostname": "yes",
    "ProtectKernelLogs": "yes",
    "ProtectKernelModules": "yes",
    "ProtectKernelTunables": "yes",
    "ProtectControlGroups": "yes",
    "ProtectProc": "invisible",
    "RestrictNamespaces": "yes",
    "RestrictRealtime": "yes",
    "RestrictSUIDSGID": "yes",
    "LockPersonality": "yes",
    "MemoryDenyWriteExecute": "yes",
    "RemoveIPC": "yes",
    "KeyringMode": "private",
    "SystemCallArchitectures": "native",
}
"""What the units of deploy/ switch on, as they were shipped; a test compares."""


def disk_checks(settings: Settings) -> Iterator[Check]:
    store = store_of(settings).root
    for what, folder in (("state directory", settings.state_dir), ("content store", store)):
        yield writable(what, folder)
    there = existing(store)
    free = shutil.disk_usage(there).free
    remedy = "'slipway store gc' frees what is not needed" if free < SPACE else ""
    yield Check("warning" if remedy else "ok", f"disk: {free / 1e9:.1f} GB free for the content store", remedy)
    found = os.statvfs(there)
    # Some file systems make inodes as they need them, and say that they have none.
    if found.f_files and found.f_favail < FILES:
        yield Check(
            "warning", f"disk: only {found.f_favail:,} more files can be made for the content store", "make room for inodes"
        )


def writable(what: str, folder: Path) -> Check:
    there = existing(folder)
    if os.access(there, os.W_OK | os.X_OK):
        return Check("ok", f"{what}: {folder}" + ("" if folder.exists() else ", made on first use"))
    return Check("failure", f"{what}: {folder} cannot be written by this account", f"give it {there}, or set state_dir")


def existing(folder: Path) -> Path:
    """The folder, or the first above it that is there."""
    return next((place for place in (folder, *folder.parents) if place.exists()), Path("/"))


def unit_checks(systemd: Path = SYSTEMD) -> Iterator[Check]:
    """Each unit: installed, enabled, running, and hardened as it was shipped."""
    if not systemd.exists() or shutil.which("systemctl") is None:
        yield Check("ok", "units: no systemd here; whatever starts 'slipway run' must start it again when it ends")
        return
    for name, needed in UNITS.items():
        try:
            yield from unit_check(name, needed=needed)
        except (OSError, subprocess.SubprocessError) as error:
            yield Check("warning", f"unit {name}: systemctl does not say: {error}", f"look at it with 'systemctl status {name}'")


def unit_check(name: str, *, needed: bool) -> Iterator[Check]:
    """Raises OSError, SubprocessError."""
    state = properties(name)
    if state.get("LoadState") != "loaded":
        install = f"'make install' puts it into its place, then 'systemctl daemon-reload' and 'systemctl enable --now {name}'"
        yield Check("warning" if needed else "ok", f"unit {name}: not installed", install if needed else "")
        return
    yield startup_check(name, state)
    active = state.get("ActiveState", "unknown")
    failed = active == "failed"
    remedy = "" if active == "active" else f"'journalctl -u {name}' says why" if failed else f"'systemctl start {name}' starts it"
    yield Check("failure" if failed else "warning" if remedy else "ok", f"unit {name}: {active}", remedy)
    yield from hardening_checks(name, systemctl("cat", name))


def startup_check(name: str, state: Mapping[str, str]) -> Check:
    enabled = state.get("UnitFileState", "")
    well = enabled in {"enabled", "enabled-runtime", "static", "alias", "linked"}
    remedy = "" if well else f"'systemctl enable {name}': it would not come back after a boot"
    return Check("ok" if well else "warning", f"unit {name}: installed, {enabled or 'not enabled'}", remedy)


def hardening_checks(name: str, text: str) -> Iterator[Check]:
    """What the unit and its drop-ins have in force, beside what was shipped."""
    found = directives(text)
    weaker = {key: found.get(key) for key, shipped in HARDENING.items() if found.get(key) != shipped}
    for key, value in weaker.items():
        shipped = f"{key}={HARDENING[key]}"
        said = f"unit {name}: {key} is {value!r}" if value is not None else f"unit {name}: {key} is not set"
        yield Check("warning", f"{said}, shipped is {shipped}", f"'systemctl cat {name}' shows where; put back {shipped}")
    if not found.get("SystemCallFilter"):
        yield Check("warning", f"unit {name}: every system call is allowed", "put back the SystemCallFilter lines of deploy/")
    elif not weaker:
        yield Check("ok", f"unit {name}: hardened as shipped")
    if found.get("User", "root") in {"root", "0"}:
        yield Check("failure", f"unit {name}: runs as root", "put back User=slipway")


def directives(text: str) -> dict[str, str]:
    """What a unit's text comes to: the last line of each key counts, as for all that is no list."""
    lines = (line.strip() for line in text.splitlines())
    pairs = (line.partition("=") for line in lines if "=" in line and not line.startswith(("#", ";", "[")))
    return {key.strip(): value.strip() for key, _, value in pairs}


def properties(name: str) -> dict[str, str]:
    return directives(systemctl("show", "--property=LoadState,UnitFileState,ActiveState", name))


def systemctl(*words: str) -> str:
    """Raises OSError, SubprocessError."""
    done = subprocess.run(["systemctl", *words], capture_output=True, text=True, check=True, timeout=PATIENCE)
    return done.stdout
