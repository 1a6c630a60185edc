"""Deposits at a strict SWORD server: what is sent, what comes back, what is refused."""

import hashlib
import io
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pytest

from archives import (
    AlreadyDeposited,
    ArchiveBusy,
    DepositRefused,
    LookupRefused,
    NoLookup,
    Receipt,
    Sword,
    packaging_for,
)
from archives.service import Collection
from config import ArchiveSettings, Secret
from support.sword_server import ACCOUNT, Rules, SwordServer

Version = Literal["sword1", "sword2"]
VERSIONS: tuple[Version, ...] = ("sword1", "sword2")
IDENTIFIER = "slipway-0123"


@dataclass(frozen=True, slots=True)
class Package:
    """A zip to deposit."""

    path: Path

    @property
    def md5(self) -> str:
        return hashlib.md5(self.path.read_bytes()).hexdigest()

    @property
    def size(self) -> int:
        return self.path.stat().st_size


@pytest.fixture
def package(tmp_path: Path) -> Package:
    return zipped(tmp_path / "8-01-fall-1999.zip", b"<mets/>")


def zipped(path: Path, manifest: bytes) -> Package:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(zipfile.ZipInfo("mets.xml"), manifest)
    return Package(path)


def settings_for(server: SwordServer, kind: Version = "sword2", **changes: object) -> ArchiveSettings:
    version = "v1" if kind == "sword1" else "v2"
    settings = {
        "kind": kind,
        "deposits": {"default": server.collection(version)},
        "username": ACCOUNT[0],
        "password": Secret(file=Path("/run/secret")),
        "connect_timeout": 5,
        "read_timeout": 30,
    }
    return ArchiveSettings.model_validate(settings | changes)


def sword_for(server: SwordServer, kind: Version = "sword2", password: str = ACCOUNT[1], **changes: object) -> Sword:
    return Sword(settings_for(server, kind, **changes), password, name="dspace")


def deposit(sword: Sword, server: SwordServer, package: Package, kind: Version = "sword2", **changes: str) -> Receipt:
    settings = settings_for(server, kind)
    arguments = {
        "collection": settings.deposits["default"],
        "packaging": packaging_for(settings, "mets"),
        "slug": IDENTIFIER,
    }
    arguments |= changes
    md5 = arguments.pop("md5", package.md5)
    filename = arguments.pop("filename", package.path.name)
    return sword.deposit(package.path, package.size, md5, filename, **arguments)


@pytest.mark.parametrize("kind", VERSIONS)
def test_a_package_arrives_whole_and_its_handle_comes_back(
    sword_server: Callable[..., SwordServer], package: Package, kind: Version
) -> None:
    server = sword_server()
    receipt = deposit(sword_for(server, kind), server, package, kind)
    (item,) = server.items
    assert receipt.handle == item.handle == "1721.1/1001"
    assert receipt.location is not None
    assert receipt.location.startswith(server.url)
    assert b"<entry" in receipt.document
    assert (item.md5, item.size) == (package.md5, package.size)
    assert server.archive.package(item) == package.path.read_bytes()


def test_version_1_3_sends_its_own_headers_and_no_others(sword_server: Callable[..., SwordServer], package: Package) -> None:
    server = sword_server()
    deposit(sword_for(server, "sword1", on_behalf_of="editor"), server, package, "sword1")
    headers = server.items[0].headers
    assert headers["X-Packaging"] == "http://purl.org/net/sword-types/METSDSpaceSIP"
    assert headers["Content-MD5"] == package.md5
    assert headers["Content-Disposition"] == "filename=8-01-fall-1999.zip"
    assert headers["X-On-Behalf-Of"] == "editor"
    assert headers["Content-Type"] == "application/zip"
    assert not {"Packaging", "In-Progress", "Slug", "On-Behalf-Of", "Transfer-Encoding"} & headers.keys()


