"""The units of the daemon and of the console: hardened, right, and livable for the libraries that Slipway stands on."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from support.mariadb import missing

UNITS = sorted((Path(__file__).parents[2] / "deploy").glob("*.service"))
MOST = 13
"""Tenths: an exposure of 1.3, by systemd's own judgement."""


def analyze(*words: str) -> subprocess.CompletedProcess[str]:
    program = shutil.which("systemd-analyze")
    if program is None:
        missing("systemd-analyze is not installed: apt-get install systemd")
    return subprocess.run([program, *words], capture_output=True, text=True, check=False)


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_the_unit_exposes_little(unit: Path) -> None:
    found = analyze("security", "--offline=yes", f"--threshold={MOST}", str(unit))
    assert found.returncode == 0, found.stdout


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_the_judgement_is_one(unit: Path, tmp_path: Path) -> None:
    """Without what hardens it the same unit is over the limit."""
    bare = tmp_path / unit.name
    bare.write_text(
        unit.read_text().replace("SystemCallFilter", "#").replace("PrivateUsers=yes", "").replace("ProtectSystem=strict", "")
    )
    assert analyze("security", "--offline=yes", f"--threshold={MOST}", str(bare)).returncode == 1


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_systemd_understands_every_line(unit: Path, tmp_path: Path) -> None:
    copy = tmp_path / unit.name
    # Only that the program is not there is no fault of the unit.
    lines = unit.read_text().splitlines()
    copy.write_text("\n".join("ExecStart=/bin/true" if line.startswith("ExecStart=") else line for line in lines) + "\n")
    found = analyze("verify", "--man=no", "--recursive-errors=no", str(copy))
    assert (found.returncode, found.stderr) == (0, "")


MDWE = """
import ctypes, mmap, sqlite3, ssl
if ctypes.CDLL(None).prctl(65, 1, 0, 0, 0):
    raise SystemExit(77)
try:
    mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
except PermissionError:
    pass
else:
    raise SystemExit("writable code was allowed")
import bcrypt, boto3, console, jinja2, nacl.signing, paramiko, scheduler, engines, tasks, uvicorn
from lxml import etree
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from packageslip import check_slip, make_key, write_slip, Packageslip
key = Ed25519PrivateKey.generate()
key.public_key().verify(key.sign(b"x"), b"x")
nacl.signing.SigningKey.generate().sign(b"x")
bcrypt.kdf(b"password", b"salt", 32, 1, ignore_few_rounds=True)
paramiko.ECDSAKey.generate().sign_ssh_data(b"x", "ecdsa-sha2-nistp256")
ssl.create_default_context()
assert check_slip(write_slip(Packageslip("/a")), "slip") == []
sqlite3.connect(":memory:").create_function("f", 0, lambda: 1)
print("everything works")
"""
"""What MemoryDenyWriteExecute does, by the kernel's own switch for it (Linux 6.3); then what Slipway loads and calls."""


def test_nothing_of_it_needs_writable_code() -> None:
    where = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    found = subprocess.run([sys.executable, "-P", "-c", MDWE], capture_output=True, text=True, check=False, env=where)
    if found.returncode == 77:
        pytest.skip("this kernel has no PR_SET_MDWE; the unit was tried on one that has")
    assert found.stdout == "everything works\n", found.stderr
