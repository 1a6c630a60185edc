"""What can go wrong with the content store.

StoreError
├── BlobMissing        it is not (or no longer) here: fetch it again
├── StoreFull          this machine's disk or quota is full: a person must make room
└── StoreUnwritable    the folder cannot be written (permissions, read-only): a person must act
"""


class StoreError(Exception):
    """Something about the content store; the message names the folder and the remedy."""


class BlobMissing(StoreError):
    """No blob has this digest; `digest` is the 32 bytes."""

    def __init__(self, digest: bytes) -> None:
        self.digest = digest
        super().__init__(f"the content store does not have sha256:{digest.hex()}; it is fetched again when it is needed")


class StoreFull(StoreError):
    """No room for another blob."""


class StoreUnwritable(StoreError):
    """The store's folder cannot be used."""
