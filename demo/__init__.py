"""What `slipway demo` needs: the sample site, a folder to play in, and a daemon of its own.

The site in `site/` is an invented college, written for this purpose and in the public domain (CC0).
"""

from demo.daemon import Daemon, DaemonDied, running_daemon
from demo.place import TARGETS, Place, Tree, prepare

__all__ = ["TARGETS", "Daemon", "DaemonDied", "Place", "Tree", "prepare", "running_daemon"]
