"""What must hold for every history of a target, judged from its own log and from what visitors saw."""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from itertools import pairwise

from packageslip import Packageslip
from reliability.happenings import Digest, History, Move, Violation


def switches(history: History) -> Iterator[Violation]:
    """The switches of two holders of one module never cross, and a lower fence never follows a higher one."""
    by_module: dict[tuple[str, str, str], list[Move]] = {}
    for move in history.moves:
        by_module.setdefault((move.target, move.area, move.module), []).append(move)
    for moves in by_module.values():
        yield from _in_turn(moves)


def _in_turn(moves: list[Move]) -> Iterator[Violation]:
    gone: set[str] = set()
    for before, after in pairwise(moves):
        if before.token == after.token:
            continue
        gone.add(before.token)
        if after.token in gone:
            yield Violation("switch", f"{after.token} moved {after.path} on {after.target} between two moves of {before.token}")
        if after.fence <= before.fence:
            yield Violation(
                "switch", f"{after.token} moved {after.path} on {after.target} after {before.token} had moved {before.path}"
            )


def serials(history: History) -> Iterator[Violation]:
    """While a module is live, its serial never goes back."""
    last: dict[tuple[str, str, str], int | None] = {}
    for seen in history.records:
        module = (seen.target, seen.queue, seen.url)
        before = last.get(module)
        if before is not None and seen.serial is not None and seen.serial < before:
            yield Violation("serial", f"{seen.url} on {seen.target} went from serial {before} back to {seen.serial}")
        last[module] = seen.serial


def sightings(history: History) -> Iterator[Violation]:
    """What a visitor saw was listed by a slip at some time, with these very bytes."""
    for seen in dict.fromkeys(history.sightings):
        if (seen.target, seen.path, seen.digest) not in history.listed:
            yield Violation("unlisted", f"{seen.path} on {seen.target} with {seen.digest.hex()[:12]}, which no slip ever listed")


def publications(history: History) -> Iterator[Violation]:
    """The record says of each module on each target that at most one thing is live."""
    for (target, url), count in Counter((p.target, p.url) for p in history.publications if p.open).items():
        if count > 1:
            yield Violation("publication", f"{url} is recorded {count} times as live on {target}")


RULES = (switches, serials, sightings, publications)


def unequal(
    target: str, slips: Collection[Packageslip], files: Mapping[str, Digest], foreign: Collection[str] = ()
) -> Iterator[Violation]:
    """Where a target at rest differs from its own slips. `files`: every public file but the slips' public copies.

    `foreign`: paths that lay there before and are nobody's.
    """
    listed: dict[str, Digest | None] = {}
    for slip in slips:
        for file in slip.ours():
            listed[public_path(slip.url, file.path)] = file.digest
    for path in sorted(listed.keys() | files.keys()):
        if path not in files:
            yield Violation("tree", f"{path} on {target} is listed and is not there")
        elif path not in listed and path not in foreign:
            yield Violation("tree", f"{path} on {target} is there and no slip lists it")
        elif path in listed and listed[path] != files[path]:
            yield Violation("tree", f"{path} on {target} has other bytes than its slip says")


def public_path(url: str, path: str) -> str:
    """Where the public sees a path of a module, below the root."""
    return url.strip("/") if path == "." else f"{url}/{path}".strip("/")
