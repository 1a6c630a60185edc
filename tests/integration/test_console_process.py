"""The console as a process: `slipway console`, and the daemon's child."""

import http.client
import re
import signal
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.daemon import CONFIG, LONGEST, Daemon
from support.deployment import eventually
from support.small_site import SLIPWAY, SmallSite


def ask(port: int, path: str, method: str = "GET", **headers: str) -> tuple[int, dict[str, str], str]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=LONGEST)
    connection.request(method, path, headers=headers)
    answer = connection.getresponse()
    found = answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read().decode()
    connection.close()
    return found


class Running:
    """A `slipway console` of the tests' own, at a free port."""

    def __init__(self, site: SmallSite, *arguments: str) -> None:
        self.stderr = site.folder / "console.err"
        with self.stderr.open("wb") as stderr:
            command = [str(SLIPWAY), "-c", str(site.config), "console", "--bind", "127.0.0.1:0", *arguments]
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=stderr)
        self.link: str = eventually(self._link, LONGEST, "a link")
        self.port = int(self.link.split(":")[2].split("/")[0])

    def _link(self) -> str | None:
        found = re.search(r"console at (\S+)", self.stderr.read_text())
        return found[1] if found else None

    def path(self) -> str:
        return "/" + self.link.split("/", 3)[3]


@pytest.fixture
def console(small_site: SmallSite) -> Iterator[Running]:
    running = Running(small_site)
    yield running
    running.process.kill()
    running.process.wait()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_printed_link_signs_in_once_and_a_signal_ends_it_cleanly(console: Running, number: signal.Signals) -> None:
    status, headers, _ = ask(console.port, console.path())
    assert (status, headers["location"]) == (303, "/")
    cookie = headers["set-cookie"].split(";")[0]
    assert "HttpOnly" in headers["set-cookie"]
    assert "SameSite=lax" in headers["set-cookie"]
    status, _, page = ask(console.port, "/", Cookie=cookie)
    assert (status, "STAGING" in page) == (200, True)
    assert ask(console.port, console.path())[0] == 401
    assert ask(console.port, "/")[0] == 303
    # A stream that stands open keeps nobody from ending.
    with socket.create_connection(("127.0.0.1", console.port)) as stream:
        stream.sendall(f"GET /live HTTP/1.1\r\nHost: localhost\r\nCookie: {cookie}\r\n\r\n".encode())
        assert b"200 OK" in stream.recv(4096)
        console.process.send_signal(number)
        assert console.process.wait(LONGEST) == 0
    assert console.stderr.read_text().count("signin?token=") == 1
    assert "Traceback" not in console.stderr.read_text()


def test_who_goes_away_in_the_middle_leaves_no_trace_in_the_log(console: Running) -> None:
    before = console.stderr.read_text()
    for _ in range(3):
        with socket.create_connection(("127.0.0.1", console.port), timeout=LONGEST) as visitor:
            visitor.sendall(b"POST /theme HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\ntheme=")
    # Answered after them, so they were noticed.
    assert ask(console.port, "/healthz")[0] == 200
    assert console.stderr.read_text() == before


def test_a_place_that_is_taken_is_said_so(console: Running, small_site: SmallSite) -> None:
    result = small_site.run("console", "--bind", f"127.0.0.1:{console.port}")
    assert result.exit_code == 4
    assert "cannot listen at" in result.stderr


def test_what_would_be_unsafe_does_not_start(small_site: SmallSite) -> None:
    result = small_site.run("console", "--bind", "0.0.0.0:0")
    assert result.exit_code == 4
    assert "nobody could sign in there" in result.stderr
    passwords = small_site.folder / "passwords"
    made = small_site.run("console", "password", "ann", "--role", "operator", stdin="a good password\n")
    passwords.write_text(made.stdout)
    passwords.chmod(0o644)
    small_site.config.write_text(small_site.config.read_text() + f'[console]\npasswords = "{passwords}"\n')
    result = small_site.run("console", "--bind", "127.0.0.1:0")
    assert result.exit_code == 4
    assert "can be read by everybody" in result.stderr


def test_lines_of_the_password_file_are_made_and_replaced(small_site: SmallSite) -> None:
    passwords = small_site.folder / "passwords"
    assert (
        "console.passwords is not set"
        in small_site.run("console", "password", "ann", "--write", stdin="a good password\n").stderr
    )
    small_site.config.write_text(small_site.config.read_text() + f'[console]\npasswords = "{passwords}"\n')
    for name, role, word in (
        ("ann", "viewer", "first password"),
        ("bob", "approver", "another one"),
        ("ann", "operator", "second one"),
    ):
        assert small_site.run("console", "password", name, "--role", role, "--write", stdin=word + "\n").exit_code == 0
    lines = passwords.read_text().splitlines()
    assert [line.split(":")[:2] for line in lines] == [["bob", "approver"], ["ann", "operator"]]
    assert passwords.stat().st_mode & 0o777 == 0o600
    assert "second one" not in passwords.read_text()
    assert "at least 8 characters" in small_site.run("console", "password", "eve", stdin="short\n").stderr
    assert "is no name" in small_site.run("console", "password", "e:ve", stdin="a good password\n").stderr


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[Daemon]:
    one = Daemon(tmp_path)
    one.config.write_text(CONFIG + 'console = { start = true, bind = "127.0.0.1:0" }\n')
    yield one
    one.stop()


def test_the_daemon_runs_its_console_and_ends_it(daemon: Daemon) -> None:
    daemon.start()
    port = console_of(daemon)
    assert ask(port, "/signin")[0] == 200
    daemon.send(signal.SIGTERM)
    assert daemon.ends() == 0
    assert "console process ended" in daemon.stderr
    with pytest.raises(ConnectionRefusedError):
        ask(port, "/signin")


def test_the_console_does_not_outlive_its_daemon(daemon: Daemon) -> None:
    daemon.start()
    port = console_of(daemon)
    daemon.send(signal.SIGKILL)
    daemon.ends()

    def gone() -> bool:
        try:
            ask(port, "/signin")
        except OSError:
            return True
        return False

    eventually(gone, LONGEST, "the console's end")


def console_of(daemon: Daemon) -> int:
    """The port of the daemon's console."""
    found = eventually(lambda: re.search(r"console at http://127\.0\.0\.1:(\d+)/", daemon.stderr), LONGEST, "a console")
    return int(found[1])
