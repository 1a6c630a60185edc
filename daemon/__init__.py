"""What the daemon is made of, beside its main loop: children, signals, the clock of the schedules, the service manager."""

from daemon.child import Child, meaning
from daemon.signals import Bell, Signals
from daemon.systemd import Systemd
from daemon.ticker import Ticker

__all__ = ["Bell", "Child", "Signals", "Systemd", "Ticker", "meaning"]
