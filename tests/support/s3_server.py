"""A private S3 service for tests: moto's server, an emulator, as a process of its own on a free loopback port.

It checks no signatures and keeps objects in memory. What it is good for: the protocol's verbs, conditions and errors.
"""

import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from boto3.session import Session
from botocore.client import BaseClient
from botocore.config import Config

from config import S3Target, Secret
from support.mariadb import missing
from targets.s3 import BucketTarget, Sizes

PREFIX = "our/site"
SMALLEST_PART = 256
"""Bytes; Amazon's is 5 MiB, which would make tests of uploads in parts slow."""
PROGRAM = Path(__file__).with_name("s3_emulator.py")
_numbers = count(1)


@dataclass(frozen=True, slots=True)
class Words:
    """Secrets for tests: each is what its file's name says."""

    def read(self, secret: Secret, /) -> str:
        assert secret.file is not None
        return secret.file.name


@dataclass(frozen=True, slots=True)
class OneBucket:
    """A bucket, and the prefix in it that a target is given: a tree as its administrator sees it."""

    endpoint: str
    name: str
    client: BaseClient
    secrets: Words = field(default_factory=Words)

    def settings(self, **overrides: object) -> S3Target:
        fields: dict[str, object] = {
            "kind": "s3",
            "bucket": self.name,
            "prefix": PREFIX,
            "endpoint": self.endpoint,
            "path_style": True,
            "access_key": "tester",
            "secret_key": {"file": "/secret"},
            "parallel": 2,
        }
        return S3Target.model_validate(fields | overrides)

    def listing(self) -> list[str]:
        """Every key below the prefix, relative to it."""
        pages = self.client.get_paginator("list_objects_v2").paginate(Bucket=self.name, Prefix=f"{PREFIX}/")
        return [one["Key"][len(PREFIX) + 1 :] for page in pages for one in page.get("Contents", ())]

    def files(self) -> dict[str, bytes]:
        return {key: self.read(key) for key in self.listing() if not key.endswith("/")}

    def read(self, path: str) -> bytes:
        content: bytes = self.client.get_object(Bucket=self.name, Key=f"{PREFIX}/{path}")["Body"].read()
        return content

    def folders(self) -> set[str]:
        return {key[:at] for key in self.listing() for at in range(len(key)) if key[at] == "/"}

    def write(self, path: str, content: bytes) -> None:
        self.client.put_object(Bucket=self.name, Key=f"{PREFIX}/{path}", Body=content)

    def make_folder(self, path: str) -> None:
        """What consoles do: an empty object whose name ends with a slash."""
        self.write(f"{path}/", b"")

    def rename(self, path: str, to: str) -> None:
        source = {"Bucket": self.name, "Key": f"{PREFIX}/{path}"}
        self.client.copy_object(Bucket=self.name, Key=f"{PREFIX}/{to}", CopySource=source)
        self.client.delete_object(**source)

    def head(self, path: str) -> dict[str, object]:
        """What a visitor's HEAD is answered."""
        answer: dict[str, object] = self.client.head_object(Bucket=self.name, Key=f"{PREFIX}/{path}")
        return answer

    def links(self) -> dict[str, str]:
        """An object store has none."""
        return {}

    def link(self, path: str, to: str) -> None:
        raise NotImplementedError("objects have no links")

    def mode(self, path: str) -> int:
        raise NotImplementedError("objects have no modes")

    def modified(self, path: str) -> int:
        raise NotImplementedError("objects have no time of their own")


@dataclass(frozen=True, slots=True)
class S3Server:
    """The running emulator."""

    port: int
    client: BaseClient
    """The administrator's."""

    @property
    def endpoint(self) -> str:
        return endpoint_of(self.port)

    def new_bucket(self, endpoint: str | None = None) -> OneBucket:
        """An empty bucket. `endpoint`: what targets are told, if something stands in front of the server."""
        bucket = OneBucket(endpoint or self.endpoint, f"bucket-{os.getpid()}-{next(_numbers)}", self.client)
        bucket.client.create_bucket(Bucket=bucket.name)
        return bucket


def endpoint_of(port: int) -> str:
    return f"http://127.0.0.1:{port}"


def administrator(port: int) -> BaseClient:
    options = Config(
        s3={"addressing_style": "path"}, retries={"total_max_attempts": 1}, request_checksum_calculation="when_required"
    )
    return Session("admin", "admin", region_name="us-east-1").client("s3", endpoint_url=endpoint_of(port), config=options)


OpenBucket = Callable[..., BucketTarget]
"""open(sizes=None, **settings) -> a further target in the test's bucket, as another engine would have it."""


@pytest.fixture
def s3_bucket(s3_server: S3Server) -> OneBucket:
    """An empty bucket."""
    return s3_server.new_bucket()


@pytest.fixture
def open_s3(s3_bucket: OneBucket) -> Iterator[OpenBucket]:
    """Open targets in it; all are closed at the end."""
    opened: list[BucketTarget] = []

    def open_one(sizes: Sizes | None = None, **settings: object) -> BucketTarget:
        opened.append(BucketTarget("s3", s3_bucket.settings(**settings), s3_bucket.secrets, sizes))
        return opened[-1]

    yield open_one
    for target in opened:
        target.close()


def lying(bucket: OneBucket, start: str = "") -> list[str]:
    """Keys of the bucket's objects that begin so, without marks of folders."""
    return [key for key in bucket.listing() if key.startswith(start) and not key.endswith("/")]


def uploads(bucket: OneBucket) -> list[Any]:
    """Uploads in parts that nobody completed or cancelled."""
    return list(bucket.client.list_multipart_uploads(Bucket=bucket.name).get("Uploads", []))


@pytest.fixture(scope="session")
def s3_server() -> Iterator[S3Server]:
    """The emulator; starts at the first test that needs it."""
    try:
        import moto.server  # noqa: F401
    except ImportError:
        missing("moto is not installed: pip install 'moto[s3,server]'")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with tempfile.TemporaryFile() as log:
        command = [sys.executable, "-P", "-W", "ignore", str(PROGRAM), "-H", "127.0.0.1", "-p", str(port)]
        environment = os.environ | {"S3_UPLOAD_PART_MIN_SIZE": str(SMALLEST_PART)}
        process = subprocess.Popen(command, stdout=log, stderr=log, cwd=Path(tempfile.gettempdir()), env=environment)
        try:
            await_port(port, process)
            client = administrator(port)
            yield S3Server(port, client)
            client.close()
        finally:
            process.terminate()
            process.wait(30)


def await_port(port: int, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        assert process.poll() is None, "the emulator ended at its start"
        time.sleep(0.05)
    raise AssertionError("the emulator did not answer within a minute")
