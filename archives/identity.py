"""What an archive keeps of a package that no other package has, so that a deposit can be found again."""

import hashlib
from pathlib import Path

from archives.content import Form
from archives.unpacking import unpacked
from packageslip import Packageslip, version_of

_DIGITS = 32
"""Hexadecimal digits of a version: as many as an MD5 has, which search fields of archives are known to take."""


def version_identifier(slip: Packageslip) -> str:
    """One word that the module's version alone has; it is among the identifiers of METS, SAF and BagIt packages."""
    version = version_of(slip)
    assert version is not None, f"{slip.url} has resources without digests"
    return f"slipway-{version.hex()[:_DIGITS]}"


def deposit_identifier(form: Form, slip: Packageslip, package: Path) -> str:
    """The identifier that the archive has once it took this package; for `Sword.find`, and good as a slug.

    DSpace's ingester for course packages makes one of the manifest's MD5 (dc.identifier.other), and refuses a second package
    that has it. The other forms carry the module's version. Raises PackageError if the package cannot be read.
    """
    if form is not Form.IMSCP:
        return version_identifier(slip)
    with unpacked(package) as archive:
        return f"IMSCP-MD5-{hashlib.md5(archive.read('imsmanifest.xml'), usedforsecurity=False).hexdigest()}"
