"""The engine process: claims tasks of one environment, executes them, and says how they ended."""

from engines.engine import run_engine
from engines.workshop import Seams

__all__ = ["Seams", "run_engine"]
