"""Who is let in, and whom we let in: host keys before anything else, one key, one try, time-outs, and words for each failure."""

import base64
import os
import shutil
import signal
import socket
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from config import Secret, SftpTarget
from support.sshd import IS_ROOT, Sshd, StartSshd
from targets.errors import HostKeyRefused, LoginRefused, TargetUnfit, TargetUnreachable
from targets.sftp import SftpDisk
from targets.sftp.hostkeys import fingerprint


@pytest.fixture
def server(start_sshd: StartSshd) -> Sshd:
    """A server whose log nobody else writes to."""
    return start_sshd()


def attempt(settings: SftpTarget, secrets: object = None) -> None:
    disk = SftpDisk(settings, target="origin", secrets=secrets)  # type: ignore[arg-type]
    try:
        disk.list("")
    finally:
        disk.close()


def keygen(path: Path, kind: str = "ed25519", passphrase: str = "", *more: str) -> Path:
    subprocess.run(["ssh-keygen", "-q", "-t", kind, "-N", passphrase, "-C", "test", *more, "-f", path], check=True)
    return path


def public(path: Path) -> str:
    return path.with_name(f"{path.name}.pub").read_text(encoding="utf-8").strip()


def admit(server: Sshd, key: Path) -> None:
    with (server.folder / f"{server.accounts[0].user}.authorized").open("a", encoding="utf-8") as authorized:
        authorized.write(public(key) + "\n")


def seen(server: Sshd) -> str:
    return fingerprint(base64.b64decode(server.host_key.split()[1]))


def no_login_was_tried(server: Sshd) -> bool:
    for _ in range(100):
        # The line that sshd writes when the connection ends: by then it would have logged any attempt.
        if "closed by" in server.log or "reset by" in server.log or "Disconnected" in server.log:
            break
        time.sleep(0.02)
    return not any(word in server.log for word in ("Accepted", "Failed", "Postponed", server.accounts[0].user))


def test_the_configured_host_key_is_enough(server: Sshd) -> None:
    attempt(server.settings(known_hosts=None, host_key=server.host_key))
    attempt(server.settings(known_hosts=None, host_key=f"{server.host_key} comment"))


def test_an_unknown_host_key_stops_before_the_login(server: Sshd, tmp_path: Path) -> None:
    known = tmp_path / "known_hosts"
    known.write_text(f"other.example {server.host_key}\n", encoding="utf-8")
    with pytest.raises(HostKeyRefused) as caught:
        attempt(server.settings(known_hosts=known))
    assert seen(server) in str(caught.value)
    assert f"the file {known}" in str(caught.value)
    assert f"[127.0.0.1]:{server.port}" in str(caught.value)
    assert caught.value.target == "origin"
    assert no_login_was_tried(server)


def test_a_changed_host_key_stops_before_the_login(server: Sshd, tmp_path: Path) -> None:
    known = tmp_path / "known_hosts"
    known.write_text(f"[127.0.0.1]:{server.port} {public(keygen(tmp_path / 'old'))}\n", encoding="utf-8")
    with pytest.raises(HostKeyRefused, match="CHANGED") as caught:
        attempt(server.settings(known_hosts=known))
    assert seen(server) in str(caught.value)
    assert str(known) in str(caught.value)
    with pytest.raises(HostKeyRefused, match=r"CHANGED.*host_key of \[targets.origin\]"):
        attempt(server.settings(known_hosts=None, host_key=public(tmp_path / "old")))
    assert no_login_was_tried(server)


def test_without_any_configured_host_key_nothing_is_trusted(server: Sshd) -> None:
    with pytest.raises(HostKeyRefused, match=r"set host_key or known_hosts in \[targets.origin\]"):
        attempt(server.settings(known_hosts=None))
    assert no_login_was_tried(server)


def test_a_known_hosts_file_that_cannot_be_read_is_named(server: Sshd, tmp_path: Path) -> None:
    with pytest.raises(HostKeyRefused, match="nowhere"):
        attempt(server.settings(known_hosts=tmp_path / "nowhere"))
    with pytest.raises(HostKeyRefused, match="not a public key"):
        attempt(server.settings(host_key="ssh-ed25519 no"))


def test_the_key_that_is_known_is_asked_for_when_the_server_has_several(start_sshd: StartSshd, tmp_path: Path) -> None:
    more = [keygen(tmp_path / kind, kind) for kind in ("ecdsa", "rsa")]
    server = start_sshd(options=[f"HostKey {path}" for path in more])
    for path in more:
        attempt(server.settings(known_hosts=None, host_key=public(path)))


