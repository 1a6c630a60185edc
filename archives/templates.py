"""The texts of a package, from templates that an operator can replace."""

import html
from importlib.resources import files
from string import Template

from archives.errors import PackageError
from archives.naming import package_name
from config import PackageSettings
from packageslip import Packageslip

_HTML = (".htm", ".html")


def filled(name: str, slip: Packageslip, options: PackageSettings, **more: str) -> bytes:
    """The text called `name`, its placeholders filled in; values are escaped in pages. Raises PackageError.

    $title, $url, $name, $site, $license, $contact, $system, and those in `more`. UTF-8, with the line ends of the template.
    """
    words = {
        "title": slip.title or package_name(slip, options),
        "url": (options.site or "").rstrip("/") + slip.url,
        "name": package_name(slip, options),
        "site": options.site or "",
        "license": options.license,
        "contact": options.contact,
        "system": options.system,
        **more,
    }
    if name.endswith(_HTML):
        words = {key: html.escape(value) for key, value in words.items()}
    try:
        return Template(_template(name, options)).substitute(words).encode()
    except (KeyError, ValueError) as error:
        raise PackageError(
            f"the template {name} cannot be filled in: {error}; it may use ${', $'.join(sorted(words))}"
        ) from error


def _template(name: str, options: PackageSettings) -> str:
    own = options.texts / name if options.texts else None
    try:
        if own is not None and own.is_file():
            return own.read_bytes().decode()
        return files("archives").joinpath("texts", name).read_bytes().decode()
    except (OSError, UnicodeDecodeError) as error:
        raise PackageError(f"the template {own or name} cannot be read: {error}; make it a readable UTF-8 text") from error
