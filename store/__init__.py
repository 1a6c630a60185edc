"""The content store: files kept by their SHA-256, fetched once, published many times."""

from store.errors import BlobMissing, StoreError, StoreFull, StoreHindered, StoreUnwritable
from store.incoming import Incoming
from store.store import Collected, Store

__all__ = ["BlobMissing", "Collected", "Incoming", "Store", "StoreError", "StoreFull", "StoreHindered", "StoreUnwritable"]
