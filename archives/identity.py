"""What an archive keeps of a package that no other package has, so that a deposit can be found again."""

from archives.content import Content
from packageslip import version_of

_DIGITS = 32
"""Hexadecimal digits of a version: as many as an MD5 has, which search fields of archives are known to take."""


def identifier_of(content: Content) -> str:
    """The deposit's name, or, for a package that nobody deposits, one word that the module's version alone has."""
    if content.identifier:
        return content.identifier
    version = version_of(content.slip)
    assert version is not None, f"{content.slip.url} has resources without digests"
    return f"slipway-{version.hex()[:_DIGITS]}"
