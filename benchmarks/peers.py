"""The programs that people use today, over the same SSH server: Debian's rsync, rclone, lftp and curl."""

import os
import re
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from support.sshd import Account, Sshd


class PeerFailed(AssertionError):
    """A peer did not do its work."""


@dataclass(frozen=True, slots=True)
class Site:
    """A folder on the server, for a program that logs in there."""

    server: Sshd
    account: Account
    port: int
    """The server's own, or that of what stands before it."""

    @property
    def ssh(self) -> str:
        """OpenSSH's client with nothing of this machine's configuration, else as Debian has it."""
        return (
            f"ssh -F none -i {self.account.key} -p {self.port} -o BatchMode=yes -o IdentitiesOnly=yes -o StrictHostKeyChecking=no"
            f" -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR"
        )

    @property
    def address(self) -> str:
        return f"{self.account.user}@127.0.0.1"


def rsync(source: Path, site: Site, *options: str) -> None:
    """`rsync -a` of a folder's content."""
    _run("rsync", "-a", *options, "-e", site.ssh, f"{source}/", f"{site.address}:{site.account.remote_root}/")


def rclone(source: Path, site: Site, *, transfers: int = 16) -> None:
    """`rclone copy`. Its look at checksums, a command on the server for each file, is off: nobody else reads back here."""
    known = {
        "RCLONE_CONFIG": "/dev/null",
        "RCLONE_SFTP_HOST": "127.0.0.1",
        "RCLONE_SFTP_PORT": str(site.port),
        "RCLONE_SFTP_USER": site.account.user,
        "RCLONE_SFTP_KEY_FILE": str(site.account.key),
    }
    goal = f":sftp:{site.account.remote_root}"
    _run("rclone", "copy", f"--transfers={transfers}", "--sftp-disable-hashcheck", str(source), goal, variables=known)


def lftp(source: Path, site: Site, *, parallel: int = 8) -> None:
    """`mirror -R` over SFTP."""
    script = (
        f'set sftp:connect-program "{site.ssh.replace("ssh ", "ssh -a -x ", 1)}"; set cmd:fail-exit yes; set net:max-retries 1; '
        f"open -u {site.account.user},x sftp://127.0.0.1:{site.port}; "
        f"mirror -R --parallel={parallel} {source}/ {site.account.remote_root}/"
    )
    _run("lftp", "-c", script)


def version(program: str) -> str:
    """What a program says that it is, or that it is not here."""
    found = shutil.which(program, path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    if found is None:
        return "not installed"
    said = subprocess.run([found, "--version"], capture_output=True, text=True, check=False)
    number = re.search(r"\d+(\.\d+)+", said.stdout or said.stderr)
    return number.group() if number else "of no known version"


def _run(*command: str, variables: Mapping[str, str] = {}) -> None:
    done = subprocess.run(_words(command), capture_output=True, text=True, check=False, env=os.environ | variables)
    if done.returncode:
        raise PeerFailed(f"{' '.join(command)}: exit code {done.returncode}\n{done.stdout[-1000:]}{done.stderr[-1000:]}")


def _words(command: Sequence[str]) -> list[str]:
    if shutil.which(command[0]) is None:
        raise PeerFailed(f"{command[0]} is not installed: make peers")
    return list(command)
