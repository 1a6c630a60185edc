"""The JSON API: the same things as the pages, below /api/v1, described by an OpenAPI document that is made of its own table."""

from console.api.calls import ROOT
from console.api.table import CALLS

__all__ = ["CALLS", "ROOT"]
