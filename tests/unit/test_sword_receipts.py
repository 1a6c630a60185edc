"""Receipts, feeds and error documents as archives are known to write them, and as nobody should."""

import pytest

from archives import (
    AlreadyDeposited,
    AnswerLost,
    ArchiveError,
    NoCollection,
    collection_for,
    packaging_for,
)
from archives.atom import NotAtom, read_entry, read_error, read_feed
from archives.receipt import find_handle, read_receipt
from archives.verdicts import seconds_asked, verdict
from archives.wire import Answer
from config import ArchiveSettings

SETTINGS = ArchiveSettings(
    kind="sword1", deposits={"default": "https://dspace/d", "8": "https://dspace/8", "course": "https://dspace/c"}
)
HANDLE = SETTINGS.handle
ATOM = 'xmlns="http://www.w3.org/2005/Atom"'


@pytest.mark.parametrize(
    ("name", "handle"),
    [
        ("http://hdl.handle.net/1721.1/77167", "1721.1/77167"),
        ("https://hdl.handle.net/1721.1/77167", "1721.1/77167"),
        ("hdl:1721.1/77167", "1721.1/77167"),
        ("hdl://1721.1/77167", "1721.1/77167"),
        ("https://dspace.mit.edu/handle/1721.1/77167", "1721.1/77167"),
        ("https://dspace.example.edu/xmlui/handle/20.500.12345/6", "20.500.12345/6"),
        ("http://hdl.handle.net/123456789/3", "123456789/3"),
        ("https://dspace.mit.edu/bitstream/handle/1721.1/77167/a.pdf", None),
        ("https://dspace.mit.edu", None),
        ("1721.1/77167", None),
        ("see http://hdl.handle.net/1721.1/77167", None),
        ("http://hdl.handle.net/1721.1/", None),
        ("", None),
    ],
)
def test_a_handle_is_known_in_every_form_and_in_nothing_else(name: str, handle: str | None) -> None:
    assert find_handle([name], HANDLE) == handle


@pytest.mark.parametrize(
    "inside",
    [
        "<id>http://hdl.handle.net/1721.1/5</id>",
        '<id>https://dspace</id><link rel="alternate" href="http://hdl.handle.net/1721.1/5"/>',
        '<id>https://dspace</id><content type="text/html" src="http://hdl.handle.net/1721.1/5"/>',
        '<dc:identifier xmlns:dc="http://purl.org/dc/elements/1.1/"> hdl:1721.1/5 </dc:identifier>',
        '<dcterms:identifier xmlns:dcterms="http://purl.org/dc/terms/">http://hdl.handle.net/1721.1/5</dcterms:identifier>',
    ],
)
def test_a_receipt_has_its_handle_wherever_the_archive_puts_it(inside: str) -> None:
    receipt = read_receipt(f"<entry {ATOM}>{inside}</entry>".encode(), "https://dspace/d", None, HANDLE)
    assert (receipt.handle, receipt.location) == ("1721.1/5", None)


@pytest.mark.parametrize("nonsense", ["http://[x", "//[/"])
def test_an_address_that_nobody_can_read_takes_nothing_from_a_deposit(nonsense: str) -> None:
    entry = f'<entry {ATOM}><id>hdl:1721.1/5</id><link rel="edit" href="{nonsense}"/></entry>'.encode()
    for location in (None, nonsense):
        receipt = read_receipt(entry, "https://dspace/d", location, HANDLE)
        assert (receipt.handle, receipt.location) == ("1721.1/5", None)


def test_an_address_is_what_a_request_can_have() -> None:
    for written, asked in (("/ü b?x=ü#y", "https://dspace/%C3%BC%20b?x=%C3%BC#y"), ("/a%20b", "https://dspace/a%20b")):
        assert read_receipt(b"", "https://dspace/d", written, HANDLE).location == asked


def test_words_for_people_name_no_item() -> None:
    words = f"<entry {ATOM}><title>http://hdl.handle.net/1721.1/5</title><summary>hdl:1721.1/6</summary></entry>"
    assert read_receipt(words.encode(), "https://dspace/d", None, HANDLE).handle is None


def test_the_place_of_an_item_is_absolute() -> None:
    entry = f'<entry {ATOM}><link rel="edit" href="/edit/1"/></entry>'.encode()
    assert read_receipt(entry, "https://dspace/d/e", None, HANDLE).location == "https://dspace/edit/1"
    assert read_receipt(entry, "https://dspace/d/e", "item/2", HANDLE).location == "https://dspace/d/item/2"
    assert read_receipt(b"", "https://dspace/d/e", None, HANDLE).location is None
    location = "https://dspace/handle/1721.1/7"
    assert read_receipt(b"", "https://dspace/d/e", location, HANDLE).handle == "1721.1/7"