@pytest.mark.parametrize(
    ("kind", "more"), [("ed25519", ()), ("ecdsa", ("-b", "521")), ("rsa", ("-b", "3072")), ("rsa", ("-m", "PEM"))]
)
def test_every_modern_kind_of_key_logs_in(server: Sshd, tmp_path: Path, kind: str, more: tuple[str, ...]) -> None:
    key = keygen(tmp_path / "key", kind, "", *more)
    admit(server, key)
    attempt(server.settings(key=key))


def test_a_wrong_key_is_refused_after_one_try(server: Sshd, tmp_path: Path) -> None:
    key = keygen(tmp_path / "stranger")
    with pytest.raises(LoginRefused, match="authorized_keys") as caught:
        attempt(server.settings(key=key))
    assert str(key) in str(caught.value)
    assert server.accounts[0].user in str(caught.value)
    assert server.log.count("Failed publickey") == 1


def test_neither_an_agent_nor_other_keys_are_asked(server: Sshd, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = tmp_path / "home"
    (home / ".ssh").mkdir(parents=True)
    shutil.copy(server.accounts[0].key, home / ".ssh" / "id_ed25519")
    monkeypatch.setenv("HOME", str(home))
    agent = subprocess.run(["ssh-agent", "-s", "-a", tmp_path / "agent"], capture_output=True, text=True, check=True)
    pid = int(agent.stdout.split("SSH_AGENT_PID=")[1].split(";")[0])
    try:
        monkeypatch.setenv("SSH_AUTH_SOCK", str(tmp_path / "agent"))
        subprocess.run(["ssh-add", "-q", server.accounts[0].key], check=True)
        with pytest.raises(LoginRefused):
            attempt(server.settings(key=keygen(tmp_path / "stranger")))
    finally:
        os.kill(pid, signal.SIGTERM)
    assert server.log.count("Failed publickey") == 1


def test_an_account_without_keys_is_told_so(start_sshd: StartSshd) -> None:
    server = start_sshd(options=["PubkeyAuthentication no", "PasswordAuthentication yes"])
    with pytest.raises(LoginRefused, match=r"not log in by key, only by: password"):
        attempt(server.settings())


def test_a_server_that_wants_more_than_a_key_is_told_so(start_sshd: StartSshd) -> None:
    server = start_sshd(options=["PasswordAuthentication yes", "AuthenticationMethods publickey,password"])
    with pytest.raises(LoginRefused, match=r"wants more than a key.*password"):
        attempt(server.settings())


class Passphrase:
    def read(self, secret: Secret) -> str:
        assert secret.file is not None
        return secret.file.name


def test_a_passphrase_opens_the_key_and_is_never_shown(server: Sshd, tmp_path: Path) -> None:
    key = keygen(tmp_path / "key", "ed25519", "open sesame")
    admit(server, key)
    attempt(server.settings(key=key, key_password={"file": "open sesame"}), Passphrase())
    with pytest.raises(LoginRefused, match="the passphrase of key_password does not open it") as caught:
        attempt(server.settings(key=key, key_password={"file": "sesame, please"}), Passphrase())
    assert "sesame" not in str(caught.value)
    with pytest.raises(LoginRefused, match="have a passphrase; set key_password"):
        attempt(server.settings(key=key))


def test_a_key_file_that_cannot_be_used_is_named_with_the_remedy(server: Sshd, tmp_path: Path) -> None:
    good = keygen(tmp_path / "key")
    (tmp_path / "junk").write_text("junk", encoding="utf-8")
    for path, words in (
        (tmp_path / "nowhere", "No such file"),
        (tmp_path, "Is a directory"),
        (tmp_path / "junk", "not a private key"),
        (good.with_name("key.pub"), "not a private key"),
    ):
        with pytest.raises(LoginRefused, match=words) as caught:
            attempt(server.settings(key=path))
        assert str(path) in str(caught.value)


def test_dsa_keys_are_refused_in_words(server: Sshd, tmp_path: Path) -> None:
    for name, more in (("new", ()), ("pem", ("-m", "PEM"))):
        key = tmp_path / name
        made = subprocess.run(["ssh-keygen", "-q", "-t", "dsa", "-N", "", *more, "-f", key], check=False, capture_output=True)
        if made.returncode:
            pytest.skip("this ssh-keygen makes no DSA keys any more")
        with pytest.raises(LoginRefused, match="DSA keys are too weak"):
            attempt(server.settings(key=key))


@contextmanager
def listening(say: bytes) -> Iterator[int]:
    """A server that accepts, says this and nothing more."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        held: list[socket.socket] = []

        def accept() -> None:
            try:
                connection, _ = listener.accept()
                held.append(connection)
                connection.sendall(say)
            except OSError:
                pass

        thread = threading.Thread(target=accept)
        thread.start()
        try:
            yield int(listener.getsockname()[1])
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join()
            for connection in held:
                connection.close()


@pytest.mark.parametrize("say", [b"", b"SSH-2.0-OpenSSH_9.2\r\n"], ids=["no banner", "no key exchange"])
def test_a_server_that_stalls_is_given_up_in_time(server: Sshd, say: bytes) -> None:
    with listening(say) as port:
        began = time.monotonic()
        with pytest.raises(TargetUnreachable, match="handshake"):
            attempt(server.settings(port=port, connect_timeout=1))
        assert time.monotonic() - began < 12


def test_a_server_that_is_no_ssh_server_is_unreachable(server: Sshd) -> None:
    with listening(b"HTTP/1.1 400 Bad Request\r\n\r\n" * 200) as port, pytest.raises(TargetUnreachable, match="handshake"):
        attempt(server.settings(port=port, connect_timeout=2))


def test_nobody_listening_and_no_such_name_are_unreachable(server: Sshd) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        with pytest.raises(TargetUnreachable, match="cannot be reached"):
            attempt(server.settings(port=free.getsockname()[1]))
    with pytest.raises(TargetUnreachable, match="cannot be reached"):
        attempt(server.settings(host="no-such-host.invalid"))


def test_an_old_version_of_ssh_is_unfit(server: Sshd) -> None:
    with listening(b"SSH-1.5-old\r\n") as port, pytest.raises(TargetUnfit, match="too old"):
        attempt(server.settings(port=port, connect_timeout=2))


def test_old_algorithms_are_refused(start_sshd: StartSshd) -> None:
    server = start_sshd(options=["Ciphers aes256-cbc", "KexAlgorithms curve25519-sha256@libssh.org"])
    with pytest.raises(TargetUnfit, match="too old"):
        attempt(server.settings())


@pytest.mark.skipif(not IS_ROOT, reason="a chroot needs root")
def test_a_chroot_that_sshd_refuses_is_hinted_at(start_sshd: StartSshd) -> None:
    server = start_sshd(chroot=True)
    server.accounts[0].root.parent.chmod(0o777)
    with pytest.raises(TargetUnreachable, match="ChrootDirectory"):
        attempt(server.settings())


def test_a_connection_that_ended_while_nothing_was_done_is_replaced_silently(server: Sshd) -> None:
    disk = SftpDisk(server.settings(), target="origin")
    disk.list("")
    server.cut()
    time.sleep(0.3)
    assert disk.list("") == {}
    disk.close()


def test_closing_leaves_no_thread_no_file_and_no_server_process(server: Sshd) -> None:
    before = threading.active_count(), len(os.listdir("/proc/self/fd"))  # noqa: PTH208
    for _ in range(3):
        attempt(server.settings())
        with pytest.raises(HostKeyRefused):
            attempt(server.settings(known_hosts=None))
    for _ in range(100):
        # Paramiko's threads end by themselves a moment after their connection.
        if (threading.active_count(), len(os.listdir("/proc/self/fd"))) == before:  # noqa: PTH208
            break
        time.sleep(0.05)
    assert (threading.active_count(), len(os.listdir("/proc/self/fd"))) == before  # noqa: PTH208
    for _ in range(100):
        if not server.sessions():
            break
        time.sleep(0.05)
    assert server.sessions() == []


def test_a_failed_handshake_neither_logs_tracebacks_nor_holds_up_the_end_of_the_program(server: Sshd) -> None:
    with listening(b"SSH-2.0-stalls\r\n") as port:
        program = f"""
            import logging
            from config import SftpTarget
            from targets.sftp import SftpDisk
            logging.basicConfig(level="DEBUG")
            settings = SftpTarget(kind="sftp", host="127.0.0.1", port={port}, user="u", key="{server.accounts[0].key}", root="/",
                                  host_key="{server.host_key}", connect_timeout=1)
            try:
                SftpDisk(settings, target="t").list("")
            except Exception as error:
                print(type(error).__name__)
            """
        began = time.monotonic()
        done = subprocess.run(
            [sys.executable, "-c", textwrap.dedent(program)], capture_output=True, text=True, check=True, timeout=20
        )
    assert done.stdout == "TargetUnreachable\n"
    assert done.stderr == ""
    assert time.monotonic() - began < 10
