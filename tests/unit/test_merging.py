"""Two feeds or lists as one, against what is written here by hand."""

import pytest

from tasks.errors import Malformed
from tasks.merging import merge

ATOM = '<feed xmlns="http://www.w3.org/2005/Atom"><title>{0}</title>{1}</feed>'
RDF = (
    '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns="http://purl.org/rss/1.0/">'
    "<channel><title>{0}</title><items><rdf:Seq>{1}</rdf:Seq></items></channel>{2}</rdf:RDF>"
)


def entry(name: str, words: str) -> str:
    return f"<entry><id>{name}</id><title>{words}</title></entry>"


def rdf(title: str, *names: str) -> str:
    listed = "".join(f'<rdf:li rdf:resource="{name}"/>' for name in names)
    items = "".join(f'<item rdf:about="{name}"><title>{title} {name}</title></item>' for name in names)
    return RDF.format(title, listed, items)


def merged(form: str, first: str, second: str, key: str | None = None) -> str:
    one, two = ("first", first.encode()), ("second", second.encode())
    made = merge(form, one, two, key)
    assert made == merge(form, one, two, key)
    return made.decode()


def test_atom_entries_are_known_by_their_id() -> None:
    first = ATOM.format("One", entry("1", "a") + "<!-- end -->")
    second = ATOM.format("Two", entry("1", "A") + entry("2", "b") + entry("2", "c"))
    expected = ATOM.format("One", entry("1", "a") + entry("2", "b") + "<!-- end -->")
    assert merged("xml", first, second) == f"<?xml version='1.0' encoding='UTF-8'?>\n{expected}\n"


def test_rss_1_items_are_listed_in_the_channel_too() -> None:
    expected = rdf("One", "u:1", "u:2").replace("One u:2", "Two u:2")
    assert merged("xml", rdf("One", "u:1"), rdf("Two", "u:1", "u:2")).split("\n")[1] == expected


def test_an_rss_item_without_a_guid_is_known_by_its_link_and_one_without_both_is_always_new() -> None:
    feed = "<rss><channel>{}</channel></rss>"
    first = feed.format("<item><link>u:1</link></item><item><title>x</title></item>")
    second = feed.format("<item><link>u:1</link></item><item><title>x</title></item><item><guid/><link>u:2</link></item>")
    expected = feed.format(
        "<item><link>u:1</link></item><item><title>x</title></item><item><title>x</title></item><item><guid/><link>u:2</link></item>"
    )
    assert expected in merged("xml", first, second)


def test_a_feed_without_entries_takes_all_of_the_others() -> None:
    feed = "<rss><channel><title>t</title>{}</channel></rss>"
    assert feed.format("<item><guid>1</guid></item>") in merged(
        "xml", feed.format(""), feed.format("<item><guid>1</guid></item>")
    )
    assert "<rss><item><guid>1</guid></item></rss>" in merged("xml", "<rss/>", "<rss><item><guid>1</guid></item></rss>")


def test_a_key_of_atom_can_be_a_link() -> None:
    first = ATOM.format("One", '<entry><link href="u:1"/></entry>')
    second = ATOM.format("Two", '<entry><link href="u:1"/></entry><entry><link href="u:2"/></entry>')
    assert merged("xml", first, second, "link").count("<entry>") == 2


@pytest.mark.parametrize(
    ("first", "second"),
    [("<rss/>", ATOM.format("x", "")), ("<urlset/>", "<urlset/>"), ("<rss/>", "<rss>"), ("<html/>", "<rss/>")],
)
def test_only_feeds_of_one_kind_can_be_merged(first: str, second: str) -> None:
    with pytest.raises(Malformed, match="what is live stays"):
        merged("xml", first, second)


def test_json_lists_are_merged_by_a_field() -> None:
    first, second = '[{"id": 1, "a": "é"}, {"id": [2]}]', '[{"id": [2], "b": 1}, {"id": "1"}, {"id": "1"}]'
    assert (
        merged("json", first, second)
        == '[\n {\n  "id": 1,\n  "a": "é"\n },\n {\n  "id": [\n   2\n  ]\n },\n {\n  "id": "1"\n }\n]\n'
    )
    assert merged("json", '[{"k": 1}]', '[{"k": 1}]', "k") == '[\n {\n  "k": 1\n }\n]\n'


@pytest.mark.parametrize("bad", ["{}", "[1]", '[{"a": 1}]', "[", "1"])
def test_other_json_cannot_be_merged(bad: str) -> None:
    with pytest.raises(Malformed):
        merged("json", '[{"id": 1}]', bad)


@pytest.mark.parametrize("bad", [r'[{"id": "\ud800"}]', '[{"id": 2, "n": 1e999}]'])
def test_json_that_cannot_be_written_again_is_malformed(bad: str) -> None:
    with pytest.raises(Malformed, match="first and second cannot be written as one list"):
        merged("json", '[{"id": 1}]', bad)


def test_json_that_is_nested_too_deep_is_malformed() -> None:
    with pytest.raises(Malformed, match="not well-formed JSON"):
        merged("json", "[" * 100_000, "[]")
