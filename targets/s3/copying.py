"""Copies on the server: how a staged object becomes visible, whole and in one step."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from targets.s3.bucket import Bucket
from targets.s3.parts import Parts
from targets.s3.sizes import Sizes


@dataclass(frozen=True, slots=True)
class Copying:
    """How objects are copied in a bucket. `acl`: a canned one for the copy; a copy does not take its source's along."""

    bucket: Bucket
    sizes: Sizes
    acl: str | None = None
    still: Callable[[], None] = lambda: None
    """Asked last before a copy in parts appears: it raises if the copy must not be made any more."""

    def copy(self, path: str, to: str, size: int) -> None:
        """Copy an object of this size, with its type and metadata. Raises FileNotFoundError if it is not there."""
        if size <= self.sizes.copied:
            self.bucket.call("copy_object", to, CopySource=self._source(path), **self._acl)
        else:
            self._in_parts(path, to)

    def _in_parts(self, path: str, to: str) -> None:
        seen = self.bucket.look(path)
        if seen is None:
            raise FileNotFoundError(f"{self.bucket.target}: {path} is not there")
        step = self.sizes.copy_part(seen.size)
        with Parts(self.bucket, to, {**seen.headers, **self._acl}) as parts:
            for start in range(0, seen.size, step):
                last = min(start + step, seen.size) - 1
                parts.add(
                    "upload_part_copy",
                    CopySource=self._source(path),
                    CopySourceRange=f"bytes={start}-{last}",
                    CopySourceIfMatch=seen.etag,
                )
            self.still()
            parts.complete()

    def _source(self, path: str) -> Mapping[str, str]:
        return {"Bucket": self.bucket.name, "Key": self.bucket.key(path)}

    @property
    def _acl(self) -> Mapping[str, str]:
        return {"ACL": self.acl} if self.acl else {}
