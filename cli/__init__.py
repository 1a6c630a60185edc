"""The `slipway` command."""

from cli.main import main, slipway

__all__ = ["main", "slipway"]
