"""Who is told when something happened: caches, other systems, people."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from config.section import Secret, Section, Selection


class _Notice(Section):
    modules: Selection = Selection()
    """Which modules it is told about."""
    timeout: float = Field(default=30, gt=0)
    """Seconds for one request."""
    ca_file: Path | None = None
    """Certificates to trust instead of the system's."""


class PurgeNotice(_Notice):
    """A cache that drops a URL when it is asked to by the HTTP method PURGE."""

    kind: Literal["purge"]
    url: str | None = None
    """The cache's own URL; module URLs are appended. Default: the environment's `site`, whose host is sent in any case."""
    soft: bool = False
    """Mark as stale, instead of dropping: by the header Fastly-Soft-Purge."""
    header: str | None = None
    """A header that carries the token, such as X-Purge-Token."""
    token: Secret | None = None
    """The token."""


class FastlyNotice(_Notice):
    """A content delivery network that drops what carries a surrogate key, by the form of Fastly's API."""

    kind: Literal["fastly"]
    api: str = "https://api.fastly.com"
    """The API's URL."""
    service: str
    """The service's id."""
    token: Secret
    """The API token."""
    soft: bool = True
    """Mark as stale, instead of dropping."""
    classes: dict[str, Selection] = Field(default_factory=dict)
    """Further keys, and the modules that each of them is purged for, such as courses, images, styles."""


class WebhookNotice(_Notice):
    """Another system that wants to know, by a signed POST."""

    kind: Literal["webhook"]
    url: str
    """Where to post."""
    secret: Secret
    """The key of the signature (HMAC-SHA256 over timestamp, a dot, and the body)."""


NoticeSettings = Annotated[PurgeNotice | FastlyNotice | WebhookNotice, Field(discriminator="kind")]


class _Alert(Section):
    on: tuple[Literal["failed", "held", "overdue", "breaker"], ...] = ("failed", "held", "overdue", "breaker")
    """What is told."""
    overdue: float = Field(default=900, gt=0)
    """Seconds after which a task that could run counts as overdue."""
    environments: tuple[str, ...] = ()
    """Which environments; none: all."""
    timeout: float = Field(default=30, gt=0, le=100)
    """Seconds for one request or one step of a mail."""
    ca_file: Path | None = None
    """Certificates to trust instead of the system's."""


class WebhookAlert(_Alert):
    """Alerts by a signed POST."""

    kind: Literal["webhook"]
    url: str
    """Where to post."""
    secret: Secret | None = None
    """The key of the signature (HMAC-SHA256 over timestamp, a dot, and the body). Default: not signed."""


class EmailAlert(_Alert):
    """Alerts by e-mail."""

    kind: Literal["email"]
    host: str = "localhost"
    """The mail server."""
    port: int = Field(default=25, ge=1, le=65535)
    """Its port."""
    tls: Literal["none", "starttls", "tls"] = "none"
    """How the connection is protected."""
    username: str | None = None
    """The account."""
    password: Secret | None = None
    """The account's password."""
    sender: str
    """The address it comes from."""
    recipients: tuple[str, ...] = Field(min_length=1)
    """Who gets it."""


AlertSettings = Annotated[WebhookAlert | EmailAlert, Field(discriminator="kind")]
