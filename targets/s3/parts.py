"""An object made of parts: it appears whole when it is completed, or not at all."""

from collections.abc import Mapping
from types import TracebackType
from typing import Any, Self

import structlog

from targets.errors import TargetError
from targets.s3.bucket import Bucket

log = structlog.get_logger(__name__)


class Parts:
    """One upload in parts. Left without `complete`, it is cancelled, so that no hidden parts are paid for."""

    def __init__(self, bucket: Bucket, path: str, headers: Mapping[str, Any]) -> None:
        self._bucket, self._path, self._headers = bucket, path, headers
        self._upload = ""
        self._parts: list[dict[str, object]] = []

    def __enter__(self) -> Self:
        self._upload = self._bucket.call("create_multipart_upload", self._path, **self._headers)["UploadId"]
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if not self._upload:
            return
        try:
            self._bucket.call("abort_multipart_upload", self._path, UploadId=self._upload)
        except (TargetError, FileNotFoundError) as why:
            # The error that ended it matters more; reaping cancels what was left.
            log.warning("upload not cancelled", target=self._bucket.target, path=self._path, why=str(why))

    def add(self, verb: str, **given: object) -> None:
        """The next part: `upload_part` with its bytes, or `upload_part_copy` with its source."""
        number = len(self._parts) + 1
        answer = self._bucket.call(verb, self._path, UploadId=self._upload, PartNumber=number, **given)
        etag = answer["CopyPartResult"]["ETag"] if verb == "upload_part_copy" else answer["ETag"]
        self._parts.append({"PartNumber": number, "ETag": etag})

    def complete(self) -> None:
        self._bucket.call("complete_multipart_upload", self._path, UploadId=self._upload, MultipartUpload={"Parts": self._parts})
        self._upload = ""
