"""Everything that can be configured: the typed settings, how they are found, read and checked, secrets, and the log."""

from config.child import Child, meaning
from config.describe import Described, Documented, describe, reference
from config.faults import ConfigError, ConfigFault
from config.find import candidates, find_file, queue_url, state_dir
from config.load import check, load, snapshot
from config.logs import configure_logging
from config.process import Bell, Signals, this_host
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
from config.systemd import Systemd
from config.ticker import Ticker

__all__ = [
    "SOURCE_KINDS",
    "TARGET_KINDS",
    "Bell",
    "Child",
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
    "Signals",
    "SourceSettings",
    "StoreSettings",
    "Systemd",
    "TargetSettings",
    "Ticker",
    "candidates",
    "check",
    "configure_logging",
    "describe",
    "find_file",
    "load",
    "meaning",
    "queue_url",
    "reference",
    "snapshot",
    "state_dir",
    "this_host",
]