def test_version_2_0_sends_its_own_headers_and_no_others(sword_server: Callable[..., SwordServer], package: Package) -> None:
    server = sword_server()
    deposit(sword_for(server, on_behalf_of="editor"), server, package, slug="8.01 Physík")
    headers = server.items[0].headers
    assert headers["Packaging"] == "http://purl.org/net/sword/package/METSDSpaceSIP"
    assert headers["Content-MD5"] == package.md5
    assert headers["Content-Disposition"] == "attachment; filename=8-01-fall-1999.zip"
    assert headers["In-Progress"] == "false"
    assert headers["On-Behalf-Of"] == "editor"
    assert headers["Slug"] == "8.01 Phys%C3%ADk"
    assert not {"X-Packaging", "X-On-Behalf-Of", "Transfer-Encoding"} & headers.keys()


def test_a_file_name_that_no_header_can_hold_becomes_one(sword_server: Callable[..., SwordServer], package: Package) -> None:
    server = sword_server()
    deposit(sword_for(server), server, package, filename='8.01 "Física"\r\nX: 1.zip')
    assert server.items[0].filename == "8.01__F_sica___X__1.zip"


def test_a_package_can_come_from_anything_that_opens(sword_server: Callable[..., SwordServer], package: Package) -> None:
    server = sword_server()
    sword = sword_for(server)
    whole = package.path.read_bytes()
    sword.deposit(
        lambda: io.BytesIO(whole),
        package.size,
        package.md5,
        "a.zip",
        collection=server.collection(),
        packaging="http://purl.org/net/sword/package/SimpleZip",
        slug="a",
    )
    assert server.items[0].md5 == package.md5


@pytest.mark.parametrize("kind", VERSIONS)
@pytest.mark.parametrize(
    ("changes", "status", "says"),
    [
        ({"md5": "0" * 32}, 412, "damaged on its way"),
        ({"md5": "not hexadecimal"}, 400, "Content-MD5"),
        ({"packaging": "http://example.org/mine"}, 415, "unknown packaging"),
    ],
)
def test_what_the_archive_refuses_is_refused_with_its_words_and_a_remedy(
    sword_server: Callable[..., SwordServer], package: Package, kind: Version, changes: dict[str, str], status: int, says: str
) -> None:
    server = sword_server()
    with pytest.raises(DepositRefused, match=says) as refused:
        deposit(sword_for(server, kind), server, package, kind, **changes)
    assert refused.value.status == status
    assert refused.value.archive == "dspace"
    assert refused.value.summary
    assert server.items == []


def test_a_wrong_password_is_refused_without_being_told(sword_server: Callable[..., SwordServer], package: Package) -> None:
    server = sword_server()
    with pytest.raises(DepositRefused, match="correct username and password") as refused:
        deposit(sword_for(server, password="hunter2"), server, package)
    assert refused.value.status == 401
    assert "hunter2" not in str(refused.value)
    assert ACCOUNT[0] not in str(refused.value)


def test_a_large_package_is_refused_before_all_of_it_is_sent(sword_server: Callable[..., SwordServer], tmp_path: Path) -> None:
    server = sword_server(rules=Rules(max_size=1000))
    package = zipped(tmp_path / "large.zip", bytes(8 * 1024 * 1024))
    with pytest.raises(DepositRefused, match="leave media out") as refused:
        deposit(sword_for(server), server, package)
    assert refused.value.status == 413


def test_deposits_for_others_are_refused_where_the_archive_allows_none(
    sword_server: Callable[..., SwordServer], package: Package
) -> None:
    server = sword_server(rules=Rules(mediation=False))
    with pytest.raises(DepositRefused, match="MediationNotAllowed"):
        deposit(sword_for(server, on_behalf_of="editor"), server, package)


def test_what_is_no_zip_is_refused(sword_server: Callable[..., SwordServer], tmp_path: Path) -> None:
    server = sword_server()
    file = tmp_path / "a.zip"
    file.write_bytes(b"not a zip")
    with pytest.raises(DepositRefused, match="no zip"):
        deposit(sword_for(server), server, Package(file))


@pytest.mark.parametrize("kind", VERSIONS)
def test_the_same_package_again_is_already_deposited_with_its_handle(
    sword_server: Callable[..., SwordServer], package: Package, kind: Version
) -> None:
    server = sword_server()
    deposit(sword_for(server, kind), server, package, kind)
    with pytest.raises(AlreadyDeposited) as already:
        deposit(sword_for(server, kind), server, package, kind)
    assert already.value.handle == "1721.1/1001"
    assert len(server.items) == 1


