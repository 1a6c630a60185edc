"""Whether a file is a good package: every finding at once, and never a traceback, whatever the file is."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

from archives.check_bagit import check_bagit
from archives.check_course import MANIFEST, check_course
from archives.check_links import check_links
from archives.check_mets import check_mets
from archives.check_saf import check_saf
from archives.errors import PackageError
from archives.findings import Finding, failure
from archives.unpacking import Unpacked, check_bytes, check_container, unpacked

Check = Callable[[Unpacked], Iterator[Finding]]
"""The rules of one form."""

_CHECKS: tuple[tuple[re.Pattern[str], tuple[Check, ...]], ...] = (
    (re.compile(re.escape(MANIFEST)), (check_course, check_links)),
    (re.compile(r"mets\.xml"), (check_mets, check_links)),
    (re.compile(r"[^/]+/bagit\.txt"), (check_bagit,)),
    (re.compile(r"(?:[^/]+/)?[^/]+/dublin_core\.xml"), (check_saf, check_links)),
)
"""The entry that tells the form, and its rules; the first that fits counts."""


def check_package(path: Path) -> list[Finding]:
    """What is wrong with a package, by its form's rules and by those of a safe zip. Raises OSError if it cannot be read."""
    found: list[Finding] = []
    try:
        with unpacked(path) as zipped:
            found += check_container(zipped, path.stat().st_size)
            found += check_bytes(zipped)
            for check in _checks_of(zipped):
                found += check(zipped)
    except PackageError as error:
        found.append(failure(path.name, str(error)))
    return found


def _checks_of(zipped: Unpacked) -> tuple[Check, ...]:
    for mark, checks in _CHECKS:
        if any(mark.fullmatch(name) for name in zipped.entries):
            return checks
    raise PackageError("is a zip and no package: nothing in it says what form it has, such as imsmanifest.xml at its top")
