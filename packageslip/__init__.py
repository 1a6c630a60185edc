"""The packageslip: values, reading, writing, checking, building."""

from packageslip.errors import BadSlip, Fault, SlipError, UnsafePath
from packageslip.values import CatalogueEntry, Digest, Kind, Limits, Packageslip, Resource, View, ViewKind

__all__ = [
    "BadSlip",
    "CatalogueEntry",
    "Digest",
    "Fault",
    "Kind",
    "Limits",
    "Packageslip",
    "Resource",
    "SlipError",
    "UnsafePath",
    "View",
    "ViewKind",
]
