"""What `make install` installs: a wheel that lacks nothing, in a virtual environment of its own, and what belongs to the system."""

import os
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from collections.abc import Sequence
from configparser import ConfigParser
from dataclasses import dataclass
from pathlib import Path

import pytest

from support.mariadb import missing

ROOT = Path(__file__).parents[2]
NOT_INSTALLED = {"py.typed", ".gitignore"}


@dataclass(frozen=True)
class Installed:
    """PREFIX and SYSTEM of an installation, and the wheel that it was made of."""

    prefix: Path
    system: Path
    wheel: Path

    def run(self, *words: str, folder: Path) -> str:
        """A command of it, with nothing of this checkout in reach; what it prints."""
        variables = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": str(folder), "LANG": "C.UTF-8"}
        done = subprocess.run(words, cwd=folder, env=variables, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{words}: {done.stdout}{done.stderr}"
        return done.stdout


def run(words: Sequence[str | Path], folder: Path = ROOT) -> str:
    done = subprocess.run(words, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{words}: {done.stdout}{done.stderr}"
    return done.stdout


def tracked() -> list[str]:
    """What git would commit; a file that was just made is meant to be part of it."""
    names = run(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]).split("\0")
    return [name for name in names if name and (ROOT / name).is_file()]


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Installed:
    folder = tmp_path_factory.mktemp("install")
    for name in tracked():
        (folder / "sources" / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, folder / "sources" / name)
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet"]
    run([*pip, "wheel", "--no-deps", "--no-build-isolation", "-w", folder, "."], folder / "sources")
    [wheel] = folder.glob("slipway-*.whl")
    prefix, system = folder / "opt", folder / "usr"
    run([sys.executable, "-m", "venv", "--without-pip", prefix])
    run([*pip, "--python", prefix / "bin/python", "install", "--no-deps", wheel])
    # The libraries are those of the tests, without the checkout that these also see.
    [packages] = prefix.glob("lib/python*/site-packages")
    (packages / "libraries.pth").write_text(sysconfig.get_paths()["purelib"] + "\n")
    run(["sh", folder / "sources/deploy/install.sh", prefix, system])
    return Installed(prefix, system, wheel)


# Two tests, and not five, because what they look at is dear to make: whichever process gets one of them makes it.


def test_the_wheel_has_every_file_of_the_program_and_it_publishes_where_it_was_installed(
    installed: Installed, tmp_path: Path
) -> None:
    check_the_wheel(installed)
    publish_with(installed, tmp_path)


def test_what_belongs_to_the_system_is_in_its_place(installed: Installed, tmp_path: Path) -> None:
    check_pages_and_completion(installed)
    check_units(installed)
    check_accounts_and_folders(installed, tmp_path)
    check_as_daemon(installed, tmp_path)


def check_the_wheel(installed: Installed) -> None:
    setup = ConfigParser()
    setup.read(ROOT / "setup.cfg")
    tops = {package.split(".")[0] for package in setup["options"]["packages"].split()}
    wanted = {name for name in tracked() if name.split("/")[0] in tops and Path(name).name not in NOT_INSTALLED}
    wanted |= {f"{module}.py" for module in setup["options"]["py_modules"].split()}
    held = {name for name in zipfile.ZipFile(installed.wheel).namelist() if ".dist-info/" not in name}
    assert held == wanted


def publish_with(installed: Installed, tmp_path: Path) -> None:
    slipway = str(installed.system / "bin/slipway")
    assert installed.run(slipway, "--version", folder=tmp_path).startswith("slipway ")
    assert str(installed.prefix) in installed.run(
        str(installed.prefix / "bin/python"), "-P", "-c", "import cli; print(cli.__file__)", folder=tmp_path
    )
    installed.run(slipway, "-c", "slipway.toml", "init", "--state", "state", folder=tmp_path)
    for name in ("site/tides", "published/staging", "published/production", "published/download"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "site/tides/index.html").write_text("high water")
    installed.run(slipway, "-c", "slipway.toml", "publish", "/tides", "--to", "STAGING", "--now", folder=tmp_path)
    assert (tmp_path / "published/staging/tides/index.html").read_text() == "high water"


def check_pages_and_completion(installed: Installed) -> None:
    share = installed.system / "share"
    for page in ("man1/slipway.1", "man5/slipway.toml.5", "man8/slipway.8"):
        assert (share / "man" / page).read_text().startswith(".TH")
    for place in ("bash-completion/completions/slipway", "zsh/site-functions/_slipway", "fish/vendor_completions.d/slipway.fish"):
        assert "_SLIPWAY_COMPLETE" in (share / place).read_text()


def check_units(installed: Installed) -> None:
    units = installed.system / "lib/systemd/system"
    for name in ("slipway.service", "slipway-console.service"):
        assert f"ExecStart={installed.prefix}/bin/slipway --config /etc/slipway/config.toml " in (units / name).read_text()
    assert f"{installed.prefix}/bin/slipway " in (installed.system / "sbin/slipway-as-daemon").read_text()
    assert os.access(installed.system / "sbin/slipway-as-daemon", os.X_OK)
    if shutil.which("systemd-analyze") is None:
        missing("systemd-analyze is not installed: apt-get install systemd")
    for name in ("slipway.service", "slipway-console.service"):
        done = subprocess.run(
            ["systemd-analyze", "verify", "--man=no", str(units / name)], capture_output=True, text=True, check=False
        )
        assert (done.returncode, done.stderr) == (0, "")


def check_accounts_and_folders(installed: Installed, tmp_path: Path) -> None:
    if os.geteuid() != 0:
        missing("only root can make accounts and give folders away")
    lib = installed.system / "lib"
    (tmp_path / "etc").mkdir()
    run(["systemd-sysusers", f"--root={tmp_path}", lib / "sysusers.d/slipway.conf"])
    users = {line.split(":")[0]: line.split(":") for line in (tmp_path / "etc/passwd").read_text().splitlines()}
    assert users["slipway"][5:] == ["/var/lib/slipway", "/usr/sbin/nologin"]
    assert users["slipway-console"][6] == "/usr/sbin/nologin"
    run(["systemd-tmpfiles", f"--root={tmp_path}", "--create", lib / "tmpfiles.d/slipway.conf"])
    assert folder_of(tmp_path / "etc/slipway/secrets") == (0o700, 0)
    assert folder_of(tmp_path / "etc/slipway/keys") == (0o700, int(users["slipway"][2]))
    assert folder_of(tmp_path / "var/lib/slipway") == (0o750, int(users["slipway"][2]))


def folder_of(path: Path) -> tuple[int, int]:
    found = path.stat()
    return found.st_mode & 0o777, found.st_uid


SYSTEMCTL = """#!/bin/sh
case "$*" in
    "cat slipway.service") printf '[Service]\\nLoadCredential=a:/etc/a\\n# /etc/x.conf\\nLoadCredential=b:/etc/b\\n' ;;
    "show --property=Environment --value slipway.service") echo 'X=1 Y=two' ;;
    "show --property=User --value slipway.service") echo slipway ;;
    *) exit 1 ;;
esac
"""
"""What a service manager says of a unit with a drop-in; a whole one is not to be had in a test."""


def check_as_daemon(installed: Installed, folder: Path) -> None:
    """The command is run with everything that the service has."""
    for name, text in {"systemctl": SYSTEMCTL, "systemd-run": '#!/bin/sh\nprintf "%s\\n" "$@"\n'}.items():
        (folder / name).write_text(text)
        (folder / name).chmod(0o755)
    variables = {"PATH": f"{folder}:/usr/bin:/bin"}
    words = [str(installed.system / "sbin/slipway-as-daemon"), "db", "check"]
    said = subprocess.run(words, env=variables, capture_output=True, text=True, check=True, stdin=subprocess.DEVNULL).stdout
    given = said.splitlines()
    assert given[-5:] == [f"{installed.prefix}/bin/slipway", "--config", "/etc/slipway/config.toml", "db", "check"]
    assert {"--uid=slipway", "--setenv=X=1", "--setenv=Y=two", "--pipe", "--wait"} < set(given)
    assert {"--property=LoadCredential=a:/etc/a", "--property=LoadCredential=b:/etc/b"} < set(given)