def test_an_archive_that_finds_no_duplicates_takes_a_second_one(
    sword_server: Callable[..., SwordServer], package: Package
) -> None:
    server = sword_server(rules=Rules(duplicates=True))
    for _ in range(2):
        deposit(sword_for(server), server, package)
    assert len(server.items) == 2


def test_a_deposit_is_found_by_its_md5_and_by_its_identifier(sword_server: Callable[..., SwordServer], tmp_path: Path) -> None:
    server = sword_server()
    packages = [zipped(tmp_path / f"{n}.zip", str(n).encode()) for n in range(7)]
    sword = sword_for(server)
    receipts = [deposit(sword, server, package, slug=f"slipway-{n}") for n, package in enumerate(packages)]
    last = sword.find(server.collection(), identifier="nothing", md5=packages[6].md5)
    assert last is not None
    assert (last.handle, last.location) == (receipts[6].handle, receipts[6].location)
    fifth = sword.find(server.collection(), identifier="SLIPWAY-4", md5="0" * 32)
    assert fifth is not None
    assert fifth.handle == receipts[4].handle
    assert sword.find(server.collection(), identifier="slipway", md5="0" * 32) is None
    assert sword.find(server.collection(name="other"), identifier="slipway-4", md5=packages[4].md5) is None


def test_the_md5_counts_more_than_the_identifier(sword_server: Callable[..., SwordServer], tmp_path: Path) -> None:
    server = sword_server()
    first, second = (zipped(tmp_path / f"{n}.zip", str(n).encode()) for n in range(2))
    sword = sword_for(server)
    deposit(sword, server, first)
    again = deposit(sword, server, second)
    found = sword.find(server.collection(), identifier=IDENTIFIER, md5=second.md5)
    assert found is not None
    assert found.handle == again.handle


def test_version_1_3_looks_up_by_a_search(sword_server: Callable[..., SwordServer], package: Package) -> None:
    server = sword_server()
    search = f"{server.url}/search?query=md5:$md5"
    sword = sword_for(server, "sword1", lookup=search)
    assert sword.find(server.collection("v1"), identifier=IDENTIFIER, md5=package.md5) is None
    receipt = deposit(sword, server, package, "sword1")
    found = sword.find(server.collection("v1"), identifier=IDENTIFIER, md5=package.md5)
    assert found is not None
    assert found.handle == receipt.handle


def test_version_1_3_without_a_search_cannot_look_up(sword_server: Callable[..., SwordServer], package: Package) -> None:
    server = sword_server()
    with pytest.raises(NoLookup, match=package.md5):
        sword_for(server, "sword1").find(server.collection("v1"), identifier=IDENTIFIER, md5=package.md5)


def test_a_feed_that_is_refused_says_nothing_about_the_deposit(
    sword_server: Callable[..., SwordServer], package: Package
) -> None:
    server = sword_server()
    with pytest.raises(LookupRefused, match="username") as refused:
        sword_for(server, password="wrong").find(server.collection(), identifier=IDENTIFIER, md5=package.md5)
    assert refused.value.status == 401
    with pytest.raises(LookupRefused, match="correct lookup"):
        sword_for(server, lookup=f"{server.url}/nowhere").find(server.collection(), identifier="a", md5=package.md5)
    with pytest.raises(LookupRefused, match="no Atom feed"):
        sword_for(server, lookup=f"{server.url}/v2/servicedocument").find(server.collection(), identifier="a", md5=package.md5)


def test_more_pages_than_are_read_say_nothing_about_the_deposit(sword_server: Callable[..., SwordServer], tmp_path: Path) -> None:
    server = sword_server(rules=Rules(page=1))
    sword = sword_for(server, lookup_pages=2)
    for n in range(3):
        deposit(sword, server, zipped(tmp_path / f"{n}.zip", str(n).encode()))
    with pytest.raises(LookupRefused, match="more than 2 pages"):
        sword.find(server.collection(), identifier="nothing", md5="0" * 32)


def test_a_handle_that_comes_later_is_read_from_the_items_address(
    sword_server: Callable[..., SwordServer], package: Package
) -> None:
    server = sword_server(rules=Rules(handle=None))
    sword = sword_for(server)
    receipt = deposit(sword, server, package)
    assert receipt.handle is None
    assert receipt.location is not None
    assert sword.read(receipt.location).handle is None
    server.archive.give_handle(1, "1721.1/77167")
    assert sword.read(receipt.location).handle == "1721.1/77167"


