"""What differs between two slips of a module."""

from collections.abc import Mapping
from dataclasses import dataclass, fields

from packageslip.values import Digest, Packageslip, Resource, View

_FILES = frozenset({"resources", "views", "stale"})


@dataclass(frozen=True, slots=True)
class SlipDiff:
    """Paths by what happened to them, each in exactly one place and sorted; a renamed one is (old path, new path)."""

    added: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()
    renamed: tuple[tuple[str, str], ...] = ()
    """The same bytes under another path."""
    unknown: tuple[str, ...] = ()
    """In both, but a digest is missing: only fetching would tell."""
    described: tuple[str, ...] = ()
    """Fields of the slip itself that differ (title, state, dependents, ...)."""


def diff_slips(old: Packageslip | None, new: Packageslip | None) -> SlipDiff:
    """What changes from `old` to `new`; None is a slip that does not exist and lists nothing."""
    before, after = _by_path(old), _by_path(new)
    both = sorted(before.keys() & after.keys())
    unknown = {path for path in both if before[path].digest is None or after[path].digest is None}
    changed = {path for path in both if path not in unknown and before[path].digest != after[path].digest}
    removed, added = sorted(before.keys() - after.keys()), sorted(after.keys() - before.keys())
    renamed = _renamed({path: before[path].digest for path in removed}, {path: after[path].digest for path in added})
    arrived = set(renamed.values())
    return SlipDiff(
        added=tuple(path for path in added if path not in arrived),
        changed=tuple(sorted(changed)),
        removed=tuple(path for path in removed if path not in renamed),
        kept=tuple(path for path in both if path not in unknown and path not in changed),
        renamed=tuple(sorted(renamed.items())),
        unknown=tuple(sorted(unknown)),
        described=_described(old, new),
    )


def _by_path(slip: Packageslip | None) -> Mapping[str, Resource | View]:
    return {file.path: file for file in slip.files()} if slip else {}


def _renamed(removed: Mapping[str, Digest | None], added: Mapping[str, Digest | None]) -> dict[str, str]:
    """Old path to new path, each used once, in the order of the paths."""
    places: dict[Digest, list[str]] = {}
    for path, digest in removed.items():
        if digest is not None:
            places.setdefault(digest, []).append(path)
    renamed: dict[str, str] = {}
    for path, digest in added.items():
        if digest is not None and places.get(digest):
            renamed[places[digest].pop(0)] = path
    return renamed


def _described(old: Packageslip | None, new: Packageslip | None) -> tuple[str, ...]:
    if old is None or new is None:
        return ()
    names = (field.name for field in fields(Packageslip) if field.name not in _FILES)
    return tuple(name for name in names if getattr(old, name) != getattr(new, name))
