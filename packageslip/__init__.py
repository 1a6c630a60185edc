"""The packageslip: values, reading, writing, checking, building."""

from packageslip.build import Metadata, build_slip
from packageslip.catalogue import read_catalogue
from packageslip.check import check_slip
from packageslip.diff import SlipDiff, diff_slips
from packageslip.errors import BadSlip, Fault, SerialSuspect, SignatureRefused, SlipError, UnsafePath
from packageslip.listing import check_paths, paths_of
from packageslip.names import ITSELF, check_href, check_module_url, check_path
from packageslip.occupied import collisions
from packageslip.reader import get_ready, read_slip
from packageslip.signing import make_key, public_key, sign, write_public
from packageslip.statement import LONGEST as LONGEST_SIGNATURE
from packageslip.statement import SUFFIX as SIGNATURE_SUFFIX
from packageslip.statement import Signed, Statement, contents_of, read_signature, write_signature
from packageslip.times import format_time, parse_time
from packageslip.trust import Seen, Trust, believe, check_document, check_serial, key_id, trusted_keys
from packageslip.values import CatalogueEntry, Digest, Kind, Limits, Packageslip, Resource, Stale, View, ViewKind
from packageslip.version import files_digest, is_page, on_target, version_of
from packageslip.writer import slip_pieces, write_catalogue, write_slip, write_slip_to

__all__ = [
    "ITSELF",
    "LONGEST_SIGNATURE",
    "SIGNATURE_SUFFIX",
    "BadSlip",
    "CatalogueEntry",
    "Digest",
    "Fault",
    "Kind",
    "Limits",
    "Metadata",
    "Packageslip",
    "Resource",
    "Seen",
    "SerialSuspect",
    "SignatureRefused",
    "Signed",
    "SlipDiff",
    "SlipError",
    "Stale",
    "Statement",
    "Trust",
    "UnsafePath",
    "View",
    "ViewKind",
    "believe",
    "build_slip",
    "check_document",
    "check_href",
    "check_module_url",
    "check_path",
    "check_paths",
    "check_serial",
    "check_slip",
    "collisions",
    "contents_of",
    "diff_slips",
    "files_digest",
    "format_time",
    "get_ready",
    "is_page",
    "key_id",
    "make_key",
    "on_target",
    "parse_time",
    "paths_of",
    "public_key",
    "read_catalogue",
    "read_signature",
    "read_slip",
    "sign",
    "slip_pieces",
    "trusted_keys",
    "version_of",
    "write_catalogue",
    "write_public",
    "write_signature",
    "write_slip",
    "write_slip_to",
]
