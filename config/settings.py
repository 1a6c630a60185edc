"""Every setting, typed, with its default and what it means. `slipway config show` prints these texts."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field


class Section(BaseModel):
    """A table of the configuration file: an unknown key is a fault, values never change after loading."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, hide_input_in_errors=True, use_attribute_docstrings=True, allow_inf_nan=False
    )


class Secret(Section):
    """Where a secret comes from: a file, a command's output, or a systemd credential. Exactly one is set."""

    file: Path | None = None
    """A file whose first line is the secret."""
    command: tuple[str, ...] | None = None
    """A program and its arguments; the first line of its output is the secret."""
    credential: str | None = None
    """A name in $CREDENTIALS_DIRECTORY (systemd's LoadCredential=)."""


class QueueSettings(Section):
    """The task table."""

    url: str | None = None
    """SQLAlchemy URL without a password, such as mysql+pymysql://slipway@db/ocw. Default: SQLite in the state directory."""
    password: Secret | None = None
    """The database account's password."""
    poll: float = Field(default=0.3, gt=0, le=60)
    """Seconds between polls."""
    lease: float = Field(default=60, ge=1)
    """Seconds for which an engine owns its tasks after each heartbeat."""
    heartbeat: float = Field(default=15, gt=0)
    """Seconds between heartbeats."""
    margin: float = Field(default=5, gt=0)
    """Seconds before a lease ends at which its engine stops trusting it."""
    batch: int = Field(default=64, ge=1, le=64)
    """Tasks claimed at once, at most."""
    keep_finished_days: int = Field(default=90, ge=1)
    """Days for which finished rows are kept."""


class EngineSettings(Section):
    """How engines behave."""

    workers: int = Field(default=4, ge=1, le=64)
    """Tasks at work at once for each target; each has a connection of its own."""
    linger: float = Field(default=30, ge=0)
    """Seconds an engine stays after its last task."""
    stop_grace: float = Field(default=90, ge=0)
    """Seconds that running tasks get to finish after SIGTERM."""
    restart_base: float = Field(default=1, gt=0)
    """Seconds before a crashed engine is started again; doubles each time."""
    restart_cap: float = Field(default=60, gt=0)
    """The most that this back-off grows to, in seconds."""


class RetrySettings(Section):
    """When a task that failed for the moment is tried again: base x 2^attempt seconds, with jitter, up to cap."""

    base: float = Field(default=10, gt=0)
    """Seconds before the first retry."""
    cap: float = Field(default=3600, gt=0)
    """The most seconds between two retries."""
    max_attempts: int = Field(default=8, ge=1)
    """Attempts after which a task is FAILED, where its row does not say otherwise."""
    breaker: float = Field(default=15, gt=0)
    """Seconds before an unreachable target or source is probed again; doubles up to the cap."""


class GuardSettings(Section):
    """The deletion guard: a publish that drops more than this is held for a person."""

    drop_files: int = Field(default=20, ge=0)
    """Files that may go without asking ..."""
    drop_percent: float = Field(default=10, ge=0, le=100)
    """... or this share of the module's files, whichever is larger."""
    index_pages: tuple[str, ...] = ("index.htm", "index.html")
    """Dropping one of these always asks."""


class LimitSettings(Section):
    """What a slip may be at most."""

    slip_bytes: int = Field(default=256 * 1024 * 1024, ge=1024)
    """Bytes of XML."""
    resources: int = Field(default=1_000_000, ge=1)
    """Resources in one slip."""
    depth: int = Field(default=32, ge=4)
    """Nested elements."""


class StoreSettings(Section):
    """The content store."""

    path: Path | None = None
    """The folder. Default: `store` in the state directory."""
    keep_publications: int = Field(default=5, ge=1)
    """Publications of each module on each target whose bytes `store gc` keeps."""


class LogSettings(Section):
    """The log."""

    format: Literal["auto", "json", "console"] = "auto"
    """`auto`: readable on a terminal, JSON otherwise."""
    level: Literal["debug", "info", "warning", "error"] = "info"
    """The least serious events to write."""


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


