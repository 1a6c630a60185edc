"""What an object is served with: its type, its caching, and our own words in its metadata."""

import hashlib
from collections.abc import Mapping
from typing import Any

from packageslip import Resource, View, ViewKind
from targets.contract import FilePut
from targets.s3.bucket import DIGEST, MODIFIED
from targets.s3.options import BucketOptions

VIEW_TYPES: Mapping[ViewKind, str] = {ViewKind.JSON: "application/json", ViewKind.FEED: "application/rss+xml"}


def headers_of(file: Resource | View, given: FilePut, cache_control: str | None) -> dict[str, Any]:
    """For the staged object; a copy takes them along."""
    metadata = {DIGEST: given.digest.hex()}
    if given.modified is not None:
        metadata[MODIFIED] = str(given.modified)
    kind = VIEW_TYPES[file.kind] if isinstance(file, View) else file.type
    return {"ContentType": kind, "Metadata": metadata, **({"CacheControl": cache_control} if cache_control else {})}


def slip_headers(slip: bytes, options: BucketOptions, *, public: bool = False) -> dict[str, Any]:
    """For the commit record, and for its public copy, which is served like the module's other files."""
    headers: dict[str, Any] = {"ContentType": "application/xml", "Metadata": {DIGEST: hashlib.sha256(slip).hexdigest()}}
    if public and options.acl:
        headers["ACL"] = options.acl
    if public and options.cache_control:
        headers["CacheControl"] = options.cache_control
    return headers
