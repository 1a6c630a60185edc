"""The pure decisions of the commit protocol: from a note and what lies there to calls."""

from targets import protocol
from targets.area import Held, staged
from targets.disk import Call, Entry, EntryType, Op
from targets.note import Drop, Note, Part, Put
from targets.protocol import Remaining

HELD = Held("/m", "M", "T")
FILE, FOLDER, LINK = (Entry(kind, 0, 0) for kind in (EntryType.FILE, EntryType.FOLDER, EntryType.LINK))


def note(puts: list[str], drops: list[str], *, fold: bool = False, folders: tuple[str, ...] = (), url: str = "/m") -> Note:
    lines = tuple(Put(str(number), path, Part.ASSET) for number, path in enumerate(puts))
    return Note(
        url,
        "T",
        2,
        1,
        publish=True,
        puts=lines,
        drops=tuple(Drop(path, Part.ASSET) for path in drops),
        folders=folders,
        fold=fold,
    )


def paths(drops: tuple[Drop, ...]) -> list[str]:
    return [drop.path for drop in drops]


def test_only_what_is_still_staged_remains() -> None:
    made = note(["a", "b"], [])
    assert protocol.remaining(made, {staged("T", "1"), staged("U", "0"), "next.xml"}) == Remaining((made.puts[1],), slip=False)
    assert protocol.remaining(made, {staged("T", "slip")}) == Remaining((), slip=True)


def test_a_file_is_in_the_way_of_what_goes_below_it_and_the_other_way_round() -> None:
    drops = tuple(Drop(path, Part.ASSET) for path in ("a", "b/c/d", "b/e", "bx", "z"))
    assert paths(protocol.in_the_way(drops, ["a/one", "b"], fold=False)) == ["a", "b/c/d", "b/e"]


def test_twins_by_case_are_in_each_others_way_only_where_case_is_folded() -> None:
    drops = (Drop("A.HTM", Part.PAGE), Drop("Img/x", Part.ASSET))
    assert protocol.in_the_way(drops, ["a.htm", "img"], fold=False) == ()
    assert protocol.in_the_way(drops, ["a.htm", "img"], fold=True) == drops


def test_the_way_is_cleared_of_files_and_then_of_empty_folders_deepest_first() -> None:
    made = note(["b"], ["b/c/d", "b/e"], folders=("b", "b/c", "b/hollow"))
    calls = protocol.clear_way(made, HELD, Remaining(made.puts, slip=True), {"b/c/d": FILE, "b/e": FILE})
    assert [(call.op, call.path) for call in calls] == [
        (Op.RENAME, "m/b/c/d"),
        (Op.RENAME, "m/b/e"),
        (Op.RMDIR, "m/b/c"),
        (Op.RMDIR, "m/b/hollow"),
        (Op.RMDIR, "m/b"),
    ]


def test_nothing_is_cleared_for_a_put_that_was_made() -> None:
    made = note(["b"], ["b/c"], folders=("b",))
    assert protocol.clear_way(made, HELD, Remaining((), slip=True), {"b/c": FILE}) == ()
    assert protocol.stale_drops(made) == ()


def test_only_files_and_links_go_to_the_trash() -> None:
    made = note([], ["file", "link", "folder", "absent"])
    calls = protocol.trash(made, HELD, made.drops, {"file": FILE, "link": LINK, "folder": FOLDER, "absent": None})
    assert calls == (Call(Op.RENAME, "m/file", "M/T/t:0"), Call(Op.RENAME, "m/link", "M/T/t:1"))


def test_folders_are_made_in_the_token_and_renamed_out_outermost_first() -> None:
    release = note(["a/b/c", "x"], [])
    folders = protocol.needed_folders(release, HELD, release.puts)
    assert folders == ("m", "m/a", "m/a/b")
    made, moves = protocol.make_folders(HELD, folders, {"m": FOLDER}, 0o750)
    assert made == (Call(Op.MKDIR, "M/T/d:0", mode=0o750), Call(Op.MKDIR, "M/T/d:1", mode=0o750))
    assert moves == (Call(Op.RENAME, "M/T/d:0", "m/a"), Call(Op.RENAME, "M/T/d:1", "m/a/b"))


def test_one_sync_commits_all_renames_or_each_has_its_own() -> None:
    calls = (Call(Op.RENAME, "s", "a"), Call(Op.RENAME, "t", "b"))
    assert protocol.sync_after(calls, every=False) == (Call(Op.SYNC, "b"),)
    assert protocol.sync_after(calls, every=True) == (Call(Op.SYNC, "a"), Call(Op.SYNC, "b"))
    assert protocol.sync_after((), every=False) == ()


def test_the_root_is_never_removed() -> None:
    assert protocol.emptied_folders(note([], ["a/b"])) == {"", "a"}
    assert protocol.emptied_folders(note([], ["a/b"], url="/")) == {"a"}
    assert protocol.emptied_folders(note(["x"], [])) == set()
