"""The planner: every change has its reason, and the guard asks before it lets much go."""

import hashlib
from dataclasses import replace
from typing import Any

import pytest

from packageslip import Digest, Packageslip, Resource, View, ViewKind
from tasks.planner import Ground, Policy, plan, standing
from tasks.plans import Plan, Reason, Rule, Verb, together

URL = "/courses/8-01"


def digest(text: str) -> Digest:
    return hashlib.sha256(text.encode()).digest()


def slip(*views: str, url: str = URL, **files: str | None) -> Packageslip:
    """A slip of files by name (a_htm is a.htm) and content; None: without a digest."""
    resources = tuple(resource(name.replace("_", "."), text) for name, text in files.items())
    return Packageslip(url, resources, tuple(View(path, ViewKind.JSON, digest=digest(path), size=1) for path in views))


def resource(path: str, text: str | None) -> Resource:
    return Resource(path, size=len(text), digest=digest(text)) if text is not None else Resource(path)


def many(count: int, first: int = 0) -> Packageslip:
    return Packageslip(URL, tuple(resource(f"f{i:05}.htm", str(i)) for i in range(first, first + count)))


def made(wanted: Packageslip | None, present: Packageslip | None, policy: Policy | None = None, **known: Any) -> Plan:
    return plan(wanted, present, policy or Policy(), url=URL, target="origin", ground=Ground(**known) if known else None)


def table(result: Plan) -> dict[str, tuple[Verb, Reason]]:
    return {change.path: (change.verb, change.reason) for change in result.changes}


def rules(result: Plan) -> list[Rule]:
    return [objection.rule for objection in result.objections]


def test_a_first_publish_puts_everything() -> None:
    result = made(slip("v.json", a_htm="a", b_pdf="b"), None)
    assert table(result) == dict.fromkeys(["a.htm", "b.pdf", "v.json"], (Verb.PUT, Reason.NEW))
    assert not result.objections
    assert result.moves


def test_what_differs_moves_and_the_rest_is_kept() -> None:
    result = made(slip(a_htm="new", b_htm="b", d_htm="d"), slip(a_htm="old", b_htm="b", c_htm="c"))
    assert table(result) == {
        "a.htm": (Verb.PUT, Reason.CHANGED),
        "b.htm": (Verb.KEEP, Reason.SAME),
        "c.htm": (Verb.DROP, Reason.STALE),
        "d.htm": (Verb.PUT, Reason.NEW),
    }
    assert result.counts() == {"put": 2, "keep": 1, "drop": 1, "leave": 0, "stale": 0, "bytes": 4}


def test_nothing_moves_when_nothing_changed() -> None:
    result = made(slip("v.json", a_htm="a"), slip("v.json", a_htm="a"))
    assert not result.moves


def test_the_order_of_the_document_does_not_matter() -> None:
    one, two = slip(a_htm="a", b_htm="b"), slip(b_htm="b", a_htm="a")
    assert made(one, None) == made(two, None)
    assert [change.path for change in made(two, None).changes] == ["a.htm", "b.htm"]


def test_full_mode_puts_what_is_the_same_too() -> None:
    result = made(slip(a_htm="a", b_htm="b"), slip(a_htm="a"), Policy(full=True), strangers={"b.htm": digest("b")})
    assert table(result) == {"a.htm": (Verb.PUT, Reason.FULL), "b.htm": (Verb.PUT, Reason.FULL)}


def test_without_a_digest_it_is_unknown_until_fetched() -> None:
    result = made(slip(a_htm=None, b_htm=None), slip(a_htm="a"))
    assert table(result) == {"a.htm": (Verb.PUT, Reason.UNKNOWN), "b.htm": (Verb.PUT, Reason.NEW)}


def test_a_damaged_file_is_put_again() -> None:
    result = made(slip(a_htm="a", b_htm="b"), slip(a_htm="a", b_htm="b"), damaged={"b.htm"})
    assert table(result) == {"a.htm": (Verb.KEEP, Reason.SAME), "b.htm": (Verb.PUT, Reason.DAMAGED)}


def test_equal_strangers_are_adopted() -> None:
    result = made(slip(a_htm="a"), None, strangers={"a.htm": digest("a")})
    assert table(result) == {"a.htm": (Verb.KEEP, Reason.ADOPTED)}
    assert result.adopted == ("a.htm",)
    assert not result.objections


