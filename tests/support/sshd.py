"""A private OpenSSH server for tests: own host key, own accounts, own folder, a free loopback port.

The machine's own sshd, its keys and its accounts are never touched. Run as root, the tests make accounts of their own
(`slipway-test-<pid>-<n>`) and remove them at the end; otherwise the one account is whoever runs the tests, and what needs root skips.
"""

import contextlib
import getpass
import itertools
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from config import SftpTarget

SSHD = shutil.which("sshd", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
SFTP_SERVER = next(
    (path for path in map(Path, ("/usr/lib/openssh/sftp-server", "/usr/libexec/sftp-server")) if path.exists()), None
)
IS_ROOT = os.geteuid() == 0
PREFIX = "slipway-test-"
_numbers = itertools.count()
"""Of the accounts of this process: one test may want a server of its own beside another's."""


@dataclass(frozen=True, slots=True)
class Account:
    """Somebody who may log in, and the folder that is his site."""

    user: str
    key: Path
    """Private key, no passphrase."""
    root: Path
    """The site's folder as this machine sees it; empty at first, owned by the account."""
    remote_root: str
    """The same folder as the account sees it."""


@dataclass(frozen=True, slots=True)
class Sshd:
    """A running server."""

    host: str
    port: int
    accounts: tuple[Account, ...]
    known_hosts: Path
    host_key: str
    """`ssh-ed25519 AAAA...`, as a setting has it."""
    folder: Path
    """The server's own files."""
    log_path: Path
    pid: int

    @property
    def log(self) -> str:
        """What sshd and its SFTP servers wrote so far: logins, and for `chroot` or `logged` servers each open, close, rename, remove."""
        return self.log_path.read_text(encoding="utf-8", errors="replace")

    def settings(self, account: int = 0, **overrides: object) -> SftpTarget:
        """The settings of a target at this account, which is written to by SFTP where nothing else is asked for."""
        who = self.accounts[account]
        fields: dict[str, object] = {
            "kind": "sftp",
            "host": self.host,
            "port": self.port,
            "user": who.user,
            "key": who.key,
            "root": who.remote_root,
            "known_hosts": self.known_hosts,
            "transfer": "sftp",
        }
        return SftpTarget.model_validate(fields | overrides)

    def fresh_site(self, account: int = 0) -> Account:
        """The same account with an empty folder of its own, for tests that share a server."""
        who = self.accounts[account]
        root = Path(tempfile.mkdtemp(prefix="site-", dir=who.root))
        root.chmod(0o755)
        if IS_ROOT:
            shutil.chown(root, who.user, who.user)
        return replace(who, root=root, remote_root=f"{who.remote_root}/{root.name}")

    def sessions(self) -> list[int]:
        """Pids of the processes that serve connections at present, parents first."""
        return _descendants(self.pid)

    def cut(self, how: signal.Signals = signal.SIGKILL) -> None:
        """Kill (or stop, or go on with) every connection; the listener stays."""
        for pid in self.sessions():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, how)


StartSshd = Callable[..., Sshd]
"""start(accounts=1, chroot=False, logged=False, options=("RekeyLimit 1M",)) -> Sshd"""


@pytest.fixture(scope="session")
def start_sshd() -> Iterator[StartSshd]:
    """Start servers; all are stopped, and their files and accounts removed, at the end of the session.

    `chroot`: ChrootDirectory, so that the account sees its site as /site; needs root. `logged`: an external sftp-server, the same
    program as internal-sftp, whose log can be read without syslog. Each server has folders of its own.
    """
    with contextlib.ExitStack() as stack:
        pool: list[str] = []

        def start(*, accounts: int = 1, chroot: bool = False, logged: bool = False, options: Sequence[str] = ()) -> Sshd:
            _require(accounts=accounts, chroot=chroot)
            while IS_ROOT and len(pool) < accounts:
                pool.append(stack.enter_context(_account()))
            users = pool[:accounts] if IS_ROOT else [getpass.getuser()]
            return stack.enter_context(_running(users, chroot=chroot, logged=logged, options=options))

        yield start