@pytest.mark.parametrize(
    "document",
    [
        b"",
        b"<entry",
        b"<html/>",
        b'<!DOCTYPE entry [<!ENTITY a SYSTEM "file:///etc/passwd">]><entry xmlns="http://www.w3.org/2005/Atom"><id>&a;</id></entry>',
        b'<!DOCTYPE entry SYSTEM "http://127.0.0.1:1/x.dtd"><entry/>',
        b"<?xml version='1.0' encoding='nonsense'?><entry/>",
    ],
)
def test_what_is_no_entry_is_read_as_none(document: bytes) -> None:
    with pytest.raises(NotAtom):
        read_entry(document)
    with pytest.raises(NotAtom):
        read_feed(document)
    assert read_error(document) is None


def test_a_single_entry_is_a_feed_of_one() -> None:
    feed = read_feed(f'<entry {ATOM}><?pi x?><!-- c --><category term="a-name"/><link href="b"/></entry>'.encode())
    assert feed.next is None
    assert list(feed.entries[0].names()) == ["a-name", "b"]


def answer(status: int, body: bytes = b"", **headers: str) -> Answer:
    return Answer("https://dspace/d", status, headers, body)


def said(uri: str, summary: str) -> bytes:
    return (
        f'<sword:error xmlns:sword="http://purl.org/net/sword/" {ATOM} href="{uri}"><summary>{summary}</summary></sword:error>'
    ).encode()


@pytest.mark.parametrize("status", [200, 201, 202])
def test_every_success_is_a_receipt(status: int) -> None:
    assert verdict("dspace", SETTINGS, answer(status, Location="/item/1")).location == "https://dspace/item/1"


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (409, said("http://example.org/error/Duplicate", "it is here: http://hdl.handle.net/1721.1/9.")),
        (412, said("", "Duplicate item: (hdl:1721.1/9)")),
        (500, said("", "this package is already in the archive as hdl:1721.1/9")),
    ],
)
def test_a_duplicate_is_known_by_what_the_archive_says(status: int, body: bytes) -> None:
    with pytest.raises(AlreadyDeposited) as already:
        verdict("dspace", SETTINGS, answer(status, body))
    assert already.value.handle == "1721.1/9"
    assert already.value.document == body


def test_duplicates_are_not_looked_for_where_nothing_says_how() -> None:
    with pytest.raises(AnswerLost):
        verdict("dspace", SETTINGS.model_copy(update={"duplicate": ""}), answer(500, said("", "Duplicate")))


def test_a_long_error_is_cut_short() -> None:
    with pytest.raises(ArchiveError) as refused:
        verdict("dspace", SETTINGS, answer(400, said("", "x" * 100_000)))
    assert len(str(refused.value)) < 800


def test_an_error_of_an_unknown_kind_is_for_the_archives_operators() -> None:
    with pytest.raises(ArchiveError, match="ask the archive's operators"):
        verdict("dspace", SETTINGS, answer(418))


def test_a_redirect_to_nowhere_is_refused_all_the_same() -> None:
    with pytest.raises(ArchiveError, match="it points to nowhere"):
        verdict("dspace", SETTINGS, answer(302))
    with pytest.raises(ArchiveError, match="it points to https://dspace/login"):
        verdict("dspace", SETTINGS, answer(302, Location="/login"))


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (None, None),
        ("", None),
        ("120", 120.0),
        ("Thu, 01 Jan 1970 00:02:00 GMT", 20.0),
        ("Thu, 01 Jan 1970 00:00:00 GMT", 0.0),
        ("soon", None),
        ("9" * 400, 86_400.0),
        ("Fri, 31 Dec 9999 23:59:59 -2359", 86_400.0),
    ],
)
def test_the_time_to_come_again_is_read_in_both_forms(value: str | None, seconds: float | None) -> None:
    assert seconds_asked(value, 100.0) == seconds


@pytest.mark.parametrize(
    ("department", "kind", "url"),
    [("8", "course", "https://dspace/8"), ("6", "course", "https://dspace/c"), (None, "page", "https://dspace/d")],
)
def test_the_collection_is_the_departments_or_the_types_or_the_default(department: str | None, kind: str, url: str) -> None:
    assert collection_for(SETTINGS, department, kind) == url


def test_no_collection_is_an_error_that_names_the_module() -> None:
    with pytest.raises(NoCollection, match=r"dspace has no collection for department 6 or type course; add one to deposits"):
        collection_for(SETTINGS.model_copy(update={"deposits": {"8": "https://dspace/8"}}), "6", "course", "dspace")


@pytest.mark.parametrize("form", ["imscp", "mets", "saf", "bagit"])
def test_every_form_has_a_packaging_in_both_versions(form: str) -> None:
    first = packaging_for(SETTINGS, form)
    second = packaging_for(SETTINGS.model_copy(update={"kind": "sword2"}), form)
    assert first.startswith("http://")
    assert second.startswith("http://")
    assert packaging_for(SETTINGS.model_copy(update={"packaging": "urn:mine"}), form) == "urn:mine"
