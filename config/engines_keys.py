"""Every key of the old engines' configuration, and what becomes of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Fate(StrEnum):
    """What became of an old key."""

    CARRIED = "carried over"
    FILL_IN = "to fill in"
    INSTEAD = "not carried over"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Meaning:
    """What becomes of a key: where it is now, and what there is to do or to know."""

    fate: Fate
    place: str
    sentence: str


def _carried(place: str, sentence: str = "") -> Meaning:
    return Meaning(Fate.CARRIED, place, sentence)


def _instead(sentence: str) -> Meaning:
    return Meaning(Fate.INSTEAD, "", sentence)


def _secret(place: str, file: str) -> Meaning:
    return Meaning(Fate.FILL_IN, place, f"passwords are not copied: write it into {file}, on one line, mode 0600")


_SITE = "the public URL, for links, sitemaps and purges"
_ROOT = "Slipway keeps its own files in .slipway below it, which must not be served"
_KEY = "Slipway logs in with a key of its own: make one, and put the server's key into known_hosts"
_SNAPSHOT = (
    "SNAPSHOT takes the place of both mirror scripts: its sources, link rules and exclusions are [environments.MIRROR.snapshot]"
)
_TOMBSTONE = (
    "no tombstones are kept ready: one is made from templates when a retired module is unpublished; for words of your own, "
    "name a folder of templates in environments.DSPACE.retire.tombstone"
)

KEYS: Mapping[tuple[str, str], Meaning] = {
    ("engine", "working_root_dir"): _carried(
        "state_dir", "in a folder of its own below; the content store needs room for a site"
    ),
    ("engine", "production_holding_area"): _carried(
        "targets.mirror-staging, targets.dspace-staging, targets.dspace", "each in a folder of its own below"
    ),
    ("engine", "static_zip_file_dir"): _carried("targets.download", "in a folder of its own below"),
    ("engine", "tombstone_zip_file_dir"): _instead(_TOMBSTONE),
    ("engine", "dspace_tombstone_zip_file_dir"): _instead(_TOMBSTONE),
    ("database", "host"): _carried("queue.url"),
    ("database", "port"): _carried("queue.url"),
    ("database", "dbname"): _instead(
        "Slipway's tables need a database of their own (queue.url says slipway), for the old one has a table of the same name; "
        "docs/switching-over.md has the procedure that passes old calls on"
    ),
    ("database", "username"): _carried("queue.url", "the account's rights are in deploy/mysql-accounts.sql"),
    ("database", "password"): _secret("queue.password", "secrets/queue"),
    ("CMS", "url"): _instead("the editors' address; engines ask engine_url, which is sources.cms.url now"),
    ("CMS", "user"): _carried("sources.cms.username"),
    ("CMS", "password"): _secret("sources.cms.password", "secrets/cms"),
    ("CMS", "host"): _instead("the name in sources.cms.url is enough; no alias in /etc/hosts is needed"),
    ("CMS", "engine_host"): _instead("the name in sources.cms.url is enough; no alias in /etc/hosts is needed"),
    ("CMS", "engine_url"): _carried("sources.cms.url"),
    ("Staging", "url"): _carried("environments.STAGING.site", _SITE),
    ("Staging", "host"): _carried("targets.staging.host", _KEY),
    ("Staging", "user"): _carried("targets.staging.user"),
    ("Staging", "rootdirectory"): _carried("targets.staging.root", _ROOT),
    ("Production", "url"): _carried("environments.PRODUCTION.site, packages.site", _SITE),
    ("Production", "host"): _carried("targets.production.host", _KEY),
    ("Production", "user"): _carried("targets.production.user"),
    ("Production", "rootdirectory"): _carried("targets.production.root", _ROOT),
    ("Mirror", "url"): _carried("environments.MIRROR.site", _SITE),
    ("Mirror", "host"): _carried("targets.mirror.host, targets.rsync.host", _KEY),
    ("Mirror", "user"): _carried("targets.mirror.user, targets.rsync.user"),
    ("Mirror", "rootdirectory"): _carried("targets.mirror.root", "targets.rsync.root, what partners copy, is to be filled in"),
    ("Mirror", "mirror_create_snapshot_script"): _instead(_SNAPSHOT),
    ("Mirror", "mirror_update_snapshot_script"): _instead(_SNAPSHOT),
    ("NetStorage", "host"): _carried("targets.zips.host", _KEY),
    ("NetStorage", "user"): _carried("targets.zips.user"),
    ("NetStorage", "rootdirectory"): _carried("targets.zips.root", _ROOT),
    ("NetStorage", "zipurlprefix"): _carried(
        "schedules.zip-list.parameters.base, environments.MIRROR.snapshot.zips_into", "after the public URL of PRODUCTION"
    ),
    ("DSpace", "retiredcourseziproot"): _carried("targets.retired", "in a folder of its own below"),
    ("DSpace", "deposit_uri_lookup_file_path"): _carried("archives.*.deposits", "the file is read now, and not again"),
    ("DSpace", "current_environment"): _carried("environments.DSPACE.retire.archive"),
}
"""(Section, key in small letters). What is carried over is in the template's words (engines_words.py)."""

ARCHIVE_KEYS: Mapping[str, Meaning] = {
    "dspace_host_id": _instead("the name in the endpoint is enough"),
    "port": _carried("archives.*.deposits", "where the endpoint has none of its own, and it is not that of the scheme"),
    "user": _carried("archives.*.username"),
    "password": _secret("archives.*.password", "secrets/*"),
    "dspace_endpoint_prefix": _carried("archives.*.deposits", "goes before collections that are named by their handle alone"),
    "deposit_uri_lookup_file_name": _carried("archives.*.deposits", "the file is read now, and not again"),
}
"""Keys of a section that describes a DSpace server; * is the new archive's name."""

SECTIONS: Mapping[str, str] = {
    "engine": "state_dir and the holding areas are below /var/lib/slipway",
    "database": "fill in queue.url",
    "CMS": "fill in [sources.cms]",
    "Staging": "fill in [targets.staging] and environments.STAGING.site",
    "Production": "fill in [targets.production], environments.PRODUCTION.site and packages.site",
    "Mirror": "fill in [targets.mirror] and [targets.rsync], or delete them with their environment and holding area",
    "NetStorage": "fill in [targets.zips], or delete it with its holding area",
    "DSpace": "fill in [archives], or delete it with the environment DSPACE",
}
"""The sections that every old file has, and what to do where one is missing."""
