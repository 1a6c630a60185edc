"""The calls to an object store that publishing is made of. Paths are relative to the target's prefix, parts joined by "/"."""

import base64
import hashlib
import io
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any, BinaryIO

from botocore.client import BaseClient
from botocore.exceptions import ClientError

from packageslip import Digest
from targets.disk import Entry, EntryType
from targets.errors import PermanentTargetError
from targets.s3.faults import as_target_errors
from targets.s3.spread import each

CHUNK = 1024 * 1024
DIGEST, MODIFIED = "sha256", "mtime"
"""Our two words in an object's metadata: its digest in hex, and its time in seconds since the epoch, as rclone writes it."""


@dataclass(frozen=True, slots=True)
class Listed:
    """One object as a listing shows it; `modified`: seconds since the epoch, by the service's clock."""

    path: str
    size: int
    modified: float


@dataclass(frozen=True, slots=True)
class Seen:
    """One object as HEAD shows it. `digest`: what its metadata says, None for a stranger's; `headers`: to give to a copy."""

    size: int
    etag: str
    digest: Digest | None
    headers: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Bucket:
    """One prefix of one bucket. Implements `Readable`. Its client may be shared by threads.

    Every call raises TargetError's kinds; FileNotFoundError and Conflict where said.
    """

    target: str
    client: BaseClient
    name: str
    prefix: str
    threads: int = 8

    def key(self, path: str) -> str:
        return f"{self.prefix}/{path}" if self.prefix else path

    def start(self, folder: str) -> str:
        """What the keys in a folder begin with; "" is the target's whole prefix."""
        return "/".join([*filter(None, (self.prefix, folder)), ""])

    def call(self, verb: str, path: str, **given: object) -> Any:  # noqa: ANN401 - each verb answers in a form of its own
        """One request for one object. Raises FileNotFoundError, Conflict."""
        with as_target_errors(self.target, f"{verb.replace('_', ' ')} {self.key(path)}"):
            return getattr(self.client, verb)(Bucket=self.name, Key=self.key(path), **given)

    def read(self, path: str) -> bytes:
        return self.read_tagged(path)[0]

    def read_tagged(self, path: str) -> tuple[bytes, str]:
        """A small object's bytes and its ETag. Raises FileNotFoundError."""
        answer = self.call("get_object", path)
        with as_target_errors(self.target, f"read {self.key(path)}"):
            return answer["Body"].read(), answer["ETag"]

    def open(self, path: str) -> BinaryIO:
        """A stream. Raises FileNotFoundError."""
        return io.BufferedReader(Body(self.target, self.key(path), self.call("get_object", path)["Body"]), CHUNK)

    def digest(self, path: str) -> tuple[int, Digest] | None:
        """Size and SHA-256 of an object, read in full; None where there is none."""
        try:
            stream = self.open(path)
        except FileNotFoundError:
            return None
        size, digest = 0, hashlib.sha256()
        with stream:
            while chunk := stream.read(CHUNK):
                size += len(chunk)
                digest.update(chunk)
        return size, digest.digest()

    def look(self, path: str) -> Seen | None:
        """What HEAD says; None where there is no object."""
        try:
            answer = self.call("head_object", path)
        except FileNotFoundError:
            return None
        headers = {name: answer[name] for name in ("ContentType", "CacheControl", "Metadata") if answer.get(name)}
        return Seen(answer["ContentLength"], answer["ETag"], digest_in(answer.get("Metadata", {})), headers)

    def write(self, path: str, content: bytes, headers: Mapping[str, Any] | None = None, **condition: str) -> str:
        """Put a small object; its ETag. The service checks the bytes. Raises Conflict if the condition is not met."""
        answer = self.call("put_object", path, Body=content, ContentMD5=content_md5(content), **(headers or {}), **condition)
        return str(answer["ETag"])

    def delete(self, path: str, **condition: str) -> None:
        """Remove an object; that it is not there is as good. Raises Conflict if the condition is not met."""
        with suppress(FileNotFoundError):
            self.call("delete_object", path, **condition)

    def remove(self, paths: Sequence[str]) -> None:
        """Remove at most 1,000 objects, in one request where the service knows how, else one by one."""
        one_by_one = len(paths) == 1
        try:
            if not one_by_one:
                self._remove(paths)
        except PermanentTargetError:
            # Some services have no such request, or refuse the form of its checksum. What is truly wrong shows again below.
            one_by_one = True
        if one_by_one:
            each(self.delete, paths, self.threads)

    def _remove(self, paths: Sequence[str]) -> None:
        what = f"delete {len(paths)} objects from {self.name}"
        with as_target_errors(self.target, what):
            objects = [{"Key": self.key(path)} for path in paths]
            answer = self.client.delete_objects(Bucket=self.name, Delete={"Objects": objects, "Quiet": True})
            for refused in answer.get("Errors", ()):
                raise ClientError({"Error": refused, "ResponseMetadata": {}}, "DeleteObjects")

    def list(self, folder: str) -> Mapping[str, Entry]:
        """Names in a folder. Raises FileNotFoundError if no key begins with it."""
        start = self.start(folder)
        found: dict[str, Entry] = {}
        marked = False
        for page in self._pages(start, Delimiter="/"):
            for below in page.get("CommonPrefixes", ()):
                found[below["Prefix"][len(start) : -1]] = Entry(EntryType.FOLDER, 0, 0)
            for listed in page.get("Contents", ()):
                marked = marked or listed["Key"] == start
                modified = int(listed["LastModified"].timestamp())
                found[listed["Key"][len(start) :]] = Entry(EntryType.FILE, listed["Size"], modified)
        found.pop("", None)
        if not found and not marked:
            raise FileNotFoundError(f"{self.target}: nothing lies in {start}")
        return found

    def below(self, folder: str) -> Iterator[Listed]:
        """Every object in a folder and in those below it, by key; "" is the target's whole prefix."""
        root = len(self.start(""))
        for page in self._pages(self.start(folder)):
            for listed in page.get("Contents", ()):
                if not listed["Key"].endswith("/"):
                    yield Listed(listed["Key"][root:], listed["Size"], listed["LastModified"].timestamp())

    def _pages(self, start: str, **given: str) -> Iterator[dict[str, Any]]:
        following: dict[str, str] = {}
        while True:
            with as_target_errors(self.target, f"list {self.name}/{start}"):
                page = self.client.list_objects_v2(Bucket=self.name, Prefix=start, **given, **following)
            yield page
            if not page.get("IsTruncated"):
                return
            following = {"ContinuationToken": page["NextContinuationToken"]}

    def uploads(self, folder: str) -> Iterator[tuple[str, str, float]]:
        """Uploads in parts under way in a folder: path, id, begun when."""
        root, following = len(self.start("")), dict[str, str]()
        while True:
            with as_target_errors(self.target, f"list uploads to {self.name}"):
                page = self.client.list_multipart_uploads(Bucket=self.name, Prefix=self.start(folder), **following)
            for upload in page.get("Uploads", ()):
                yield upload["Key"][root:], upload["UploadId"], upload["Initiated"].timestamp()
            if not page.get("IsTruncated"):
                return
            following = {"KeyMarker": page["NextKeyMarker"], "UploadIdMarker": page["NextUploadIdMarker"]}

    def clock(self) -> float:
        """What time the service thinks it is: clocks of two machines are never compared."""
        with as_target_errors(self.target, f"list {self.name}"):
            page = self.client.list_objects_v2(Bucket=self.name, Prefix=self.start(""), MaxKeys=1)
        said: datetime = parsedate_to_datetime(page["ResponseMetadata"]["HTTPHeaders"]["date"])
        return said.timestamp()


class Body(io.RawIOBase):
    """The bytes of an object as they come, with the library's errors as ours."""

    def __init__(self, target: str, key: str, body: Any) -> None:  # noqa: ANN401 - the library has no type for it
        self._target, self._key, self._body = target, key, body

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:  # noqa: ANN401 - io wants any buffer
        with as_target_errors(self._target, f"read {self._key}"):
            chunk = self._body.read(len(buffer))
        buffer[: len(chunk)] = chunk
        return len(chunk)

    def close(self) -> None:
        if not self.closed:
            self._body.close()
        super().close()


def digest_in(metadata: Mapping[str, str]) -> Digest | None:
    """The digest that our metadata name; None for an object that is not ours."""
    try:
        digest = bytes.fromhex(metadata.get(DIGEST, ""))
    except ValueError:
        return None
    return digest if len(digest) == hashlib.sha256().digest_size else None


def content_md5(content: bytes) -> str:
    """The header's value: a check against damage on the way, not against anybody's intent."""
    return base64.b64encode(hashlib.md5(content, usedforsecurity=False).digest()).decode()
