"""What a package, and the things in it, are called."""

import re
from string import Template

from archives.errors import PackageError
from config import PackageSettings
from packageslip import Packageslip, UnsafePath, check_path

_NOT_IN_URIS = re.compile(r"[%\[\]]")
_ESCAPED = re.compile(r"%(25|5B|5D)")
_UNFIT = re.compile(r"[^A-Za-z0-9_.-]")


def package_name(slip: Packageslip, options: PackageSettings) -> str:
    """What the module's package is called, without an ending; also its top folder. Raises PackageError."""
    last = last_part(slip)
    words = {"short_id": slip.module_short_id or last, "uid": slip.uid or last}
    try:
        name = Template(options.name).substitute(words)
    except (KeyError, ValueError) as error:
        raise PackageError(f"packages.name {options.name!r} cannot be filled in ({error}); use $short_id and $uid") from error
    try:
        check_path(name)
    except UnsafePath as error:
        raise PackageError(f"the package of {slip.url} cannot be called {name!r}: {error.why}; change packages.name") from error
    if "/" in name or name.startswith("."):
        raise PackageError(f"the package of {slip.url} cannot be called {name!r}: it is no file's name; change packages.name")
    return name


def last_part(slip: Packageslip) -> str:
    """The last part of the module's URL."""
    return slip.url.rstrip("/").rpartition("/")[2] or "site"


def identifier(prefix: str, text: str) -> str:
    """An identifier that XML accepts (NCName, in ASCII): other characters become `_` and their number.

    Paths that differ seldom have the same one, but a/b and a.b do: whoever needs one for each has to compare.
    """
    return prefix + _UNFIT.sub(lambda found: f"_{ord(found[0]):x}_", text.replace("/", "."))


def uri_name(path: str) -> str:
    """The path, so that it is a relative URI as it stands, and no two paths become one.

    Only what no URI may have in a path is escaped: readers of METS take an href for the very name of an entry.
    """
    return _NOT_IN_URIS.sub(lambda found: f"%{ord(found[0]):02X}", path)


def plain_name(uri: str) -> str:
    """The path that `uri_name` made this of."""
    return _ESCAPED.sub(lambda found: chr(int(found[1], 16)), uri)
