"""What the old file fills into the template of the new configuration."""

import json
from collections.abc import Iterator, Mapping
from itertools import chain, count
from pathlib import Path
from urllib.parse import SplitResult, quote, urlsplit, urlunsplit

from config.old_ini import OldFile

GAP = "fill-in.invalid"
"""A host that never answers (RFC 2606): a gap that nobody filled is found by 'slipway doctor'."""
STATE = "/var/lib/slipway"
PORTS = {"http": 80, "https": 443}
MYSQL = "3306"


class Words:
    """Reads the old file for the template; `remarks` grows by what a person should know."""

    def __init__(self, old: OldFile, folder: Path, remarks: list[str]) -> None:
        self._old, self._folder, self._remarks = old, folder, remarks
        self._engine = old.section("engine")
        self._names: dict[str, str] = {}

    def all(self) -> dict[str, str]:
        """Each word of the template as a TOML value; `archives` is several tables."""
        plain = {"state_dir": self._below(self._engine.get("working_root_dir"), "slipway", STATE), "queue_url": self._queue()}
        plain |= self._cms() | self._areas() | self._servers()
        current = self.current_archive
        tables = "\n".join(self._archive(section) for section in self.archives or ("dspace",))
        return {key: _quoted(value) for key, value in plain.items()} | {
            "archives": tables,
            "archive": json.dumps(self.archive_name(current or "dspace")),
        }

    @property
    def archives(self) -> tuple[str, ...]:
        """Sections that describe a DSpace server: the one in use first."""
        named = self._old.section("DSpace").get("current_environment", "")
        found = [each for each in self._old.sections if each == named or _is_archive(self._old.section(each))]
        return tuple(sorted(found, key=lambda section: section != named))

    @property
    def current_archive(self) -> str | None:
        """The section of the DSpace server in use."""
        named = self._old.section("DSpace").get("current_environment", "")
        if named and named not in self._old.sections:
            self._remarks.append(f"[DSpace] current_environment names [{named}], which is not there")
        return next(iter(self.archives), None)

    @property
    def editors_url_is_used(self) -> bool:
        """Whether the CMS has no address for engines alone."""
        return not self._old.section("CMS").get("engine_url")

    def archive_name(self, section: str) -> str:
        """The name of the archive that an old section describes: Production_Dspace_conf is dspace-production."""
        if section not in self._names:
            plain, taken = _plain_name(section), set(self._names.values())
            numbered = (f"{plain[:36]}-{number}" for number in count(2))
            self._names[section] = next(name for name in chain([plain], numbered) if name not in taken)
        return self._names[section]

    def _queue(self) -> str:
        database = self._old.section("database")
        host, port = database.get("host") or GAP, database.get("port") or MYSQL
        place = host if port == MYSQL else f"{host}:{port}"
        return f"mysql+pymysql://{quote(database.get('username') or 'slipway', safe='')}@{place}/slipway"

    def _cms(self) -> dict[str, str]:
        cms = self._old.section("CMS")
        url = cms.get("engine_url") or cms.get("url") or f"https://{GAP}"
        if self.editors_url_is_used and cms.get("url"):
            self._remarks.append("[CMS] engine_url is missing: sources.cms.url is the editors' url")
        return {"cms_url": self._url(url, "CMS"), "cms_user": cms.get("user") or "slipway"}

    def _areas(self) -> dict[str, str]:
        held = self._engine.get("production_holding_area")
        retired = self._old.section("DSpace").get("retiredcourseziproot")
        return {
            "download_root": self._below(self._engine.get("static_zip_file_dir"), "slipway", f"{STATE}/areas/download"),
            "mirror_staging_root": self._below(held, "slipway/mirror-staging", f"{STATE}/areas/mirror-staging"),
            "dspace_staging_root": self._below(held, "slipway/dspace-staging", f"{STATE}/areas/dspace-staging"),
            "dspace_root": self._below(held, "slipway/dspace", f"{STATE}/areas/dspace"),
            "retired_root": self._below(retired, "slipway", f"{STATE}/areas/retired"),
        }

    def _below(self, folder: str | None, name: str, otherwise: str) -> str:
        return f"{folder.rstrip('/')}/{name}" if folder else otherwise

    def _servers(self) -> dict[str, str]:
        words = {"rsync_root": "/FILL-IN/rsync"}
        for section, name in (("Staging", "staging"), ("Production", "production"), ("Mirror", "mirror"), ("NetStorage", "zips")):
            keys = self._old.section(section)
            words[f"{name}_host"] = keys.get("host") or GAP
            words[f"{name}_user"] = keys.get("user") or "slipway"
            words[f"{name}_root"] = keys.get("rootdirectory") or f"/FILL-IN/{name}"
            words[f"{name}_site"] = self._url(keys.get("url") or f"https://{name}.{GAP}", section).rstrip("/")
        scheme, _, rest = words["production_site"].partition("://")
        words["production_twin"] = f"{'http' if scheme == 'https' else 'https'}://{rest}"
        prefix = self._old.section("NetStorage").get("zipurlprefix", "")
        words["zips_base"] = f"{words['production_site']}/{prefix.strip('/')}".rstrip("/")
        words["zips_into"] = f"/{prefix.strip('/') or 'zips'}"
        return words

    def _url(self, url: str, section: str) -> str:
        """Without an account: that could be a secret."""
        parts = _split(url if "://" in url else f"http://{url}")
        if parts.username is None:
            return urlunsplit(parts)
        self._remarks.append(f"[{section}] has an account in its URL, which is not copied: it belongs into username and password")
        return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))

    def _archive(self, section: str) -> str:
        keys, name = self._old.section(section), self.archive_name(section)
        lines = [
            f"[archives.{name}]",
            'kind = "sword1"',
            f"username = {_quoted(keys.get('user') or 'slipway')}",
            f'password = {{ file = "secrets/{name}" }}        # FILL IN',
            f"[archives.{name}.deposits]",
        ]
        deposits = self._deposits(section, keys)
        return "\n".join([*lines, *_entries(deposits), ""])

    def _deposits(self, section: str, keys: Mapping[str, str]) -> dict[str, str]:
        # Nothing else in the configuration is XML: who only reads settings need not read a parser.
        from config.deposit_lookup import BadLookup, read_lookup  # noqa: PLC0415

        endpoint = self._url(_with_port(keys.get("dspace_endpoint_prefix") or f"https://{GAP}/", keys.get("port")), section)
        file = self._lookup_file(keys)
        try:
            if file is None:
                raise BadLookup("the old file does not name it")
            return {name: self._url(address, section) for name, address in read_lookup(file, endpoint).items()}
        except BadLookup as error:
            where = f"{file}: {error}" if file else str(error)
            gap = f"fill in archives.{self.archive_name(section)}.deposits"
            self._remarks.append(f"[{section}] the lookup of deposit URIs was not read ({where}): {gap}")
            return {"default": f"{endpoint.rstrip('/')}/FILL-IN"}

    def _lookup_file(self, keys: Mapping[str, str]) -> Path | None:
        path = self._old.section("DSpace").get("deposit_uri_lookup_file_path")
        name = keys.get("deposit_uri_lookup_file_name")
        if not path and not name:
            return None
        # The old program put the two together as they stood; a path that ends in the name was written, too.
        full = path or "" if not name or (path or "").endswith(name) else f"{(path or '.').rstrip('/')}/{name}"
        return self._folder / full