class DirectorySource(Section):
    """A folder that mirrors the site: <path>/<module url>/packageslip.xml beside the module's files."""

    kind: Literal["directory"]
    path: Path
    """The folder."""
    build_slips: bool = False
    """Make a slip on the fly for a folder that has none."""


SourceSettings = Annotated[HttpSource | DirectorySource, Field(discriminator="kind")]


class PlacedTarget(Section):
    """What targets with a file tree have in common."""

    root: str
    """The folder that the public sees, absolute (or relative to the login folder)."""
    area: str | None = None
    """Where Slipway keeps its own files, on the same file system. Default: `.slipway` in the root."""
    layout: Literal["ordered"] = "ordered"
    """How releases become visible."""
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
    """Seconds without any reply after which the connection counts as cut."""


class MemoryTarget(Section):
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


TargetSettings = Annotated[LocalTarget | SftpTarget | MemoryTarget | GroupTarget, Field(discriminator="kind")]


class Selection(Section):
    """Which modules something is for. A module is selected by its type or by its URL; an empty selection takes all."""

    types: tuple[str, ...] = ()
    """Module types."""
    urls: tuple[str, ...] = ()
    """URLs; each takes itself and what lies below it."""

    def takes(self, url: str, module_type: str | None) -> bool:
        """Whether this module is selected."""
        if not self.types and not self.urls:
            return True
        below = any(url == root or url.startswith(root.rstrip("/") + "/") for root in self.urls)
        return below or (module_type is not None and module_type in self.types)


class HoldingAreaSettings(Section):
    """A target where packages of some modules wait to be collected."""

    target: str
    """The target's name."""
    form: Literal["tree"] = "tree"
    """What is delivered: `tree`, the module's files as they are."""
    modules: Selection = Selection()
    """Which modules are delivered there."""


class EnvironmentSettings(Section):
    """One environment: where its modules come from and where they go."""

    source: str
    """A source's name, or `target:NAME` to promote what is live on another target."""
    origin: str
    """The target that tasks of this environment publish to."""
    views: str | None = None
    """The source of feeds and JSON views, when it is not `source`."""
    default_action: Literal["PUBLISH"] = "PUBLISH"
    """What a row without an action asks for."""
    engines: int = Field(default=1, ge=1, le=64)
    """Engines that the daemon runs at once."""
    start: Literal["auto", "manual"] = "auto"
    """`manual`: the daemon starts no engine; a person does."""
    dependents: bool = True
    """Publish the modules that a slip names as dependents after it."""
    guard: GuardSettings | None = None
    """The deletion guard here, when it differs."""
    holding_areas: tuple[HoldingAreaSettings, ...] = ()
    """Where packages go after the origin."""


class ScheduleSettings(Section):
    """A row that is inserted by the clock."""

    cron: str
    """Five fields, as in crontab(5)."""
    timezone: str = "UTC"
    """An IANA zone."""
    environment: str
    """The row's environment."""
    url: str = "/"
    """The row's URL."""
    action: str | None = None
    """The row's action."""
    parameters: dict[str, object] = Field(default_factory=dict)
    """The row's parameters."""
    priority: int = 100
    """The row's priority."""
    catch_up: bool = False
    """Insert the newest run that was missed while nothing ran."""


class Settings(Section):
    """The whole configuration."""

    state_dir: Path = Path("/var/lib/slipway")
    """Where the embedded queue and the content store live."""
    queue: QueueSettings = QueueSettings()
    engine: EngineSettings = EngineSettings()
    retry: RetrySettings = RetrySettings()
    guard: GuardSettings = GuardSettings()
    limits: LimitSettings = LimitSettings()
    store: StoreSettings = StoreSettings()
    log: LogSettings = LogSettings()
    sources: dict[str, SourceSettings] = Field(default_factory=dict)
    targets: dict[str, TargetSettings] = Field(default_factory=dict)
    environments: dict[str, EnvironmentSettings] = Field(default_factory=dict)
    schedules: dict[str, ScheduleSettings] = Field(default_factory=dict)
    departments: dict[str, str] = Field(default_factory=dict)
    """Department id to module URL, for slips that name linked departments by id."""