def test_different_strangers_wait_for_an_approval_with_adopt() -> None:
    known: dict[str, Any] = {"strangers": {"a.htm": digest("theirs")}}
    held = made(slip(a_htm="ours"), None, **known)
    assert rules(held) == [Rule.STRANGERS]
    assert "a.htm" in held.objections[0].sentence
    assert [each.rule for each in standing([held], held.digest, adopt=False)] == [Rule.STRANGERS]
    assert not standing([held], held.digest, adopt=True)


def test_a_stranger_that_changes_after_the_approval_is_asked_about_again() -> None:
    held = made(slip(a_htm="ours"), None, strangers={"a.htm": digest("theirs")})
    later = made(slip(a_htm="ours"), None, strangers={"a.htm": digest("other")})
    assert standing([later], held.digest, adopt=True) == list(later.objections) != []


def test_a_folder_in_the_way_cannot_be_approved() -> None:
    known: dict[str, Any] = {"strangers": {"a": None}}
    wanted = Packageslip(URL, (resource("a", "a"),))
    held = made(wanted, None, **known)
    assert rules(held) == [Rule.BLOCKED]
    assert standing([held], held.digest, adopt=True)
    assert rules(made(wanted, slip(b_htm="b"), **known))[0] is Rule.BLOCKED


def test_a_folder_of_our_own_files_gives_way_to_a_file() -> None:
    before = Packageslip(URL, (resource("a/1.htm", "1"), resource("b.htm", "b"), resource("c.htm", "c")))
    after = Packageslip(URL, (resource("a", "now a file"), resource("b.htm", "b"), resource("c.htm", "c")))
    result = made(after, before, strangers={"a": None})
    assert not result.objections
    assert table(result)["a"] == (Verb.PUT, Reason.NEW)


@pytest.mark.parametrize(
    ("held", "drops", "asked"),
    [
        (100, 20, []),
        (100, 21, [Rule.DROPS]),
        (1000, 100, []),
        (1000, 101, [Rule.DROPS]),
        (10, 5, []),
        (10, 6, [Rule.HALF]),
        (1, 1, [Rule.HALF]),
    ],
)
def test_the_guard_counts_drops(held: int, drops: int, asked: list[Rule]) -> None:
    wanted = replace(many(held - drops, drops), views=(View("v.json", ViewKind.JSON, digest=digest("v"), size=1),))
    assert rules(made(wanted, many(held))) == asked


def test_the_guard_asks_before_an_index_page_goes() -> None:
    before = slip(index_htm="i", a_htm="a", b_htm="b")
    assert rules(made(slip(a_htm="a", b_htm="b"), before)) == [Rule.INDEX]


def test_an_index_page_of_a_folder_is_a_page_like_others() -> None:
    pages = tuple(resource(path, path) for path in ("a.htm", "b.htm", "notes/index.htm"))
    assert not made(Packageslip(URL, pages[:2]), Packageslip(URL, pages)).objections


def test_an_approval_lets_exactly_this_plan_go_on() -> None:
    held = made(many(10, 90), many(100))
    assert standing([held], None, adopt=True)
    assert not standing([held], held.digest, adopt=False)
    assert standing([made(many(9, 91), many(100))], held.digest, adopt=True)


def test_an_approval_of_a_group_names_all_its_plans() -> None:
    plans = [made(many(10, 90), many(100)), made(many(10, 90), None)]
    assert standing(plans, plans[0].digest, adopt=True)
    assert not standing(plans, together(plans), adopt=True)


def test_drops_that_were_agreed_to_already_are_not_asked_about_again() -> None:
    assert not made(many(10, 90), many(100), Policy(consent=True)).objections


def test_the_guard_follows_its_settings() -> None:
    assert not made(many(40, 60), many(100), Policy(drop_files=100)).objections[1:]
    assert rules(made(many(99, 1), many(100), Policy(drop_files=0, drop_percent=0))) == [Rule.DROPS]
    assert rules(made(slip(a="a", b="b"), slip(a="a", b="b", start="s"), Policy(index_pages=("start",)))) == [Rule.INDEX]


def test_an_empty_slip_is_refused_for_good() -> None:
    refused = made(slip(), None)
    assert rules(refused) == [Rule.EMPTY]
    assert standing([refused], refused.digest, adopt=True)


