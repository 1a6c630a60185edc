"""A fake SWORD archive for tests: strict where the specifications let it be, and failing on demand.

It is no DSpace. It was written from the SWORD 1.3 and 2.0 profiles and from what DSpace is known to answer; the client
`sword2` of the SWORD project can deposit in it. `/v1` and `/v2` have a service document and the collections `courses` and
`other`; `/v2/collection/NAME` is a feed of pages, `/v2/edit/N` an item's receipt, `/search?query=TEXT` a search feed. It
refuses wrong and missing headers, unknown packagings, wrong MD5s, packages that are no zip or too large, and, unless told not
to, a package that it has already, by its MD5, as DSpace's ingester of IMS packages does.

As a process, to be killed: `python tests/support/sword_http.py FOLDER --port 8080`; one that is started again on the same
folder has the same items. In tests: `sword_server.py`.
"""

import argparse
import base64
import contextlib
import hashlib
import json
import re
import socket
import struct
import sys
import tempfile
import threading
import zipfile
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from support.sword_archive import Archive, Fault, Item
from support.sword_documents import entry, error, feed, service

ACCOUNT = ("depositor", "correct horse")
PACKAGINGS = {
    "v1": {
        "http://purl.org/net/sword-types/METSDSpaceSIP",
        "http://purl.org/net/sword-types/bagit",
        "http://www.imsglobal.org/xsd/imscp_v1p1",
    },
    "v2": {
        "http://purl.org/net/sword/package/METSDSpaceSIP",
        "http://purl.org/net/sword/package/BagIt",
        "http://purl.org/net/sword/package/SimpleZip",
        "http://www.imsglobal.org/xsd/imscp_v1p1",
    },
}
COLLECTIONS = ("courses", "other")
_PREFIX = {"v1": "X-", "v2": ""}


@dataclass(frozen=True, slots=True)
class Rules:
    """How the archive behaves when nothing fails."""

    duplicates: bool = False
    """Whether it takes a package twice, so that only the client's own care keeps a second item away."""
    max_size: int = 64 * 1024 * 1024
    handle: str | None = "1721.1"
    """The prefix of its handles; None: reviewers give them later."""
    page: int = 3
    """Entries of a page of a feed."""
    mediation: bool = True
    """Whether deposits on behalf of others are allowed."""
    empty_receipts: bool = False


class Refused(Exception):
    """An error document: status, the last part of its URI, and its words."""

    def __init__(self, status: int, kind: str, summary: str) -> None:
        self.status, self.kind, self.summary = status, kind, summary
        super().__init__(summary)


