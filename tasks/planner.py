"""What to do to make a module on a target equal to a slip: a pure function of values.

It merges two lists sorted by path, so that 200,000 files cost one pass and no table of their own.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain
from operator import attrgetter
from typing import TypeVar

from packageslip import Digest, Packageslip, Resource, Stale, View
from targets import Grace, in_the_way
from tasks.plans import Change, File, Objection, Plan, Reason, Rule, Verb, together

Slip = Packageslip | None
Held = Resource | View | Stale
"""What is ours on the target."""

SHOWN = 3
"""Paths that a sentence names before it says how many more there are."""


@dataclass(frozen=True, slots=True)
class Policy:
    """How careful to be."""

    drop_files: int = 20
    drop_percent: float = 10
    index_pages: tuple[str, ...] = ("index.htm", "index.html")
    full: bool = False
    """Put every file again, also those whose bytes are the same."""
    consent: bool = False
    """The drops were agreed to already: a holding area follows what the guard let through on the origin."""
    grace: Grace | None = None
    """How long stays what leaves the module; None: it goes at once."""
    fold: bool = False
    """Names that differ only by case are one file on the target."""

    def allowed_drops(self, held: int) -> float:
        """How many of `held` files may go without asking."""
        return max(self.drop_files, held * self.drop_percent / 100)


@dataclass(frozen=True, slots=True)
class Ground:
    """What is known about the place, beside the live slip."""

    strangers: Mapping[str, Digest | None] = field(default_factory=dict)
    """What lies at wanted paths that no slip of ours lists; None: not a regular file."""
    below: Collection[str] = ()
    """URLs of modules on this target that lie strictly below this one."""
    damaged: Collection[str] = ()
    """Paths that the live slip lists and whose bytes are known to be wrong or gone."""

    def owner(self, url: str, path: str) -> str | None:
        """The module below `url` that this path of `url` belongs to."""
        if not self.below:
            return None
        folder = url.rstrip("/")
        for part in path.split("/"):
            folder = f"{folder}/{part}"
            if folder in self.below:
                return folder
        return None


def plan(
    wanted: Packageslip | None,
    present: Packageslip | None,
    policy: Policy,
    *,
    url: str,
    target: str,
    ground: Ground | None = None,
) -> Plan:
    """What makes the module hold exactly `wanted` (None: nothing), and what stands against it.

    Wanted files without a digest are "unknown until fetched": only a dry run has them.
    """
    ground = replace(ground, below=frozenset(ground.below)) if ground else Ground()
    leaving = _leaving(wanted, present, policy)
    others: list[Change] = []
    same: list[File] = []
    fresh: list[File] = []
    for new, old in _pairs(_sorted(wanted.files() if wanted else ()), _sorted(present.ours() if present else ())):
        if new is None:
            others.append(_departure(old, url, leaving, ground))
        elif old is None and ground.strangers.get(new.path) is None:
            fresh.append(new)
        elif _is_same(new, old, policy, ground):
            same.append(new)
        else:
            others.append(_coming(new, old, policy, ground))
    made = Plan(url, target, tuple(others), tuple(same), tuple(fresh))
    # An unpublish carries its own consent: it drops what our slip lists and nothing else.
    return replace(made, objections=tuple(_objections(made, wanted, present, policy, ground))) if wanted else made


def standing(plans: Sequence[Plan], approved: str | None, *, adopt: bool) -> list[Objection]:
    """What stands against the plans of a target's members after a person's approval.

    `approved`: the digest that the approval named (`together`); it waives what this very plan does and nothing else.
    `adopt`: it also allows to overwrite files that are not ours.
    """
    objections = [objection for made in plans for objection in made.objections]
    if approved is None or approved != together(plans):
        return objections
    return [each for each in objections if each.rule.final or (each.rule is Rule.STRANGERS and not adopt)]


_File = TypeVar("_File", bound=Held)


def _sorted(files: Iterable[_File]) -> list[_File]:
    return sorted(files, key=attrgetter("path"))


def _pairs(wanted: Iterable[File], present: Iterable[Held]) -> Iterator[tuple[File | None, Held | None]]:
    """The two lists side by side: for each path, what is wanted there and what our slip says lies there."""
    left, right = iter(wanted), iter(present)
    new, old = next(left, None), next(right, None)
    while new and old:
        if new.path < old.path:
            yield new, None
            new = next(left, None)
        elif old.path < new.path:
            yield None, old
            old = next(right, None)
        else:
            yield new, old
            new, old = next(left, None), next(right, None)
    if new:
        yield from ((each, None) for each in chain((new,), left))
    if old:
        yield from ((None, each) for each in chain((old,), right))


@dataclass(frozen=True, slots=True)
class _Leaving:
    """Why and when paths leave that are not wanted. `way`: those that stand where something wanted goes."""

    reason: Reason
    grace: Grace | None = None
    way: frozenset[str] = frozenset()


def _leaving(wanted: Slip, present: Slip, policy: Policy) -> _Leaving:
    if wanted is None:
        return _Leaving(Reason.UNPUBLISHED)
    if policy.grace is None or present is None:
        return _Leaving(Reason.STALE)
    paths = {file.path for file in wanted.files()}
    gone = [file for file in present.ours() if file.path not in paths]
    return _Leaving(Reason.STALE, policy.grace, frozenset(file.path for file in in_the_way(gone, paths, fold=policy.fold)))


def _departure(old: Held | None, url: str, leaving: _Leaving, ground: Ground) -> Change:
    """A path that is no longer wanted."""
    assert old is not None
    if ground.owner(url, old.path):
        return Change(old.path, Verb.LEAVE, Reason.NESTED, old.size, was=old.digest)
    grace = leaving.grace
    change = Change(old.path, Verb.DROP, leaving.reason, old.size, was=old.digest, view=isinstance(old, View))
    if isinstance(old, Stale) and leaving.reason is Reason.STALE and (grace is None or grace.over(old)):
        return change._replace(reason=Reason.OVER)
    if grace is None or old.path in leaving.way:
        return change
    if isinstance(old, Stale):
        return change._replace(verb=Verb.STALE, reason=Reason.LINGERS, until=old.until(grace.seconds))
    return change._replace(verb=Verb.STALE, reason=Reason.GRACE, until=grace.since + grace.seconds)


def _is_same(new: File, old: Held | None, policy: Policy, ground: Ground) -> bool:
    """Whether a path stays as it is, and is listed as it was."""
    return (
        old is not None
        and new.digest is not None
        and new.digest == old.digest
        and not policy.full
        and new.path not in ground.damaged
        and not isinstance(old, Stale)
    )


_KEPT = (Reason.ADOPTED, Reason.RETURNS)


def _coming(new: File, old: Held | None, policy: Policy, ground: Ground) -> Change:
    """A path that is wanted, and at which something else lies, or the same that is not to stay."""
    was = old.digest if old else ground.strangers.get(new.path)
    reason = _reason(new, old, was, policy, ground)
    verb = Verb.KEEP if reason in _KEPT else Verb.PUT
    return Change(new.path, verb, reason, new.size, new.digest, was, isinstance(new, View))


def _reason(new: File, old: Held | None, was: Digest | None, policy: Policy, ground: Ground) -> Reason:
    if new.digest is None:
        return Reason.UNKNOWN
    if new.digest != was:
        return Reason.CHANGED if old else Reason.OVERWRITES
    if new.path in ground.damaged:
        return Reason.DAMAGED
    if policy.full:
        return Reason.FULL
    return Reason.ADOPTED if old is None else Reason.RETURNS


def _objections(made: Plan, wanted: Packageslip, present: Slip, policy: Policy, ground: Ground) -> Iterator[Objection]:
    yield from _empty(wanted)
    yield from _nested(made, ground)
    yield from _strangers(made, present, ground)
    if not policy.consent:
        yield from _drops(made, present, policy)


def _empty(wanted: Packageslip) -> Iterator[Objection]:
    if not wanted.resources and not wanted.views:
        yield Objection(
            Rule.EMPTY,
            f"the slip of {wanted.url} lists no file at all, which is nearly always a fault of its source; "
            "correct it there, or use UNPUBLISH to take the module away",
        )


def _nested(made: Plan, ground: Ground) -> Iterator[Objection]:
    coming = made.of(Verb.PUT, Verb.KEEP) if ground.below else ()
    owned = {change.path: owner for change in coming if (owner := ground.owner(made.url, change.path))}
    if owned:
        yield Objection(
            Rule.NESTED,
            f"the slip of {made.url} lists {_some(tuple(owned))}, which belongs to the module {next(iter(owned.values()))} "
            f"on {made.target}; take it out of the slip, or unpublish that module first",
            tuple(owned),
        )


def _strangers(made: Plan, present: Slip, ground: Ground) -> Iterator[Objection]:
    if not ground.strangers:
        return
    blocked = tuple(path for path, digest in ground.strangers.items() if digest is None and not _ours(path, present))
    if blocked:
        yield Objection(
            Rule.BLOCKED,
            f"a folder, link or special file (or, on a group, different files) stands on {made.target} where {made.url} "
            f"must put {_some(blocked)}; move it away",
            blocked,
        )
    foreign = tuple(change.path for change in made.others if change.reason is Reason.OVERWRITES)
    if foreign:
        yield Objection(
            Rule.STRANGERS,
            f"{made.target} has files that {made.url} did not publish where it must put {_some(foreign)}; if another module "
            "gave them away, publish that one first, otherwise approve the plan with adopt to overwrite them",
            foreign,
        )


def _ours(folder: str, present: Slip) -> bool:
    """Whether a folder is there because our own files lie in it: it goes with them when a file takes its name."""
    return present is not None and any(file.path.startswith(folder + "/") for file in present.ours())


def _drops(made: Plan, present: Slip, policy: Policy) -> Iterator[Objection]:
    if present is None:
        return
    drops = tuple(change.path for change in made.others if change.leaves)
    held = sum(1 for _ in present.files())
    shrunk = f"publishing {made.url} would drop {len(drops)} of its {held} files on {made.target}"
    if len(drops) > policy.allowed_drops(held):
        yield Objection(Rule.DROPS, f"{shrunk} ({_some(drops)}); approve the plan if that is meant", drops)
    elif len(drops) * 2 > held:
        yield Objection(Rule.HALF, f"{shrunk}, more than half ({_some(drops)}); approve the plan if that is meant", drops)
    index = tuple(path for path in drops if path in policy.index_pages)
    if index:
        sentence = f"publishing {made.url} would drop its index page {_some(index)}; approve the plan if that is meant"
        yield Objection(Rule.INDEX, sentence, index)


def _some(paths: Sequence[str]) -> str:
    """The first few paths, and how many more."""
    more = len(paths) - SHOWN
    return ", ".join(paths[:SHOWN]) + (f" and {more} more" if more > 0 else "")
