"""What can go wrong with the content store.

StoreError
├── BlobMissing        it is not (or no longer) here: fetch it again
├── StoreFull          this machine's disk or quota is full: try again, a person may have made room
├── StoreHindered      the machine cannot do it for the moment (open files, memory, a read-only or faulty disk): try again
└── StoreUnwritable    the folder cannot be written (permissions, a file in its place): a person must act
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


class StoreHindered(StoreError):
    """The machine cannot use the store for the moment."""


class StoreUnwritable(StoreError):
    """The store's folder cannot be used."""
