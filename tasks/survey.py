"""What lies on a target, compared with what its own slips say: of a group, every member is looked at by itself."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from packageslip import Packageslip
from targets import Target, TargetBusy, TransientTargetError
from tasks.tools import members, needed_members
from tasks.work import Work

TRIES = 3
"""Times that a module is read which changes while it is read, before the task is tried again later."""


@dataclass(frozen=True, slots=True)
class Look:
    """One place and its own slip: what that lists and the place does not have as listed."""

    place: str
    slip: Packageslip | None
    missing: tuple[str, ...] = ()
    differing: tuple[str, ...] = ()

    def sentence(self) -> str:
        """What is wrong, in words; empty if nothing is."""
        if self.slip is None or not self.missing + self.differing:
            return ""
        files = sum(1 for _ in self.slip.files())
        return (
            f"of {files} files of {self.slip.url} on {self.place}, {len(self.missing)} are missing, {len(self.differing)} differ "
            f"from the slip ({', '.join(sorted(self.missing + self.differing)[:3])})"
        )


@dataclass(frozen=True, slots=True)
class Survey:
    """Every place that could be looked at, and why the others could not."""

    looks: tuple[Look, ...]
    unseen: Mapping[str, TransientTargetError] = field(default_factory=dict)

    @property
    def newest(self) -> Packageslip | None:
        """The slip that should lie everywhere."""
        return max((look.slip for look in self.looks if look.slip), key=lambda slip: slip.serial or 0, default=None)

    @property
    def empty(self) -> tuple[str, ...]:
        """The places without a slip."""
        return tuple(look.place for look in self.looks if look.slip is None)

    @property
    def behind(self) -> tuple[str, ...]:
        """The places that have another slip than the newest, or none. Serials and stale files make no difference."""
        newest = _content(self.newest)
        return tuple(look.place for look in self.looks if _content(look.slip) != newest)

    @property
    def missing(self) -> list[str]:
        return sorted({path for look in self.looks for path in look.missing})

    @property
    def differing(self) -> list[str]:
        return sorted({path for look in self.looks for path in look.differing})

    @property
    def damaged(self) -> frozenset[str]:
        """What is missing or differs anywhere."""
        return frozenset(self.missing + self.differing)


def _content(slip: Packageslip | None) -> Packageslip | None:
    return replace(slip, serial=None, stale=()) if slip else None


def survey(work: Work) -> Survey:
    """Look at the task's target, or at each member of a group.

    Raises what a target raises; but members of a group that cannot be reached, and may lag, are named in the result.
    """
    names = members(work.tools.settings, work.target)
    if not names:
        return Survey((_look(work, work.tools.target),))
    looks: list[Look] = []
    unseen: dict[str, TransientTargetError] = {}
    for name in names:
        try:
            looks.append(_look(work, work.tools.open_target(name)))
        except TransientTargetError as error:
            unseen[name] = error
            if len(names) - len(unseen) < needed_members(work.tools.settings, work.target):
                raise
    return Survey(tuple(looks), unseen)


def _look(work: Work, target: Target) -> Look:
    """Slip, files, slip again: what is read while a release switches is neither the old nor the new module."""
    url = work.task.url
    slip = target.slip(url)
    for _ in range(TRIES):
        look = _compared(work, target, slip) if slip else Look(target.name, None)
        again = target.slip(url)
        if again == slip:
            return look
        slip = again
    raise TargetBusy(f"{target.name}: {url} changes while it is verified", target=target.name)


def _compared(work: Work, target: Target, slip: Packageslip) -> Look:
    files = sorted(slip.files(), key=lambda file: file.path)
    missing, differing = [], []
    with work.step("verify", len(files), sum(file.size or 0 for file in files)):
        found = target.digests(slip.url, [file.path for file in files])
        for file, (path, size, digest) in zip(files, found, strict=True):
            work.tools.pause_point()
            work.file_done(size or 0)
            if digest is None:
                missing.append(path)
            elif digest != file.digest:
                differing.append(path)
    return Look(target.name, slip, tuple(missing), tuple(differing))
