"""On PYTHONPATH it makes a process, and those that it starts, believe to run on the host that OTHER_HOST names."""

import os
import socket

if "OTHER_HOST" in os.environ:
    socket.gethostname = lambda: os.environ["OTHER_HOST"]
