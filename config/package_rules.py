"""What [packages] must say so that a package can be made at all."""

from collections.abc import Iterator
from string import Template
from urllib.parse import urlsplit

from config.packages import PackageSettings
from config.validate import Finding

_NAMES = frozenset({"short_id", "uid"})


def package_findings(packages: PackageSettings) -> Iterator[Finding]:
    """Every fault that would otherwise be found by the first package, at night. Empty values were faulty already."""
    name = Template(packages.name)
    if not name.is_valid() or not _NAMES.issuperset(name.get_identifiers()):
        yield Finding(("packages", "name"), "cannot be filled in: it may use $short_id and $uid; a dollar sign is $$")
    if packages.site and not _is_site(packages.site):
        yield Finding(("packages", "site"), "is no site's URL, such as https://ocw.example.edu")
    for position, url in enumerate(packages.shared):
        if url and not url.startswith("/"):
            yield Finding(("packages", "shared", position), "must be a module's URL, which starts with /")
    for position, item in enumerate(packages.closing):
        if item.page and not any(_lies_below(item.page, url) for url in packages.shared):
            yield Finding(("packages", "closing", position, "page"), "lies in none of the modules of packages.shared")


def _is_site(url: str) -> bool:
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme in {"http", "https"} and bool(parts.netloc) and not parts.query and not parts.fragment


def _lies_below(page: str, url: str) -> bool:
    return page == url or page.startswith(url.rstrip("/") + "/")
