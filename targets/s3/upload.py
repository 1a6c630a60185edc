"""Staging one file: its bytes are checked on the way out, and by the service on arrival."""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, BinaryIO

from targets.contract import FilePut
from targets.errors import CorruptTransfer
from targets.s3.bucket import Bucket, content_md5
from targets.s3.parts import Parts
from targets.s3.sizes import Sizes


@dataclass(frozen=True, slots=True)
class Upload:
    """How files are staged in a bucket. `read_back`: read each again from there."""

    bucket: Bucket
    sizes: Sizes
    read_back: bool

    def stage(self, given: FilePut, path: str, headers: Mapping[str, Any]) -> None:
        """Put the file at this path. Raises CorruptTransfer; then nothing lies there."""
        with given.open() as stream:
            if given.size <= self.sizes.part:
                self._whole(given, path, headers, stream)
            else:
                self._in_parts(given, path, headers, stream)
        if self.read_back and self.bucket.digest(path) != (given.size, given.digest):
            self.bucket.delete(path)
            raise self._corrupt(given, "what was read back is something else")

    def _whole(self, given: FilePut, path: str, headers: Mapping[str, Any], stream: BinaryIO) -> None:
        content = read_full(stream, given.size + 1)
        if len(content) != given.size or hashlib.sha256(content).digest() != given.digest:
            raise self._corrupt(given, "its bytes are not those of its digest and size")
        self.bucket.write(path, content, headers)

    def _in_parts(self, given: FilePut, path: str, headers: Mapping[str, Any], stream: BinaryIO) -> None:
        size, digest = 0, hashlib.sha256()
        with Parts(self.bucket, path, headers) as parts:
            for content in pieces(stream, self.sizes.upload_part(given.size)):
                size += len(content)
                digest.update(content)
                if size > given.size:
                    break
                parts.add("upload_part", Body=content, ContentMD5=content_md5(content))
            if (size, digest.digest()) != (given.size, given.digest):
                raise self._corrupt(given, "its bytes are not those of its digest and size")
            parts.complete()

    def _corrupt(self, given: FilePut, why: str) -> CorruptTransfer:
        return CorruptTransfer(f"{self.bucket.target}: {given.path}: {why}", target=self.bucket.target)


def pieces(stream: BinaryIO, size: int) -> Iterator[bytes]:
    while content := read_full(stream, size):
        yield content


def read_full(stream: BinaryIO, size: int) -> bytes:
    """So many bytes, fewer only at the end: a raw stream may give less at a time."""
    parts: list[bytes] = []
    while size and (part := stream.read(size)):
        parts.append(part)
        size -= len(part)
    return b"".join(parts)
