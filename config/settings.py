"""Every setting, typed, with its default and what it means. `slipway config show` prints these texts."""

from pathlib import Path
from typing import Literal

from pydantic import Field

from config.archives import ArchiveSettings, RetireSettings
from config.console import ConsoleSettings
from config.notices import AlertSettings, NoticeSettings
from config.packages import PackageSettings
from config.places import SourceSettings, TargetSettings
from config.section import Secret, Section, Selection
from config.snapshots import SnapshotSettings


class QueueSettings(Section):
    """The task table."""

    url: str | None = None
    """SQLAlchemy URL without a password, such as mysql+pymysql://slipway@db/ocw. Default: SQLite in the state directory."""
    password: Secret | None = None
    """The database account's password."""
    poll: float = Field(default=0.3, gt=0, le=60)
    """Seconds between polls while nothing happens. After work, a daemon looks for new rows every 0.02 s, for 3 s at most."""
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
    """Tasks at work at once for each target, at most, where the processors have time for it; each has a connection of its own."""
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


class HoldingAreaSettings(Section):
    """A target where packages of some modules wait to be collected."""

    target: str
    """The target's name."""
    form: Literal["tree", "download", "imscp", "mets", "saf", "bagit"] = "tree"
    """`tree`: the module's files as they are; otherwise one package made of them, in this form."""
    file: str = "$name.zip"
    """The package's path in the module's folder. $name: what the package is called, by [packages]; $form."""
    media: bool = False
    """Whether video and audio go into the package; of a `tree`, they always do."""
    views: bool = True
    """Whether a `tree` has the module's feeds and JSON views."""
    only: Literal["mirror", "download"] | None = None
    """Of a `tree`: leave out resources whose slip keeps them out of mirrors, or out of downloads. Default: none is left out."""
    tombstone: bool | None = None
    """What takes a retired module's place when it is unpublished. Default: a tombstone's zip in forms other than `tree`."""
    modules: Selection = Selection()
    """Which modules are delivered there."""


class ExportSettings(Section):
    """Where EXPORT puts the JSON views of published modules."""

    target: str
    """The target's name."""
    view: str = "$url/export.json"
    """The path at the views' source that is asked for each module. $url: the module's URL."""
    file: str = "export.json"
    """What the answer is called in the module's folder on the target."""
    modules: Selection = Selection(types=("course",))
    """Which modules are exported."""


class EnvironmentSettings(Section):
    """One environment: where its modules come from and where they go."""

    source: str
    """A source's name, or `target:NAME` to promote what is live on another target."""
    origin: str
    """The target that tasks of this environment publish to."""
    views: str | None = None
    """The source of feeds and JSON views, when it is not `source`."""
    default_action: Literal["PUBLISH", "RETIRE", "SNAPSHOT"] = "PUBLISH"
    """What a row without an action asks for."""
    site: str | None = None
    """The URL under which the public sees the origin, such as https://ocw.example.edu: for sitemaps, purges and links."""
    code: int | None = Field(default=None, ge=0)
    """The number under which old scripts start this environment's engine: `python -P -m engines 3`."""
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
    feeds: Selection = Selection()
    """The modules whose feeds are published; those of others are left out."""
    notices: tuple[str, ...] = ()
    """Who is told after a module changed: names of [notices]."""
    republish_states: tuple[str, ...] = ()
    """The states in the source's catalogue that `republish` takes by itself; none: all."""
    exports: ExportSettings | None = None
    """Where EXPORT puts JSON views."""
    snapshot: SnapshotSettings | None = None
    """How SNAPSHOT makes the mirror's tree."""
    retire: RetireSettings | None = None
    """How RETIRE deposits a module in an archive."""


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


class WebSettings(Section):
    """How pages outside of the sources are fetched: by FETCH, SNAPSHOT and LINKCHECK."""

    connect_timeout: float = Field(default=10, gt=0)
    """Seconds to connect."""
    read_timeout: float = Field(default=60, gt=0)
    """Seconds without a byte."""
    total_timeout: float = Field(default=600, gt=0)
    """Seconds for one file in all."""
    parallel: int = Field(default=8, ge=1, le=256)
    """Requests under way at once for each engine."""
    max_file_bytes: int = Field(default=4 * 1024**3, ge=1)
    """The largest file that is accepted."""
    user_agent: str = "slipway"
    """How requests introduce themselves."""
    ca_file: Path | None = None
    """Certificates to trust instead of the system's."""
    allow_private: bool = False
    """Whether addresses that were found in pages may lead to loopback and private addresses."""


class RepublishSettings(Section):
    """A whole site, again."""

    passes: tuple[tuple[str, ...], ...] = ()
    """Module types of each pass, one after the other, for `republish --passes`: pages that list others come after those."""
    locked_states: tuple[str, ...] = ("in_process", "unlocked_for_editing", "locked")
    """States in the source's catalogue of modules that somebody works on; `republish --check` lists them."""


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
    packages: PackageSettings = PackageSettings()
    archives: dict[str, ArchiveSettings] = Field(default_factory=dict)
    notices: dict[str, NoticeSettings] = Field(default_factory=dict)
    alerts: dict[str, AlertSettings] = Field(default_factory=dict)
    web: WebSettings = WebSettings()
    republish: RepublishSettings = RepublishSettings()
    console: ConsoleSettings = ConsoleSettings()
