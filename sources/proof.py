"""A slip and the signature beside it: two documents that are read one after the other, and have to belong together."""

from collections.abc import Callable
from dataclasses import replace
from hashlib import sha256
from typing import BinaryIO, TypeVar

from packageslip import LONGEST_SIGNATURE, Digest, Packageslip, SignatureRefused, check_document, read_signature

_CHUNK = 1024 * 1024
Found = TypeVar("Found")


def read_together(read: Callable[[], Found]) -> Found:
    """Read both; once more if they do not belong together: the CMS may just be writing them."""
    try:
        return read()
    except SignatureRefused:
        return read()


def fingerprint(document: BinaryIO) -> tuple[Digest, int]:
    """Digest and size of the rest of a document, which can be read again afterwards."""
    whole, size = sha256(), 0
    start = document.tell()
    while chunk := document.read(_CHUNK):
        whole.update(chunk)
        size += len(chunk)
    document.seek(start)
    return whole.digest(), size


def check_signature(signature: bytes | None, digest: Digest, size: int, name: str) -> None:
    """Refuse a signature that cannot be read or is that of another document, before the document itself is looked into."""
    if signature is not None:
        signed = read_signature(signature[: LONGEST_SIGNATURE + 1], f"{name}.sig")
        check_document(digest, size, signed.statement, name)


def proven(slip: Packageslip, signature: bytes | None) -> Packageslip:
    """The slip with what came beside it."""
    return slip if signature is None else replace(slip, signature=signature)