def test_an_answer_without_a_receipt_still_says_where_the_item_is(
    sword_server: Callable[..., SwordServer], package: Package
) -> None:
    server = sword_server(rules=Rules(empty_receipts=True))
    sword = sword_for(server)
    receipt = deposit(sword, server, package)
    assert (receipt.handle, receipt.document) == (None, b"")
    assert receipt.location is not None
    assert sword.read(receipt.location).handle == "1721.1/1001"


def test_a_busy_archive_says_when_to_come_again(sword_server: Callable[..., SwordServer], package: Package) -> None:
    server = sword_server()
    server.break_with("status", status=503, retry_after="120")
    with pytest.raises(ArchiveBusy) as busy:
        deposit(sword_for(server), server, package)
    assert busy.value.retry_after == 120
    assert server.items == []


def test_an_archive_that_answers_is_there(sword_server: Callable[..., SwordServer]) -> None:
    server = sword_server()
    sword_for(server).probe()
    sword_for(server, service=f"{server.url}/v2/servicedocument").probe()
    sword_for(server, password="wrong").probe()
    assert len(server.archive.log()) == 3, "each has asked"


def test_a_check_finds_each_collection_in_the_service_document(sword_server: Callable[..., SwordServer]) -> None:
    server = sword_server()
    service = f"{server.url}/v2/servicedocument"
    deposits = {"default": server.collection(), "8": server.collection(name="gone")}
    found = list(sword_for(server, service=service, deposits=deposits).check(["http://purl.org/net/sword/package/BagIt"]))
    assert [works for _, works, _ in found] == [True, True, False]
    assert "is not in the service document" in found[2][2]


def test_a_check_finds_a_packaging_that_is_not_taken(sword_server: Callable[..., SwordServer]) -> None:
    server = sword_server()
    sword = sword_for(server, service=f"{server.url}/v2/servicedocument", packaging="http://example.org/mine")
    (_, (what, works, why)) = sword.check(["http://purl.org/net/sword/package/BagIt"])
    assert (what, works) == ("dspace: deposits.default takes packages", False)
    assert "not http://example.org/mine" in why


def test_a_check_finds_a_collection_that_takes_no_zips() -> None:
    assert Collection(("application/pdf",), ()).objection(None) == "takes application/pdf, no application/zip"
    assert Collection((), ()).objection("urn:any") is None
    assert Collection(("*/*",), ("urn:a",)).objection("urn:a") is None


def test_a_check_without_a_service_document_asks_a_collection(sword_server: Callable[..., SwordServer]) -> None:
    server = sword_server()
    assert [works for _, works, _ in sword_for(server).check()] == [True]
    assert [works for _, works, _ in sword_for(server, password="wrong").check()] == [False]
    server.kill()
    ((_, works, why),) = sword_for(server).check()
    assert not works
    assert "no connection" in why


def test_a_check_names_what_is_no_service_document(sword_server: Callable[..., SwordServer]) -> None:
    server = sword_server()
    (_, (_, works, why)) = sword_for(server, service=server.collection()).check()
    assert not works
    assert "no service document" in why
    (_, (_, works, why)) = sword_for(server, service=f"{server.url}/page").check()
    assert not works
    assert "DOCTYPE" in why


def test_an_exact_search_need_not_repeat_what_was_asked(sword_server: Callable[..., SwordServer], tmp_path: Path) -> None:
    server = sword_server()
    exact = sword_for(server, lookup=f"{server.url}/v2/collection/courses?query=$identifier", lookup_exact=True)
    assert exact.find(server.collection(), identifier="other", md5="0" * 32) is None
    receipt = deposit(exact, server, zipped(tmp_path / "1.zip", b"1"))
    found = exact.find(server.collection(), identifier="other", md5="0" * 32)
    assert found is not None
    assert found.handle == receipt.handle
    deposit(exact, server, zipped(tmp_path / "2.zip", b"2"))
    with pytest.raises(LookupRefused, match="more than one item"):
        exact.find(server.collection(), identifier="other", md5="0" * 32)
