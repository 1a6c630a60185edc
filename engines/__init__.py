"""The engine process: claims tasks of one environment, executes them, and says how they ended."""

import config  # noqa: F401 - first of all: see config.lean
from engines.engine import run_engine
from engines.workshop import Seams

__all__ = ["Seams", "run_engine"]