def test_a_module_of_views_alone_can_be_published() -> None:
    assert not made(slip("feed.xml"), None).objections


def test_an_unpublish_drops_what_the_slip_lists_and_asks_nothing() -> None:
    result = made(None, replace(many(100), views=(View("v.json", ViewKind.JSON),)))
    assert set(table(result).values()) == {(Verb.DROP, Reason.UNPUBLISHED)}
    assert len(result.changes) == 101
    assert not result.objections


def test_an_unpublish_of_nothing_is_nothing() -> None:
    assert not made(None, None).changes


def test_a_slip_may_not_list_what_lies_in_a_deeper_module() -> None:
    wanted = Packageslip(URL, (resource("index.htm", "i"), resource("lab/x.htm", "x"), resource("labs.htm", "l")))
    result = made(wanted, None, below=[f"{URL}/lab"])
    assert rules(result) == [Rule.NESTED]
    assert result.objections[0].paths == ("lab/x.htm",)
    assert f"{URL}/lab" in result.objections[0].sentence
    assert standing([result], result.digest, adopt=True)


def test_a_module_can_be_a_single_file_below_another() -> None:
    wanted = Packageslip(URL, (resource("index.htm", "i"), resource("terms.htm", "x")))
    assert rules(made(wanted, None, below=[f"{URL}/terms.htm"])) == [Rule.NESTED]


def test_the_root_module_may_not_list_what_lies_deeper() -> None:
    wanted = Packageslip("/", (resource("a/b.htm", "x"),))
    assert rules(plan(wanted, None, Policy(), url="/", target="t", ground=Ground(below=["/a"]))) == [Rule.NESTED]


def test_nothing_of_a_deeper_module_is_dropped() -> None:
    before = Packageslip(URL, (resource("index.htm", "i"), resource("lab/x.htm", "x"), resource("old.htm", "o")))
    for wanted in (Packageslip(URL, before.resources[:1]), None):
        result = made(wanted, before, below=[f"{URL}/lab"])
        assert table(result)["lab/x.htm"] == (Verb.LEAVE, Reason.NESTED)
        assert result.left == {"lab/x.htm"}
        assert table(result)["old.htm"][0] is Verb.DROP


def test_a_resource_that_becomes_a_view_is_one_path() -> None:
    assert list(table(made(slip("a.json"), slip(a_json="text")))) == ["a.json"]


def test_the_digest_of_a_view_is_no_part_of_an_approval() -> None:
    before, wanted = many(100), replace(many(10, 90), views=(View("v.json", ViewKind.JSON, size=1, digest=digest("one")),))
    later = replace(wanted, views=(View("v.json", ViewKind.JSON, size=1, digest=digest("two")),))
    assert made(wanted, before).digest == made(later, before).digest
    assert made(wanted, before).digest != made(replace(wanted, views=()), before).digest
    held = replace(before, views=wanted.views)
    assert made(wanted, held).digest == made(later, held).digest


def test_a_dropped_view_is_part_of_it() -> None:
    views = slip("a.json", "b.json", x="x"), slip("a.json", "b.json", "c.json", x="x")
    assert made(*views).digest != made(views[0], views[0]).digest


def test_the_document_lists_what_moves_first_and_says_what_it_leaves_out() -> None:
    document = made(many(30, 5), many(30)).document(listed=12)
    assert [change["change"] for change in document["changes"]] == ["drop"] * 5 + ["put"] * 5 + ["keep"] * 2
    assert document["not_listed"] == 23
    assert document["counts"]["drop"] == 5
    assert document["changes"][0]["sentence"] == "f00000.htm was published by us and is no longer listed"
    assert document["changes"][0]["digest"] is None
    assert document["digest"] == made(many(30, 5), many(30)).digest


def test_every_reason_has_its_sentence() -> None:
    assert all(reason.sentence for reason in Reason)


def test_a_sentence_names_a_few_paths_and_counts_the_others() -> None:
    assert "f00000.htm, f00001.htm, f00002.htm and 18 more" in made(many(79, 21), many(100)).objections[0].sentence


def test_plans_of_a_group_have_one_digest() -> None:
    one, two = made(many(3), None), made(many(3), many(2))
    assert together([one]) == one.digest
    assert together([one, two]) not in {one.digest, two.digest, together([two, one])}
