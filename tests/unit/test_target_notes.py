"""The note of a release, and the names in the area."""

import hashlib
from urllib.parse import unquote

import pytest

from targets.area import Area, Held, all_parents, fence_of, live_path, module_id, parents, staged, token_name
from targets.note import BadNote, Drop, Note, Part, Put, read_note, write_note

NOTE = Note(
    url='/courses/"a" & <b>',
    tag=token_name(7, "0badcafe"),
    serial=7,
    previous=3,
    publish=True,
    puts=(Put("1", 'a\'b/"c".pdf', Part.ASSET), Put("2", "ä & ö.htm", Part.PAGE), Put("public", "packageslip.xml", Part.PUBLIC)),
    drops=(Drop("old/x", Part.PAGE), Drop("packageslip.xml", Part.ASSET)),
    folders=("was/here",),
    fold=True,
)


WHOLE = Note("/a", token_name(1, "00000001"), 1, None, publish=True, version=b"v" * 32, whole=True)


@pytest.mark.parametrize("note", [NOTE, WHOLE, Note("/", token_name(1, "00000001"), 1, None, publish=False)])
def test_a_note_is_read_as_it_was_written(note: Note) -> None:
    assert read_note(write_note(note)) == note


def test_a_note_cut_anywhere_is_refused() -> None:
    document = write_note(NOTE)
    for end in range(len(document) - 1):
        with pytest.raises(BadNote):
            read_note(document[:end])


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('count="6"', 'count="7"'),
        ("<folder ", "<other "),
        ("urn:slipway:release:1", "urn:slipway:release:2"),
        ("was/here", "../../etc"),
        ('wanted="publish"', 'wanted="perhaps"'),
        ('part="page"', 'part="hat"'),
        ('serial="7"', 'serial="seven"'),
        ('tag="', 'gat="'),
        ('name="1"', 'name="../1"'),
        ('name="1"', 'name="1/../../../../x"'),
        (NOTE.tag, "../../x"),
        ("url='/courses", "url='/../courses"),
        ('serial="7"', 'serial="-7"'),
    ],
)
def test_a_note_that_says_something_else_is_refused(old: str, new: str) -> None:
    document = write_note(NOTE).decode()
    assert old in document
    with pytest.raises(BadNote):
        read_note(document.replace(old, new, 1).encode())


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("release:2", "release:1"),
        ('whole="true"', 'whole="false"'),
        (' whole="true"', ""),
        ('wanted="publish"', 'wanted="unpublish"'),
        ('previous=""', 'previous="1"'),
        ("</release>", '<put name="1" path="x" part="page"/></release>'),
    ],
)
def test_a_whole_module_has_a_kind_of_note_that_says_nothing_besides(old: str, new: str) -> None:
    document = write_note(WHOLE).decode().replace('count="0"', f'count="{int(new.startswith("<"))}"')
    assert old in document
    with pytest.raises(BadNote):
        read_note(document.replace(old, new, 1).encode())


def test_a_note_with_a_doctype_is_refused_before_anything_expands() -> None:
    entities = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
    laughs = f'<!DOCTYPE release [<!ENTITY l0 "ha">{entities}]>'.encode()
    with pytest.raises(BadNote, match="DOCTYPE"):
        read_note(laughs + write_note(NOTE))


def test_a_document_of_another_kind_is_refused() -> None:
    with pytest.raises(BadNote, match="root"):
        read_note(b'<packageslip url="/a" tag="t" serial="1" previous="" wanted="publish" fold="false" count="0"/>')


@pytest.mark.parametrize("url", ["/", "/a", "/a/b", "/a~b+c%20d", "/ä/日本", "/a b/c&d=e"])
def test_a_module_id_is_one_safe_name_and_can_be_read_back(url: str) -> None:
    name = module_id(url)
    assert not set(name) & set("/~")
    assert name.isascii()
    assert unquote(name.replace("+", "/")) == url


def test_a_long_url_becomes_a_prefix_and_a_digest() -> None:
    url = "/" + "x" * 300
    assert module_id(url) == f"+{'x' * 119}={hashlib.sha256(url.encode()).hexdigest()}"
    assert module_id(url + "y") != module_id(url)


def test_tokens_sort_as_their_fences() -> None:
    tokens = [token_name(fence, "ffffffff") for fence in (1, 9, 10, 2**63 - 1)]
    assert sorted(tokens) == tokens
    assert [fence_of(token) for token in tokens] == [1, 9, 10, 2**63 - 1]
    assert [fence_of(name) for name in ("slip.xml", "12.zz", "12.0badcafe~", "")] == [None] * 4


def test_paths_of_a_module() -> None:
    held = Held("/a/b", Area(".slipway", "q").module("/a/b"), token_name(1, "00000001"))
    assert (live_path("/", "x/y"), live_path("/a", "x"), live_path("/a", "")) == ("x/y", "a/x", "a")
    assert held.inside(staged("t", "1")) == f".slipway/modules-q/modules/+a+b/{held.token}/s:t:1"
    assert list(parents("a/b/c")) == ["a", "a/b"]
    assert all_parents(["a/b/c", "a/d", "e"]) == {"a", "a/b"}


def test_a_note_of_another_version_of_slipway_is_refused_even_if_it_lists_nothing() -> None:
    document = write_note(Note("/", token_name(1, "00000001"), 1, None, publish=False))
    with pytest.raises(BadNote, match="its root is"):
        read_note(document.replace(b"urn:slipway:release:1", b"urn:slipway:release:2"))