class ArchiveServer(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    allow_reuse_address = True

    def __init__(self, address: tuple[str, int], archive: Archive, rules: Rules) -> None:
        self.archive, self.rules = archive, rules
        self.ended = threading.Event()
        self._open: set[socket.socket] = set()
        super().__init__(address, _Answerer)

    def process_request(self, request: socket.socket, client_address: object) -> None:  # type: ignore[override]
        self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: socket.socket) -> None:  # type: ignore[override]
        self._open.discard(request)
        super().shutdown_request(request)

    def end(self) -> None:
        self.ended.set()
        self.shutdown()
        for connection in list(self._open):
            reset(connection)
        self.server_close()

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that goes away is part of the tests."""


def reset(connection: socket.socket) -> None:
    """Cut a connection as a server does that dies: the client gets a reset."""
    with contextlib.suppress(OSError):
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.shutdown(socket.SHUT_RDWR)
        connection.close()


class _Answerer(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: ArchiveServer

    def do_GET(self) -> None:
        path, query = urlsplit(self.path).path, parse_qs(urlsplit(self.path).query)
        try:
            if not path.startswith("/search"):
                self._let_in()
            document = self._document(path, query)
        except Refused as refused:
            self._refuse("v1" if path.startswith("/v1") else "v2", refused)
        else:
            self._send(200, document)

    def do_POST(self) -> None:
        version = "v1" if self.path.startswith("/v1/") else "v2"
        try:
            self._deposit(version)
        except Refused as refused:
            self._refuse(version, refused)
        except (ConnectionError, TimeoutError):
            self.close_connection = True

    def _deposit(self, version: str) -> None:
        self._let_in()
        collection = self._collection(version)
        size = self._headers(version)
        with tempfile.NamedTemporaryFile(dir=self.server.archive.folder, delete=False) as file:
            package = Path(file.name)
            md5 = self._receive(file, size)
        try:
            self._check(package, md5)
            fault = self.server.archive.take_fault()
            self._fail(fault, "before")
            item = self.server.archive.keep(self._item(version, collection, package, md5, size), package)
            self._fail(fault, "after")
        finally:
            package.unlink(missing_ok=True)
        place = f"/v2/edit/{item.number}" if version == "v2" else f"/v1/item/{item.number}"
        receipt = b"" if self.server.rules.empty_receipts else entry(item, version, self._base()).encode()
        half = fault is not None and fault.what == "half"
        self._send(201, receipt, {"Location": f"{self._base()}{place}"}, half=half)

    def _let_in(self) -> None:
        token = base64.b64encode(":".join(ACCOUNT).encode()).decode()
        if self.headers.get("Authorization") != f"Basic {token}":
            raise Refused(401, "", "who are you?")

    def _collection(self, version: str) -> str:
        pattern = r"/v1/deposit/(\w+)" if version == "v1" else r"/v2/collection/(\w+)"
        found = re.fullmatch(pattern, self.path)
        if not found or found[1] not in COLLECTIONS:
            raise Refused(404, "", "there is no such collection")
        return found[1]

    def _headers(self, version: str) -> int:
        """Whether all that the profile wants is there, and nothing of the other version's. The length of the body."""
        wrong, right = _PREFIX["v1" if version == "v2" else "v2"], _PREFIX[version]
        for name in ("Packaging", "On-Behalf-Of"):
            if wrong + name in self.headers:
                raise Refused(400, "ErrorBadRequest", f"{wrong + name} is no header of this version")
        if not self.headers.get("Content-Length", "").isdecimal():
            raise Refused(411, "", "Content-Length is missing")
        size = int(self.headers["Content-Length"])
        if self.headers.get_content_type() != "application/zip":
            raise Refused(415, "ErrorContent", f"{self.headers.get('Content-Type')} is not accepted here")
        if self.headers.get(f"{right}Packaging") not in PACKAGINGS[version]:
            raise Refused(415, "ErrorContent", f"unknown packaging {self.headers.get(right + 'Packaging')}")
        if not re.fullmatch(r"[0-9a-f]{32}", self.headers.get("Content-MD5", "")):
            raise Refused(400, "ErrorBadRequest", "Content-MD5 is missing, or not in hexadecimal")
        self._name(version)
        if f"{right}On-Behalf-Of" in self.headers and not self.server.rules.mediation:
            raise Refused(412, "MediationNotAllowed", "no deposits on behalf of others")
        if version == "v2" and self.headers.get("In-Progress", "false") != "false":
            raise Refused(400, "ErrorBadRequest", "this archive takes finished deposits only")
        if size > self.server.rules.max_size:
            raise Refused(413, "MaxUploadSizeExceeded", f"at most {self.server.rules.max_size} bytes")
        return size

    def _name(self, version: str) -> str:
        shape = r"filename=([\w.-]+)" if version == "v1" else r"attachment; filename=([\w.-]+)"
        found = re.fullmatch(shape, self.headers.get("Content-Disposition", ""))
        if not found:
            raise Refused(400, "ErrorBadRequest", f"Content-Disposition must be {shape}")
        return found[1]

    def _receive(self, file: "tempfile._TemporaryFileWrapper[bytes]", size: int) -> str:
        digest, left = hashlib.md5(), size
        while left:
            chunk = self.rfile.read(min(left, 65536))
            if not chunk:
                raise ConnectionResetError
            digest.update(chunk)
            file.write(chunk)
            left -= len(chunk)
        return digest.hexdigest()

    def _check(self, package: Path, md5: str) -> None:
        if md5 != self.headers["Content-MD5"]:
            raise Refused(412, "ErrorChecksumMismatch", f"what came has the MD5 {md5}")
        if not zipfile.is_zipfile(package):
            raise Refused(415, "ErrorContent", "this is no zip")
        if not self.server.rules.duplicates and any(item.md5 == md5 for item in self.server.archive.items()):
            there = next(item for item in self.server.archive.items() if item.md5 == md5)
            raise Refused(409, "Duplicate", f"Duplicate: it is http://hdl.handle.net/{there.handle}")

    def _item(self, version: str, collection: str, package: Path, md5: str, size: int) -> Item:
        names = [f"md5:{md5}", *identifiers_in(package)]
        if slug := self.headers.get("Slug"):
            names.append(unquote(slug))
        headers = {name: value for name, value in self.headers.items() if name != "Authorization"}
        return Item(0, collection, md5, size, self._name(version), self.server.rules.handle, names, headers)

    def _fail(self, fault: Fault | None, when: str) -> None:
        if fault is None or fault.when != when:
            return
        if fault.what in {"slow", "hang"}:
            self.server.ended.wait(fault.seconds or 3600)
        if fault.what in {"cut", "hang"}:
            reset(self.connection)
            raise ConnectionResetError
        if fault.what == "status":
            extra = {"Retry-After": fault.retry_after} if fault.retry_after else {}
            self._send(fault.status, fault.body.encode(), extra)
            raise ConnectionAbortedError

    def _document(self, path: str, query: dict[str, list[str]]) -> bytes:
        if found := re.fullmatch(r"/(v[12])/servicedocument", path):
            return service(found[1], self._base(), PACKAGINGS[found[1]], COLLECTIONS).encode()
        if found := re.fullmatch(r"/v2/collection/(\w+)", path):
            items = [item for item in self.server.archive.items() if item.collection == found[1]]
            return feed(path, items, self._base(), self.server.rules.page, int(query.get("page", ["0"])[0])).encode()
        if found := re.fullmatch(r"/(v2/edit|v1/item)/(\d+)", path):
            return entry(self.server.archive.items()[int(found[2]) - 1], "v2", self._base()).encode()
        if path == "/search":
            wanted = query.get("query", [""])[0]
            items = [item for item in self.server.archive.items() if wanted in item.identifiers]
            return feed(path, items, self._base(), self.server.rules.page, 0).encode()
        if path == "/page":
            return b"<!DOCTYPE html><html/>"
        raise Refused(404, "", "there is nothing here")

    def _refuse(self, version: str, refused: Refused) -> None:
        document = error(version, refused.kind, refused.summary)
        challenge = {"WWW-Authenticate": 'Basic realm="archive"'} if refused.status == 401 else {}
        self._send(refused.status, document.encode(), challenge)

    def _send(self, status: int, body: bytes, headers: dict[str, str] | None = None, *, half: bool = False) -> None:
        self.server.archive.note({"method": self.command, "path": self.path, "status": status})
        self.close_connection = True
        self.send_response_only(status)
        for name, value in {
            "Content-Type": "application/atom+xml",
            "Content-Length": str(len(body)),
            "Connection": "close",
            **(headers or {}),
        }.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body[: len(body) // 2] if half else body)

    def _base(self) -> str:
        return f"http://127.0.0.1:{self.server.server_address[1]}"

    def log_message(self, *_args: object) -> None:
        """The log is in the folder."""


def identifiers_in(package: Path) -> list[str]:
    """What an ingester would find in a package: an IMS manifest's MD5 and entries, and identifiers in METS."""
    with zipfile.ZipFile(package) as archive:
        names = set(archive.namelist())
        if "imsmanifest.xml" in names:
            manifest = archive.read("imsmanifest.xml")
            return [f"IMSCP-MD5-{hashlib.md5(manifest).hexdigest()}", *re.findall(r"<lom:entry>([^<]+)<", manifest.decode())]
        if "mets.xml" in names:
            return re.findall(r"<(?:\w+:)?identifier[^>]*>([^<]+)<", archive.read("mets.xml").decode())
    return []


def main() -> None:
    """Serve until somebody ends the process."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--rules", type=json.loads, default={})
    arguments = parser.parse_args()
    server = ArchiveServer(("127.0.0.1", arguments.port), Archive(arguments.folder), Rules(**arguments.rules))
    new = arguments.folder / "port.new"
    new.write_text(str(server.server_address[1]))
    new.rename(arguments.folder / "port")
    server.serve_forever()


if __name__ == "__main__":
    main()
