"""What the daemon is made of, beside its main loop: engines, console, signals, the clock of schedules, the service manager."""

from daemon.child import Child, meaning
from daemon.companion import Companion
from daemon.crews import STAGGER, STEADY, Crew, Crews
from daemon.pace import Pace
from daemon.signals import Bell, Signals
from daemon.systemd import Systemd
from daemon.ticker import Ticker

__all__ = ["STAGGER", "STEADY", "Bell", "Child", "Companion", "Crew", "Crews", "Pace", "Signals", "Systemd", "Ticker", "meaning"]
