"""Where slips and bytes come from, and where they go."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from config.section import Secret, Section, Selection
from config.signatures import SignatureSettings


class HttpSource(Section):
    """A CMS over HTTP: <url>/<module url>/packageslip.xml, and its files beside it."""

    kind: Literal["http"]
    url: str
    """The base URL. Redirects to any other origin are refused."""
    catalogue: str = "/packageslips.xml"
    """Path of the document that lists the modules."""
    username: str | None = None
    """Basic authentication: the account."""
    password: Secret | None = None
    """Basic authentication: the password."""
    connect_timeout: float = Field(default=10, gt=0)
    """Seconds to connect."""
    read_timeout: float = Field(default=60, gt=0)
    """Seconds without a byte."""
    total_timeout: float = Field(default=3600, gt=0)
    """Seconds for one file in all."""
    min_rate: float = Field(default=1024, ge=0)
    """Bytes a second, over 30 s, under which a transfer is given up; 0: never."""
    retries: int = Field(default=2, ge=0)
    """Requests repeated at once after a transient answer, before the task itself is retried."""
    max_retry_after: float = Field(default=120, ge=0)
    """The longest Retry-After that is waited for inside a task, in seconds."""
    parallel: int = Field(default=8, ge=1, le=256)
    """Requests under way at once for each engine, so that a frail CMS survives."""
    max_file_bytes: int = Field(default=64 * 1024**3, ge=1)
    """The largest file that is accepted."""
    ca_file: Path | None = None
    """Certificates to trust instead of the system's."""
    signatures: SignatureSettings | None = None
    """Who must have signed its slips. Default: nobody is asked."""


class DirectorySource(Section):
    """A folder that mirrors the site: <path>/<module url>/packageslip.xml beside the module's files."""

    kind: Literal["directory"]
    path: Path
    """The folder."""
    build_slips: bool = False
    """Make a slip on the fly for a folder that has none."""
    signatures: SignatureSettings | None = None
    """Who must have signed its slips. Default: nobody is asked."""


SourceSettings = Annotated[HttpSource | DirectorySource, Field(discriminator="kind")]


class LaidOut(Section):
    """How modules lie on a target with a file tree."""

    layout: Literal["ordered", "versioned"] = "ordered"
    """`ordered`: file by file, pages last; `versioned`: a whole tree for each release, behind a symbolic link."""
    versioned_modules: Selection = Selection()
    """Which modules are versioned, where that is the layout. A versioned module has no modules below it."""
    keep_releases: int = Field(default=5, ge=1, le=1000)
    """Releases of a versioned module that stay on the target, the live one included: what can be gone back to at once."""
    releases: str = ".slipway-releases"
    """Where they lie: a folder in the root, which the web server must be able to read."""


class PlacedTarget(LaidOut):
    """What targets with a file tree have in common."""

    root: str
    """The folder that the public sees, absolute (or relative to the login folder)."""
    area: str | None = None
    """Where Slipway keeps its own files, on the same file system. Default: `.slipway` in the root."""
    durability: Literal["none", "commit", "file"] = "commit"
    """`none`: trust the server; `commit`: survives loss of power; `file`: each live file is synced again."""
    verify: Literal["replies", "readback"] = "replies"
    """`replies`: every reply of the server is checked; `readback`: every file is read again."""
    file_mode: str = Field(default="0644", pattern=r"^0[0-7]{3}$")
    """Permission bits of published files."""
    folder_mode: str = Field(default="0755", pattern=r"^0[0-7]{3}$")
    """Permission bits of published folders."""
    times: bool = True
    """Give files the modification time that their slip says."""
    public_slip: bool = True
    """Write packageslip.xml beside the module's files, for readers and old tools."""
    exclusive: bool = False
    """At most one task at a time on the whole target."""
    case_sensitive: bool = True
    """False: names that differ only by case are the same file there."""
    delete_grace: int = Field(default=0, ge=0, le=31_536_000)
    """Seconds for which files stay that a release leaves out, for visitors with an older page; 0: they go with the release."""


