"""Which files a publish asks for, and with which validators."""

import hashlib

from packageslip import Packageslip, Resource
from sources import Want
from tasks.resolve import wanted_resources

OLD = hashlib.sha256(b"old").digest()
LIVE = Resource("a.htm", size=3, digest=OLD, etag='"1"', modified=100)


def wants(resource: Resource, live: Resource | None) -> list[Want]:
    return wanted_resources(Packageslip("/m", (resource,)), Packageslip("/m", (live,)) if live else None)


def test_what_has_digest_and_size_is_not_asked_for() -> None:
    assert not wants(Resource("a.htm", size=3, digest=OLD), LIVE)


def test_the_validators_of_the_last_publication_go_along() -> None:
    assert wants(Resource("a.htm"), LIVE) == [Want(Resource("a.htm"), '"1"', 100, OLD, 3)]


def test_a_first_publish_has_no_validators() -> None:
    assert wants(Resource("a.htm"), None) == [Want(Resource("a.htm"))]
    assert wants(Resource("b.htm"), LIVE) == [Want(Resource("b.htm"))]


def test_validators_of_another_place_say_nothing() -> None:
    assert wants(Resource("a.htm", href="/elsewhere"), LIVE) == [Want(Resource("a.htm", href="/elsewhere"))]


def test_a_file_that_was_published_without_validators_is_fetched() -> None:
    assert wants(Resource("a.htm"), Resource("a.htm", size=3, digest=OLD)) == [Want(Resource("a.htm"))]


def test_a_digest_without_a_size_is_asked_for_by_validators_only_if_it_is_the_same() -> None:
    same, other = Resource("a.htm", digest=OLD), Resource("a.htm", digest=hashlib.sha256(b"new").digest())
    assert wants(same, LIVE) == [Want(same, '"1"', 100, OLD, 3)]
    assert wants(other, LIVE) == [Want(other)]
