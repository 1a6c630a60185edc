"""A bucket in a dict, named a fake: the few verbs that a target sends, fast enough to stop an engine before each of them.

`test_s3_fake` holds its answers against those of the emulator.
"""

# Parameters are named as the library names them.
# ruff: noqa: N803

import hashlib
import io
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import ClientError

MOMENT = datetime(2026, 1, 2, tzinfo=UTC)

Look = Callable[[str, str], None]


@dataclass(frozen=True, slots=True)
class Kept:
    """One object."""

    body: bytes
    headers: dict[str, Any]

    @property
    def etag(self) -> str:
        return f'"{hashlib.md5(self.body).hexdigest()}"'


@dataclass
class MemoryService:
    """What all clients see."""

    objects: dict[str, Kept] = field(default_factory=dict)
    lock: threading.RLock = field(default_factory=threading.RLock)


@dataclass
class MemoryClient:
    """Stands in for a boto3 client. `look`: called before each request with its verb and key; it may wait, or raise."""

    service: MemoryService
    look: Look = lambda verb, key: None

    @property
    def _objects(self) -> dict[str, Kept]:
        return self.service.objects

    def get_object(self, Bucket: str, Key: str) -> dict[str, Any]:
        kept = self._find("get_object", Key)
        return {"Body": io.BytesIO(kept.body), "ETag": kept.etag, "ContentLength": len(kept.body), **kept.headers}

    def head_object(self, Bucket: str, Key: str) -> dict[str, Any]:
        kept = self._find("head_object", Key, "404")
        return {"ETag": kept.etag, "ContentLength": len(kept.body), **kept.headers}

    def _find(self, verb: str, key: str, code: str = "NoSuchKey") -> Kept:
        self.look(verb, key)
        if key not in self._objects:
            raise refusal(code, 404)
        return self._objects[key]

    def put_object(self, Bucket: str, Key: str, Body: bytes, ContentMD5: str, **given: Any) -> dict[str, Any]:
        self.look("put_object", Key)
        with self.service.lock:
            there, match = self._objects.get(Key), given.pop("IfMatch", None)
            if match and there is None:
                raise refusal("NoSuchKey", 404)
            if (match and there and there.etag != match) or (given.pop("IfNoneMatch", None) and there):
                raise refusal("PreconditionFailed", 412)
            self._objects[Key] = Kept(Body, with_type(given))
        return {"ETag": self._objects[Key].etag}

    def copy_object(self, Bucket: str, Key: str, CopySource: dict[str, str], **given: Any) -> dict[str, Any]:
        self.look("copy_object", Key)
        with self.service.lock:
            if CopySource["Key"] not in self._objects:
                raise refusal("NoSuchKey", 404)
            self._objects[Key] = self._objects[CopySource["Key"]]
        return {}

    def delete_object(self, Bucket: str, Key: str, IfMatch: str = "") -> dict[str, Any]:
        self.look("delete_object", Key)
        if IfMatch and Key not in self._objects:
            raise refusal("NoSuchKey", 404)
        if IfMatch and self._objects[Key].etag != IfMatch:
            raise refusal("PreconditionFailed", 412)
        self._objects.pop(Key, None)
        return {}

    def delete_objects(self, Bucket: str, Delete: dict[str, Any]) -> dict[str, Any]:
        for one in Delete["Objects"]:
            # No service promises that the objects of one request go together.
            self.look("delete_objects", one["Key"])
            self._objects.pop(one["Key"], None)
        return {}

    def list_objects_v2(
        self, Bucket: str, Prefix: str, Delimiter: str = "", MaxKeys: int = 1000, ContinuationToken: str = ""
    ) -> dict[str, Any]:
        self.look("list_objects_v2", Prefix)
        keys = sorted(key for key in self._objects if key.startswith(Prefix) and key > ContinuationToken)
        rest = {key: key[len(Prefix) :] for key in keys}
        folders = sorted({Prefix + below.partition("/")[0] + "/" for below in rest.values() if Delimiter and "/" in below})
        plain = [key for key in keys if not (Delimiter and "/" in rest[key])]
        page = plain[:MaxKeys]
        cut = len(page) < len(plain)
        return {
            "Contents": [{"Key": key, "Size": len(self._objects[key].body), "LastModified": MOMENT} for key in page],
            "CommonPrefixes": [{"Prefix": folder} for folder in folders],
            "IsTruncated": cut,
            **({"NextContinuationToken": page[-1]} if cut else {}),
            "ResponseMetadata": {"HTTPHeaders": {"date": "Fri, 02 Jan 2026 00:00:00 GMT"}},
        }

    def close(self) -> None:
        """Nothing is open."""


def with_type(given: dict[str, Any]) -> dict[str, Any]:
    headers = {name: value for name, value in given.items() if name in {"ContentType", "CacheControl", "Metadata"}}
    return {"ContentType": "binary/octet-stream", "Metadata": {}, **headers}


def refusal(code: str, status: int) -> ClientError:
    """A service's refusal, as the library raises it."""
    return ClientError({"Error": {"Code": code, "Message": code}, "ResponseMetadata": {"HTTPStatusCode": status}}, "Request")
