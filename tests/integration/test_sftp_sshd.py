"""The tests' own sshd does what the tests rely on."""

import subprocess

import pytest

from support.deployment import eventually
from support.sshd import IS_ROOT, Sshd, StartSshd


def transfer(server: Sshd, batch: str, account: int = 0) -> "subprocess.CompletedProcess[str]":
    who = server.accounts[account]
    options = ["-b", "-", "-i", str(who.key), "-P", str(server.port), "-o", f"UserKnownHostsFile={server.known_hosts}"]
    return subprocess.run(
        ["sftp", "-q", "-F", "none", *options, f"{who.user}@{server.host}"],
        input=batch,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("chroot", [False, True])
def test_the_log_names_each_file(start_sshd: StartSshd, chroot: bool) -> None:
    server = start_sshd(chroot=chroot, logged=not chroot)
    site = server.accounts[0].remote_root
    done = transfer(server, f"put {server.known_hosts} {site}/new\nrename {site}/new {site}/live\n")
    assert done.returncode == 0, done.stderr
    assert (server.accounts[0].root / "live").exists()
    # The chrooted server's lines come through a socket, a little later.
    eventually(lambda: "posix-rename" in server.log, 10, "the server's last line")
    assert f'open "{site}/new"' in server.log
    assert f'posix-rename old "{site}/new" new "{site}/live"' in server.log


@pytest.mark.skipif(not IS_ROOT, reason="a second account needs root")
def test_accounts_cannot_write_each_others_sites(start_sshd: StartSshd) -> None:
    server = start_sshd(accounts=2)
    assert server.accounts[0].user != server.accounts[1].user
    done = transfer(server, f"put {server.known_hosts} {server.accounts[1].remote_root}/x\n")
    assert "Permission denied" in done.stderr
