"""The planner on a target that keeps for a while what a release leaves out."""

import hashlib
from dataclasses import replace

from packageslip import Packageslip, Resource, Stale, View, ViewKind
from targets import SEEN, Grace
from tasks.planner import Ground, Policy, plan
from tasks.plans import Plan, Reason, Rule, Verb

URL = "/a"
NOW = 1_800_000_000
POLICY = Policy(grace=Grace(900, NOW))


def digest(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()


def slip(*paths: str, stale: tuple[Stale, ...] = ()) -> Packageslip:
    return Packageslip(URL, tuple(Resource(path, size=1, digest=digest(path)) for path in paths), stale=stale)


def old(path: str, since: int = NOW) -> Stale:
    return Stale(path, 1, digest(path), since)


def made(wanted: Packageslip | None, present: Packageslip, policy: Policy = POLICY, ground: Ground | None = None) -> Plan:
    return plan(wanted, present, policy, url=URL, target="t", ground=ground)


def table(result: Plan) -> dict[str, tuple[Verb, Reason, int | None]]:
    return {change.path: (change.verb, change.reason, change.until) for change in result.changes if change.verb is not Verb.KEEP}


def test_what_leaves_stays_until_its_grace_is_over() -> None:
    present = slip("a", "b", stale=(old("c", NOW - 800), old("d", NOW - 900)))
    assert table(made(slip("a"), present)) == {
        "b": (Verb.STALE, Reason.GRACE, NOW + SEEN + 900),
        "c": (Verb.STALE, Reason.LINGERS, NOW + 100),
        "d": (Verb.DROP, Reason.OVER, None),
    }


def test_without_a_grace_everything_goes() -> None:
    present = slip("a", "b", stale=(old("c"),))
    assert table(made(slip("a"), present, Policy())) == {
        "b": (Verb.DROP, Reason.STALE, None),
        "c": (Verb.DROP, Reason.OVER, None),
    }


def test_an_unpublish_takes_everything() -> None:
    unpublished = (Verb.DROP, Reason.UNPUBLISHED, None)
    assert table(made(None, slip("a", stale=(old("c"),)))) == {"a": unpublished, "c": unpublished}


def test_what_is_in_the_way_goes_at_once() -> None:
    present = slip("a", "x/1", stale=(old("y"), old("A2")))
    twins = replace(POLICY, fold=True)
    assert table(made(slip("a", "x", "y/1", "a2"), present, twins)) == {
        "A2": (Verb.DROP, Reason.STALE, None),
        "a2": (Verb.PUT, Reason.NEW, None),
        "x": (Verb.PUT, Reason.NEW, None),
        "x/1": (Verb.DROP, Reason.STALE, None),
        "y": (Verb.DROP, Reason.STALE, None),
        "y/1": (Verb.PUT, Reason.NEW, None),
    }


def test_what_is_listed_again_returns() -> None:
    result = made(slip("a", "c"), slip("a", stale=(old("c", NOW - 9000),)))
    assert [(change.verb, change.reason) for change in result.changes] == [
        (Verb.KEEP, Reason.SAME),
        (Verb.KEEP, Reason.RETURNS),
    ]
    assert not result.objections


def test_a_deeper_module_takes_stale_files_over() -> None:
    result = made(slip("a"), slip("a", stale=(old("b/c"),)), ground=Ground(below=("/a/b",)))
    assert table(result) == {"b/c": (Verb.LEAVE, Reason.NESTED, None)}


def test_the_guard_counts_what_leaves_and_not_what_left_before() -> None:
    present = slip(*"abcd", stale=tuple(old(f"s{n}", NOW - 9000) for n in range(50)))
    assert made(slip(*"abc"), present).objections == ()
    assert [objection.rule for objection in made(slip("a"), present).objections] == [Rule.HALF]


def test_time_alone_makes_no_approval_void() -> None:
    present = slip("a", "b", stale=(old("c"),))
    now = made(slip("a"), present).digest
    assert made(slip("a"), present, Policy(grace=Grace(900, NOW + 5000))).digest == now
    assert made(slip("a"), slip("a", "b")).digest == now
    assert made(slip("a"), present, Policy()).digest == now
    assert made(slip("a"), slip("a", "b", "e")).digest != now


def test_a_view_that_leaves_counts_by_its_bytes_like_any_drop() -> None:
    def with_view(content: str) -> Packageslip:
        return replace(slip("a"), views=(View("v.json", ViewKind.JSON, size=1, digest=digest(content)),))

    assert made(slip("a"), with_view("1")).digest != made(slip("a"), with_view("2")).digest