@pytest.fixture(scope="session")
def sshd(start_sshd: StartSshd) -> Sshd:
    """One server for all tests that only need one, not chrooted, one account."""
    return start_sshd()


@pytest.fixture(scope="session")
def chrooted_sshd(start_sshd: StartSshd) -> Sshd:
    """One server for all tests, with internal-sftp in a chroot, one account."""
    return start_sshd(chroot=True)


def missing(reason: str) -> None:
    """Skip on a laptop; on CI a server that is not there is a failure."""
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


def _require(*, accounts: int, chroot: bool) -> None:
    if SSHD is None:
        missing("no sshd here: apt-get install openssh-server")
    if not IS_ROOT and (chroot or accounts > 1):
        missing("a chrooted sshd and a second account need root")


@contextlib.contextmanager
def _account() -> Iterator[str]:
    """A system account of the tests' own, with a shell (sshd runs external subsystems with it) and no usable password."""
    _remove_orphans()
    name = f"{PREFIX}{os.getpid()}-{next(_numbers)}"
    # "*" and not "!": sshd takes the latter for a locked account.
    _account_tool(
        "useradd", "--system", "--no-create-home", "--home-dir", "/nonexistent", "--shell", "/bin/sh", "--password", "*", name
    )
    try:
        yield name
    finally:
        _account_tool("userdel", name)


def _account_tool(*command: str) -> None:
    """useradd and userdel give up at once while another process has the password file's lock, or the account has one still."""
    deadline = time.monotonic() + 30
    while True:
        done = subprocess.run(command, capture_output=True, text=True, check=False, env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"})
        if done.returncode == 0:
            return
        if done.returncode not in {1, 8, 10} or time.monotonic() > deadline:
            raise RuntimeError(f"{' '.join(command)}: {done.stderr.strip()}")
        time.sleep(0.1)


def _remove_orphans() -> None:
    """Accounts and folders of test runs that were killed."""
    for folder in Path("/var/lib").glob(f"{PREFIX}*"):
        pid = folder.name.removeprefix(PREFIX).partition("-")[0]
        if pid.isdigit() and not Path(f"/proc/{pid}").exists():
            shutil.rmtree(folder, ignore_errors=True)
    for entry in pwd.getpwall():
        pid = entry.pw_name.removeprefix(PREFIX).partition("-")[0]
        if entry.pw_name.startswith(PREFIX) and pid.isdigit() and not Path(f"/proc/{pid}").exists():
            with contextlib.suppress(RuntimeError):
                _account_tool("userdel", entry.pw_name)


@contextlib.contextmanager
def _running(users: Sequence[str], *, chroot: bool, logged: bool, options: Sequence[str]) -> Iterator[Sshd]:
    with _folder() as folder, contextlib.ExitStack() as stack:
        accounts = tuple(_site(folder, user, chroot=chroot) for user in users)
        _keygen(folder / "host_key")
        log = folder / "log"
        log.touch()
        if chroot:
            for account in accounts:
                stack.enter_context(_syslog(account.root.parent / "dev" / "log", log))
        port = _free_port()
        config = folder / "sshd_config"
        config.write_text(_config(folder, port, accounts, chroot=chroot, logged=logged, options=options), encoding="utf-8")
        process = stack.enter_context(_process(config, log, port))
        public = " ".join((folder / "host_key.pub").read_text(encoding="utf-8").split()[:2])
        known_hosts = folder / "known_hosts"
        known_hosts.write_text(f"[127.0.0.1]:{port} {public}\n", encoding="utf-8")
        yield Sshd("127.0.0.1", port, accounts, known_hosts, public, folder, log, process.pid)


@contextlib.contextmanager
def _folder() -> Iterator[Path]:
    """A folder that the accounts can enter; under /var/lib for root, for sshd refuses a chroot below a folder that all may write."""
    folder = Path(tempfile.mkdtemp(prefix=f"{PREFIX}{os.getpid()}-", dir="/var/lib" if IS_ROOT else None))
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


def _site(folder: Path, user: str, *, chroot: bool) -> Account:
    home = folder / user
    root = home / "site"
    root.mkdir(parents=True, mode=0o755)
    key = folder / f"{user}.key"
    _keygen(key)
    (folder / f"{user}.authorized").write_bytes(key.with_suffix(".key.pub").read_bytes())
    if IS_ROOT:
        shutil.chown(root, user)
    return Account(user, key, root, "/site" if chroot else str(root))


def _keygen(path: Path) -> None:
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "test", "-f", path], check=True)


