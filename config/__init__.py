"""Everything that can be configured: the typed settings, how they are found, read and checked, secrets, and the log."""

import config.lean  # noqa: F401 - first of all: see there
from config.archives import ArchiveSettings, RetireSettings
from config.console import ConsoleSettings, ProxySettings
from config.console_rules import place_of_console
from config.cron import cron_trigger, newest_fire
from config.describe import Described, Documented, describe, reference
from config.engines_conf import Imported, OldSetting, import_engines_conf
from config.engines_keys import Fate
from config.faults import ConfigError, ConfigFault
from config.find import candidates, find_file, queue_url, state_dir
from config.host import Ended, began_at, end_process, is_running, this_host
from config.load import check, load, snapshot
from config.logs import configure_logging
from config.notices import (
    AlertSettings,
    EmailAlert,
    FastlyNotice,
    NoticeSettings,
    PurgeNotice,
    WebhookAlert,
    WebhookNotice,
)
from config.packages import ClosingItem, PackageSettings
from config.places import (
    DirectorySource,
    GroupTarget,
    HttpSource,
    LocalTarget,
    MemoryTarget,
    PlacedTarget,
    S3Target,
    SftpTarget,
    SourceSettings,
    TargetSettings,
)
from config.reach import breakers_of
from config.secrets import SecretError, Secrets
from config.section import Secret, Section, Selection
from config.settings import (
    EngineSettings,
    EnvironmentSettings,
    ExportSettings,
    GuardSettings,
    HoldingAreaSettings,
    LimitSettings,
    LogSettings,
    QueueSettings,
    RepublishSettings,
    RetrySettings,
    ScheduleSettings,
    Settings,
    StoreSettings,
    WebSettings,
)
from config.shape import SOURCE_KINDS, TARGET_KINDS
from config.signature_rules import signatures_of
from config.signatures import SignatureSettings
from config.snapshots import ExternalSettings, RewriteRule, SnapshotSettings

__all__ = [
    "SOURCE_KINDS",
    "TARGET_KINDS",
    "AlertSettings",
    "ArchiveSettings",
    "ClosingItem",
    "ConfigError",
    "ConfigFault",
    "ConsoleSettings",
    "Described",
    "DirectorySource",
    "Documented",
    "EmailAlert",
    "Ended",
    "EngineSettings",
    "EnvironmentSettings",
    "ExportSettings",
    "ExternalSettings",
    "FastlyNotice",
    "Fate",
    "GroupTarget",
    "GuardSettings",
    "HoldingAreaSettings",
    "HttpSource",
    "Imported",
    "LimitSettings",
    "LocalTarget",
    "LogSettings",
    "MemoryTarget",
    "NoticeSettings",
    "OldSetting",
    "PackageSettings",
    "PlacedTarget",
    "ProxySettings",
    "PurgeNotice",
    "QueueSettings",
    "RepublishSettings",
    "RetireSettings",
    "RetrySettings",
    "RewriteRule",
    "S3Target",
    "ScheduleSettings",
    "Secret",
    "SecretError",
    "Secrets",
    "Section",
    "Selection",
    "Settings",
    "SftpTarget",
    "SignatureSettings",
    "SnapshotSettings",
    "SourceSettings",
    "StoreSettings",
    "TargetSettings",
    "WebSettings",
    "WebhookAlert",
    "WebhookNotice",
    "began_at",
    "breakers_of",
    "candidates",
    "check",
    "configure_logging",
    "cron_trigger",
    "describe",
    "end_process",
    "find_file",
    "import_engines_conf",
    "is_running",
    "load",
    "newest_fire",
    "place_of_console",
    "queue_url",
    "reference",
    "signatures_of",
    "snapshot",
    "state_dir",
    "this_host",
]
