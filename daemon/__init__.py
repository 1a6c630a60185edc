"""What the daemon is made of, beside its main loop: engines, signals, the clock of the schedules, the service manager."""

from daemon.child import Child, meaning
from daemon.crews import STAGGER, STEADY, Crew, Crews
from daemon.signals import Bell, Signals
from daemon.systemd import Systemd
from daemon.ticker import Ticker

__all__ = ["STAGGER", "STEADY", "Bell", "Child", "Crew", "Crews", "Signals", "Systemd", "Ticker", "meaning"]