def _config(folder: Path, port: int, accounts: Sequence[Account], *, chroot: bool, logged: bool, options: Sequence[str]) -> str:
    subsystem = "internal-sftp"
    if logged and not chroot:
        if SFTP_SERVER is None:
            missing("no external sftp-server here: apt-get install openssh-sftp-server")
        (folder / "log").chmod(0o666)
        script = folder / "sftp-server"
        script.write_text(f"#!/bin/sh\nexec {SFTP_SERVER} -e -l INFO 2>>{folder}/log\n", encoding="utf-8")
        script.chmod(0o755)
        subsystem = str(script)
    lines = [
        # sshd takes the first value that it finds.
        *options,
        f"Port {port}",
        "ListenAddress 127.0.0.1",
        f"HostKey {folder}/host_key",
        "PidFile none",
        "UsePAM no",
        "PasswordAuthentication no",
        "KbdInteractiveAuthentication no",
        f"AuthorizedKeysFile {folder}/%u.authorized",
        "StrictModes no",
        f"AllowUsers {' '.join(account.user for account in accounts)}",
        f"Subsystem sftp {subsystem}",
        "LogLevel VERBOSE",
        "MaxStartups 100:30:200",
    ]
    if chroot:
        lines += [f"ChrootDirectory {folder}/%u", "ForceCommand internal-sftp -f AUTH -l INFO"]
    return "\n".join(lines) + "\n"


@contextlib.contextmanager
def _syslog(path: Path, log: Path) -> Iterator[None]:
    """A syslog socket in the chroot: internal-sftp logs nowhere else."""
    path.parent.mkdir(exist_ok=True)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as receiver:
        receiver.bind(str(path))
        path.chmod(0o666)
        receiver.settimeout(0.2)
        stop = threading.Event()

        def copy() -> None:
            while not stop.is_set():
                with contextlib.suppress(TimeoutError), log.open("ab") as out:
                    out.write(receiver.recv(65536).rstrip(b"\n\0") + b"\n")

        thread = threading.Thread(target=copy, name="test-syslog", daemon=True)
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join()


@contextlib.contextmanager
def _process(config: Path, log: Path, port: int) -> Iterator["subprocess.Popen[bytes]"]:
    if IS_ROOT:
        # sshd's folder for unprivileged children; its service would make it.
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
    assert SSHD is not None
    # If the tests are killed, their server ends with them.
    leash = ["setpriv", "--pdeathsig", "TERM"] if shutil.which("setpriv") else []
    with log.open("ab") as stderr:
        process = subprocess.Popen(
            [*leash, SSHD, "-D", "-e", "-f", str(config)],
            stdin=subprocess.DEVNULL,
            stdout=stderr,
            stderr=stderr,
            start_new_session=True,
        )
    try:
        _await_port(process, port, log)
        yield process
    finally:
        children = _descendants(process.pid)
        process.terminate()
        process.wait(10)
        for pid in children:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


def _await_port(process: "subprocess.Popen[bytes]", port: int, log: Path) -> None:
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline and process.poll() is None:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        time.sleep(0.02)
    raise RuntimeError(f"the tests' sshd did not start:\n{log.read_text(encoding='utf-8')}")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _descendants(pid: int) -> list[int]:
    """Children, grandchildren and so on of a process, parents first."""
    parents: Mapping[int, int] = dict(_processes())
    found: list[int] = []
    level = [pid]
    while level:
        level = [child for child, parent in parents.items() if parent in level]
        found += level
    return found


def _processes() -> Iterator[tuple[int, int]]:
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError, ValueError, IndexError):
            # The name in brackets may hold anything, so the fields are counted from its end.
            yield int(stat.parent.name), int(stat.read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()[1])