def _plain_name(section: str) -> str:
    plain = section.lower().replace("_", "-").replace(" ", "-").removesuffix("-conf").replace("dspace", "").strip("-")
    kept = "".join(letter for letter in plain if (letter.isascii() and letter.isalnum()) or letter == "-")
    return f"dspace-{kept}"[:40].rstrip("-")


def _split(url: str) -> SplitResult:
    try:
        return urlsplit(url)
    except ValueError:
        # An unfinished IPv6 address: there is nothing in it that could be carried over.
        return urlsplit(f"https://{GAP}/")


def _is_archive(keys: Mapping[str, str]) -> bool:
    return "dspace_endpoint_prefix" in keys or "deposit_uri_lookup_file_name" in keys


def _with_port(endpoint: str, port: str | None) -> str:
    parts = _split(endpoint)
    if not port or not _is_port(port) or ":" in parts.netloc.rpartition("@")[2] or PORTS.get(parts.scheme) == int(port):
        return endpoint
    return urlunsplit(parts._replace(netloc=f"{parts.netloc}:{port}"))


def _is_port(text: str) -> bool:
    """Digits that are a number for everybody: not a raised one, say, which Python takes for a digit and for no number."""
    return text.isascii() and text.isdecimal() and len(text) <= 5


def _entries(deposits: Mapping[str, str]) -> Iterator[str]:
    for name, address in deposits.items():
        yield f"{_quoted(name)} = {_quoted(address)}"


def _quoted(text: str) -> str:
    """A basic string of TOML: as in JSON, but that DEL must be escaped."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
