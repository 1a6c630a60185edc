"""Canaries in every place for a secret, and a life that goes wrong in every way: none of them is found anywhere afterwards."""

import http.server
import threading
from base64 import b64encode
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from config.secrets import forms
from packageslip import build_slip, write_slip
from support.deployment import Deploy, Deployment, toml
from support.mariadb import Server

KINDS = ("database", "cms", "key", "s3", "sword", "purge", "webhook", "fastly", "alert", "mail")
CANARIES = {kind: f"Canary/{kind}+&\u00fcn'\"d %x=4711" for kind in KINDS}
"""Each with what URLs, quotes, JSON and base64 write differently."""
# The driver sends passwords as Latin-1 and the server was told this one in UTF-8: letters that differ would be refused.
CANARIES["database"] = CANARIES["database"].replace("\u00fc", "u")
CLOSED = "http://127.0.0.1:9"


@pytest.fixture
def echo(tmp_path: Path) -> Iterator[str]:
    """A CMS that sends back what it was sent: in addresses, in headers, in bodies."""
    folder = tmp_path / "cms"

    class Answerer(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            sent = self.headers.get("Authorization", "")
            file = folder / self.path.strip("/")
            if self.path.startswith("/redirect"):
                self.answer(302, b"", Location=f"https://evil.example/?{sent}&p={CANARIES['cms'].encode().hex()}")
            elif self.path.startswith("/broken"):
                self.answer(200, f"<packageslip>{sent} {CANARIES['cms']}</packageslip>".encode())
            elif self.path.startswith("/unknown"):
                name = CANARIES["cms"].replace("&", "&amp;").replace('"', "&quot;")
                self.answer(200, f'<packageslip xmlns="urn:slipway:packageslip:1" url="/unknown" state2="{name}"/>'.encode())
            elif not sent:
                self.answer(401, b"who?")
            else:
                self.answer(200, file.read_bytes()) if file.is_file() else self.answer(404, sent.encode())

        do_PURGE = do_POST = do_GET  # noqa: N815 - the library's names

        def answer(self, status: int, body: bytes, **headers: str) -> None:
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answerer)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    (folder / "a").mkdir(parents=True)
    (folder / "a" / "index.htm").write_text("hello")
    (folder / "a" / "packageslip.xml").write_bytes(write_slip(build_slip(folder / "a", "/a")))
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def account(mariadb_url: str, mariadb_server: Server) -> Iterator[str]:
    """The URL of the queue for an account with a canary for a password."""
    name = mariadb_url.rsplit("/", 1)[1]
    password = CANARIES["database"].replace("'", "''")
    mariadb_server.execute(f"CREATE USER canary@'%' IDENTIFIED BY '{password}'", f"GRANT ALL ON {name}.* TO canary@'%'")
    yield mariadb_server.url(name, "canary")
    mariadb_server.execute("DROP USER canary@'%'")


def configuration(folder: Path, url: str, cms: str) -> dict[str, Any]:
    def secret(kind: str) -> dict[str, str]:
        return {"file": str(folder / "secrets" / kind)}

    (folder / "www").mkdir()
    (folder / "secrets").mkdir()
    for kind, canary in CANARIES.items():
        (folder / "secrets" / kind).write_text(canary + "\n")
    return {
        "state_dir": str(folder / "state"),
        "log": {"level": "debug"},
        "queue": {"url": url, "password": secret("database"), "poll": 0.1},
        "retry": {"max_attempts": 1},
        "sources": {"cms": {"kind": "http", "url": cms, "username": "slipway", "password": secret("cms"), "retries": 0}},
        "targets": {
            "www": {"kind": "local", "root": str(folder / "www")},
            "far": {
                "kind": "sftp",
                "host": "127.0.0.1",
                "port": 9,
                "user": "slipway",
                "key": str(folder / "secrets" / "id"),
                "key_password": secret("key"),
                "host_key": "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBMZ3VP5mPiAPjZ0AyqgaHLXbl/JzQ3LhzhTBv0kTzwK",
                "root": "/srv",
            },
            "bucket": {
                "kind": "s3",
                "bucket": "b",
                "endpoint": CLOSED,
                "region": "r",
                "access_key": "AKIA",
                "secret_key": secret("s3"),
                "connect_timeout": 1,
            },
        },
        "archives": {
            "dspace": {
                "kind": "sword1",
                "deposits": {"default": f"{CLOSED}/deposit"},
                "service": f"{CLOSED}/service",
                "username": "u",
                "password": secret("sword"),
            }
        },
        "notices": {
            "cache": {"kind": "purge", "url": f"{cms}/redirect", "header": "X-Token", "token": secret("purge")},
            "hook": {"kind": "webhook", "url": f"{cms}/redirect", "secret": secret("webhook")},
            "fastly": {"kind": "fastly", "api": f"{cms}/redirect", "service": "s", "token": secret("fastly")},
        },
        "alerts": {
            "hook": {"kind": "webhook", "url": f"{cms}/redirect", "secret": secret("alert")},
            "mail": {
                "kind": "email",
                "port": 9,
                "username": "u",
                "password": secret("mail"),
                "sender": "a@example.edu",
                "recipients": ["b@example.edu"],
            },
        },
        "environments": {
            "STAGING": {
                "source": "cms",
                "origin": "www",
                "site": "https://www.example.edu",
                "notices": ["cache", "hook", "fastly"],
            },
            "FAR": {"source": "cms", "origin": "far"},
            "BUCKET": {"source": "cms", "origin": "bucket"},
            "DSPACE": {"source": "cms", "origin": "www", "retire": {"archive": "dspace"}},
        },
    }


