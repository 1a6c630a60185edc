"""The packageslip: values, reading, writing, checking, building."""

from packageslip.build import Metadata, build_slip
from packageslip.catalogue import read_catalogue
from packageslip.check import check_slip
from packageslip.diff import SlipDiff, diff_slips
from packageslip.errors import BadSlip, Fault, SlipError, UnsafePath
from packageslip.names import ITSELF, check_href, check_module_url, check_path
from packageslip.occupied import collisions
from packageslip.reader import read_slip
from packageslip.times import format_time, parse_time
from packageslip.values import CatalogueEntry, Digest, Kind, Limits, Packageslip, Resource, Stale, View, ViewKind
from packageslip.version import files_digest, is_page, on_target, version_of
from packageslip.writer import write_catalogue, write_slip, write_slip_to

__all__ = [
    "ITSELF",
    "BadSlip",
    "CatalogueEntry",
    "Digest",
    "Fault",
    "Kind",
    "Limits",
    "Metadata",
    "Packageslip",
    "Resource",
    "SlipDiff",
    "SlipError",
    "Stale",
    "UnsafePath",
    "View",
    "ViewKind",
    "build_slip",
    "check_href",
    "check_module_url",
    "check_path",
    "check_slip",
    "collisions",
    "diff_slips",
    "files_digest",
    "format_time",
    "is_page",
    "on_target",
    "parse_time",
    "read_catalogue",
    "read_slip",
    "version_of",
    "write_catalogue",
    "write_slip",
    "write_slip_to",
]
