"""What a row says and what is sent for it, as values: addresses, keys, bounds, signatures."""

import json

import pytest

from config import FastlyNotice, PurgeNotice, Secret, Selection, WebhookNotice
from notices import MOST_PATHS, Event, Seen, bounded, order
from notices.addresses import addresses, keys, slug
from notices.letters import letters, posted, signature
from notices.orders import MOST_ROW

INDEX = ("index.htm", "index.html")
SECRET = Secret(credential="x")
PURGE, FASTLY = PurgeNotice(kind="purge"), FastlyNotice(kind="fastly", service="a/b", token=SECRET)


@pytest.mark.parametrize(
    ("url", "path", "expected"),
    [
        ("/a", "x.pdf", ["/a/x.pdf"]),
        ("/a", "index.htm", ["/a", "/a/", "/a/index.htm"]),
        ("/a", "notes/index.html", ["/a/notes", "/a/notes/", "/a/notes/index.html"]),
        ("/a", "my index.htm", ["/a/my%20index.htm"]),
        ("/", "index.htm", ["/", "/index.htm"]),
        ("/", "robots.txt", ["/robots.txt"]),
        ("/feeds/new.xml", ".", ["/feeds/new.xml"]),
        ("/index.html", ".", ["/", "/index.html"]),
        ("/a", "über & über?.htm", ["/a/%C3%BCber%20&%20%C3%BCber%3F.htm"]),
        ("/a", "100%25.htm", ["/a/100%2525.htm"]),
    ],
)
def test_a_file_is_purged_wherever_it_is_seen(url: str, path: str, expected: list[str]) -> None:
    assert list(addresses(url, [path], INDEX)) == expected


@pytest.mark.parametrize(
    ("url", "expected"),
    [("/", "home"), ("/images", "images"), ("/courses/physics/8-01", "8-01"), ("/a b/c+ü", "c%2B%C3%BC"), ("/x.xml", "x.xml")],
)
def test_a_modules_key_is_the_last_part_of_its_url(url: str, expected: str) -> None:
    assert slug(url) == expected


def test_a_key_is_purged_once_though_a_class_has_the_same_name() -> None:
    classes = {"images": Selection(urls=("/images",)), "all": Selection(), "styles": Selection(urls=("/styles",))}
    assert keys("/images", lambda modules: modules.takes("/images", None), classes) == ("images", "all")


def test_hundreds_of_paths_become_the_whole() -> None:
    names = [f"{number:03}.htm" for number in range(MOST_PATHS)]
    assert bounded([*reversed(names), *names]) == (tuple(names), False)
    assert bounded([*names, "one.more"]) == ((), True)
    assert bounded(f"{number}{'x' * 500}" for number in range(100)) == ((), True)


def test_a_row_always_fits_its_column() -> None:
    url = "/" + "x" * 480
    paths, whole = bounded(f"folder{number:03}/index.htm" for number in range(MOST_PATHS))
    assert not whole
    event = Event("published", "1", "STAGING", url, paths=paths, title="t" * 500)
    made = order(PURGE, event, Seen("https://x", INDEX, slip=True), lambda _: True)
    assert len(json.dumps(made)) <= MOST_ROW
    assert made["prefix"] == url + "/"
    assert made["urls"] == sorted([url, f"{url}/", f"{url}/index.htm", f"{url}/index.html", f"{url}/packageslip.xml"])


def test_what_is_kept_of_a_webhook_is_what_is_sent() -> None:
    event = Event("published", "id", "STAGING", "/ä", type="course", paths=("b", "a"), serial=7)
    notice = WebhookNotice(kind="webhook", url="https://hooks.example.edu:8443?k=1", secret=SECRET)
    row = order(notice, event, Seen("https://x"), lambda _: True)
    [letter] = letters("hook", notice, row | {"rerun_of": 3}, "k", 1234.9)
    assert (letter.base, letter.path) == ("https://hooks.example.edu:8443", "/?k=1")
    assert json.loads(letter.body) == {**event.fields(), "paths": ["b", "a"], "site": "https://x"}
    assert letter.headers["Slipway-Timestamp"] == "1234"
    assert letter.headers["Slipway-Signature"] == f"sha256={signature('k', '1234', letter.body)}"


def test_a_signature_is_hmac_sha256_over_timestamp_dot_body() -> None:
    # printf '1700000000.{"a":1}' | openssl dgst -sha256 -hmac key
    expected = "a438e398bfafc57e4396bb7fc2304422f0f768e965d073ca313cb52e22e6ad03"
    letter = posted("https://x/y", {"a": 1}, "e", "i", "key", 1700000000)
    assert letter.headers["Slipway-Signature"] == f"sha256={expected}"


def test_a_service_cannot_leave_its_place_in_the_address() -> None:
    [letter] = letters("cdn", FASTLY, {"keys": ["a"]}, "t", 0)
    assert letter.path == "/service/a%2Fb/purge"
