"""The connection to an object store: a boto3 client made from the target's settings."""

from functools import lru_cache
from typing import Any, Protocol

from boto3.session import Session
from botocore import UNSIGNED
from botocore.client import BaseClient
from botocore.config import Config
from botocore.loaders import Loader
from botocore.session import Session as CoreSession

from config import S3Target, Secret
from targets.s3.bucket import content_md5

TRIES = 3
"""Of one request, with the library's own short pauses. Everything beyond belongs to the queue."""


class ReadsSecrets(Protocol):
    """Where a secret's value comes from."""

    def read(self, secret: Secret, /) -> str: ...


def connect(settings: S3Target, secrets: ReadsSecrets | None, *, anonymous: bool = False) -> BaseClient:
    """A client, which threads may share. It sends nothing yet. Raises SecretError.

    Checksums of the newer kind are sent only where an operation cannot do without: services other than Amazon's refuse them.
    What is uploaded carries a Content-MD5 instead, which all of them check.
    """
    secret = secrets.read(settings.secret_key) if secrets and settings.secret_key and not anonymous else None
    # A session of its own: the library's default one is not for several threads.
    core = CoreSession()
    core.register_component("data_loader", descriptions())
    access_key = settings.access_key if secret else None
    session = Session(access_key, secret, region_name=settings.region, botocore_session=core)
    options = Config(
        connect_timeout=settings.connect_timeout,
        read_timeout=settings.idle_timeout,
        retries={"mode": "standard", "total_max_attempts": TRIES},
        max_pool_connections=settings.parallel + 2,
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
        s3={"addressing_style": "path" if settings.path_style else "auto"},
        signature_version=UNSIGNED if anonymous else "s3v4",
    )
    verify = str(settings.ca_file) if settings.ca_file else None
    client = session.client("s3", endpoint_url=settings.endpoint, verify=verify, config=options)
    client.meta.events.register("before-call.s3.DeleteObjects", add_content_md5)
    return client


def add_content_md5(params: dict[str, Any], **_: object) -> None:
    """The one request that must carry a checksum. Older services know this one only, and the library sends a newer."""
    params["headers"]["Content-MD5"] = content_md5(params["body"])


@lru_cache(maxsize=1)
def descriptions() -> Loader:
    """The library's descriptions of services, which never change: read once for all workers, they cost 0.1 s and 10 MB each."""
    return Loader()
