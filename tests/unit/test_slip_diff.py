"""A difference tells of each path once what happened to it."""

from packageslip import Packageslip, Resource, SlipDiff, View, ViewKind, diff_slips


def slip(title: str | None = None, **digests: str | None) -> Packageslip:
    resources = tuple(Resource(path, digest=text.encode() if text else None) for path, text in digests.items())
    return Packageslip("/a", resources=resources, title=title)


def test_equal_slips_keep_everything() -> None:
    assert diff_slips(slip(a="1", b="2"), slip(a="1", b="2")) == SlipDiff(kept=("a", "b"))


def test_each_path_is_in_one_place() -> None:
    difference = diff_slips(
        slip(kept="1", changed="2", gone="3", old="4", unknown=None), slip(kept="1", changed="5", new="6", moved="4", unknown="7")
    )
    assert difference == SlipDiff(("new",), ("changed",), ("gone",), ("kept",), (("old", "moved"),), ("unknown",))


def test_copies_of_one_file_are_renamed_one_by_one() -> None:
    difference = diff_slips(slip(a="1", b="1", c="1"), slip(x="1", y="1"))
    assert difference == SlipDiff(removed=("c",), renamed=(("a", "x"), ("b", "y")))


def test_a_file_without_digest_is_not_taken_for_renamed() -> None:
    assert diff_slips(slip(a=None), slip(b=None)) == SlipDiff(added=("b",), removed=("a",))


def test_a_slip_that_does_not_exist_lists_nothing() -> None:
    assert diff_slips(None, slip(a="1")) == SlipDiff(added=("a",))
    assert diff_slips(slip(a="1"), None) == SlipDiff(removed=("a",))


def test_views_count_as_files() -> None:
    view = Packageslip("/a", views=(View("v", ViewKind.JSON),))
    assert diff_slips(view, view) == SlipDiff(unknown=("v",))


def test_what_describes_the_module_is_compared_too() -> None:
    assert diff_slips(slip("Old", a="1"), slip("New", a="1")).described == ("title",)