def children(pid: int) -> Iterator[int]:
    yield pid
    for task in Path(f"/proc/{pid}/task").iterdir():
        for child in (task / "children").read_text().split():
            yield from children(int(child))


def processes(daemon: int) -> bytes:
    found = b""
    for pid in children(daemon):
        with suppress(FileNotFoundError):
            found += Path(f"/proc/{pid}/cmdline").read_bytes() + Path(f"/proc/{pid}/environ").read_bytes()
    return found


def dump(deployment: Deployment) -> str:
    tables = [
        row["t"]
        for row in deployment.rows("SELECT table_name AS t FROM information_schema.tables WHERE table_schema = DATABASE()")
    ]
    return "\n".join(f"{table}: {row}" for table in tables for row in deployment.rows(f"SELECT * FROM {table}"))


def leaks(text: str | bytes) -> list[str]:
    """Kinds of canaries that the text holds in any form."""
    plain = text.decode(errors="replace") if isinstance(text, bytes) else text
    whole = {kind: {*forms(canary), b64encode(f"slipway:{canary}".encode()).decode()} for kind, canary in CANARIES.items()}
    return sorted(kind for kind, found in whole.items() if any(form in plain for form in found))


def test_the_search_finds_every_form() -> None:
    canary = CANARIES["cms"]
    for said in (
        canary,
        repr(canary),
        b64encode(f"user:{canary}".encode()).decode(),
        b64encode(f"users:{canary}!".encode()).decode(),
    ):
        assert leaks(f"before {said} after") == ["cms"]


def test_no_secret_is_found_anywhere(deploy: Deploy, tmp_path: Path, account: str, mariadb_url: str, echo: str) -> None:
    folder = tmp_path / "installation"
    folder.mkdir()
    asked = configuration(folder, account, echo)
    deployment = deploy(folder / "config.toml", {**asked, "queue": {"url": mariadb_url}})
    deployment.config.write_text("\n".join(toml(asked)) + "\n")
    (folder / "secrets" / "id").write_text(
        "-----BEGIN OPENSSH PRIVATE KEY-----\n" + CANARIES["key"] + "\n-----END OPENSSH PRIVATE KEY-----\n"
    )
    (folder / "secrets" / "id").chmod(0o600)
    said: dict[str, str | bytes] = {}
    daemon = deployment.daemon()
    tasks = [deployment.insert(url, "STAGING") for url in ("/a", "/redirect", "/broken", "/unknown", "/missing")]
    tasks += [deployment.insert("/a", environment) for environment in ("FAR", "BUCKET")]
    for task in tasks[:5]:
        deployment.settled(task)
    said["processes"] = processes(daemon.pid)
    assert [deployment.task(task)["status"] for task in tasks[:5]] == ["SUCCEEDED", *["FAILED"] * 4]
    for words in (
        ["-vv", "doctor"],
        ["config", "show", "--json"],
        ["why", "/redirect"],
        ["queue", "show", str(tasks[1]), "--json"],
        ["-vv", "plan", "/redirect", "--to", "STAGING"],
        ["-vv", "notice", "test", "fastly", "--env", "STAGING"],
        ["-vv", "alert", "test", "hook"],
        ["audit", "list", "--json"],
    ):
        done = deployment.command(*words, check=False)
        said[" ".join(words)] = done.stdout + done.stderr
    deployment.stop()
    said["database"] = dump(deployment)
    config = deployment.config.read_text()
    deployment.config.write_text(config.replace('kind = "sword1"', 'kind = "sword9"').replace("poll = 0.1", 'poll = "much"'))
    done = deployment.command("config", "check", check=False)
    assert done.returncode == 4
    said["config check"] = done.stdout + done.stderr
    for file in folder.rglob("*"):
        if file.is_file() and "secrets" not in file.parts:
            said[str(file)] = file.read_bytes()
    found = {where: kinds for where, text in said.items() if (kinds := leaks(text))}
    assert not found
