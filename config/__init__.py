"""Everything that can be configured: the typed settings, how they are found, read and checked, secrets, and the log."""

from config.cron import cron_trigger, newest_fire
from config.describe import Described, Documented, describe, reference
from config.faults import ConfigError, ConfigFault
from config.find import candidates, find_file, queue_url, state_dir
from config.host import this_host
from config.load import check, load, snapshot
from config.logs import configure_logging
from config.secrets import SecretError, Secrets
from config.settings import (
    DirectorySource,
    EngineSettings,
    EnvironmentSettings,
    GroupTarget,
    GuardSettings,
    HoldingAreaSettings,
    HttpSource,
    LimitSettings,
    LocalTarget,
    LogSettings,
    MemoryTarget,
    PlacedTarget,
    QueueSettings,
    RetrySettings,
    ScheduleSettings,
    Secret,
    Selection,
    Settings,
    SftpTarget,
    SourceSettings,
    StoreSettings,
    TargetSettings,
)
from config.shape import SOURCE_KINDS, TARGET_KINDS

__all__ = [
    "SOURCE_KINDS",
    "TARGET_KINDS",
    "ConfigError",
    "ConfigFault",
    "Described",
    "DirectorySource",
    "Documented",
    "EngineSettings",
    "EnvironmentSettings",
    "GroupTarget",
    "GuardSettings",
    "HoldingAreaSettings",
    "HttpSource",
    "LimitSettings",
    "LocalTarget",
    "LogSettings",
    "MemoryTarget",
    "PlacedTarget",
    "QueueSettings",
    "RetrySettings",
    "ScheduleSettings",
    "Secret",
    "SecretError",
    "Secrets",
    "Selection",
    "Settings",
    "SftpTarget",
    "SourceSettings",
    "StoreSettings",
    "TargetSettings",
    "candidates",
    "check",
    "configure_logging",
    "cron_trigger",
    "describe",
    "find_file",
    "load",
    "newest_fire",
    "queue_url",
    "reference",
    "snapshot",
    "state_dir",
    "this_host",
]