class LocalTarget(PlacedTarget):
    """A folder of this machine."""

    kind: Literal["local"]


class SftpTarget(PlacedTarget):
    """A server over SSH (SFTP)."""

    kind: Literal["sftp"]
    host: str
    """Name or address."""
    port: int = Field(default=22, ge=1, le=65535)
    """TCP port."""
    user: str
    """The account."""
    key: Path
    """The private key's file; no agent and no other key is ever used."""
    key_password: Secret | None = None
    """The key's passphrase."""
    known_hosts: Path | None = None
    """A known_hosts file with the server's key."""
    host_key: str | None = None
    """The server's public key, `ssh-ed25519 AAAA...`; instead of known_hosts."""
    connect_timeout: float = Field(default=15, gt=0)
    """Seconds for each of: TCP, banner, authentication."""
    idle_timeout: float = Field(default=60, gt=0)
    """Seconds without any reply after which the connection counts as cut; one reply may take as long to arrive."""
    transfer: Literal["auto", "stream", "sftp"] = "auto"
    """`auto`: many files as one stream, if the account has a shell and Perl; `stream`: it must have; `sftp`: each by itself."""


class MemoryTarget(LaidOut):
    """A target in memory, for tests."""

    kind: Literal["memory"]
    exclusive: bool = False
    """At most one task at a time on the whole target."""


class GroupTarget(Section):
    """Several origins that switch together."""

    kind: Literal["group"]
    members: tuple[str, ...] = Field(min_length=1)
    """Names of other targets."""
    quorum: int | None = Field(default=None, ge=1)
    """How many members must be ready; default: all."""
    exclusive: bool = False
    """At most one task at a time on the whole group."""


class S3Target(Section):
    """A bucket of an object store that speaks the S3 protocol."""

    kind: Literal["s3"]
    bucket: str
    """The bucket's name."""
    prefix: str = ""
    """What every key begins with, such as 15436/ZipForEndUsers."""
    endpoint: str | None = None
    """The service's URL, where it is not Amazon's."""
    region: str | None = None
    """The region."""
    access_key: str | None = None
    """The account's access key id. Default: what boto3 finds, such as an instance's role."""
    secret_key: Secret | None = None
    """The secret that belongs to the access key."""
    path_style: bool = False
    """Name the bucket in the path, not in the host name, as many services other than Amazon's want it."""
    area: str = ".slipway"
    """The prefix, below `prefix`, under which Slipway keeps its own objects. Do not make it public."""
    public_slip: bool = True
    """Write packageslip.xml beside the module's files, for readers and old tools."""
    acl: str | None = None
    """A canned ACL for published objects, such as public-read. Default: the bucket's own rules."""
    conditional_writes: bool = True
    """The service honours If-Match and If-None-Match on a PUT; `slipway target test` tries it. Without, the fence is weaker."""
    cache_control: str | None = None
    """The Cache-Control header that published objects are served with."""
    verify: Literal["replies", "readback"] = "replies"
    """`replies`: every reply of the service is checked; `readback`: every object is read again."""
    parallel: int = Field(default=8, ge=1, le=64)
    """Requests under way at once for each worker of an engine."""
    connect_timeout: float = Field(default=10, gt=0)
    """Seconds to connect."""
    idle_timeout: float = Field(default=60, gt=0)
    """Seconds without a byte after which a request counts as lost."""
    ca_file: Path | None = None
    """Certificates to trust instead of the system's."""
    exclusive: bool = False
    """At most one task at a time on the whole target."""
    delete_grace: int = 0
    """Always 0: what a release leaves out of a bucket goes with it."""


TargetSettings = Annotated[LocalTarget | SftpTarget | S3Target | MemoryTarget | GroupTarget, Field(discriminator="kind")]
