"""Packages in METS, Simple Archive Format and BagIt: ours pass their checks, and each thing that is wrong is found."""

import hashlib
import io
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from archives import check_package
from support.sample_module import built

NAME = "8-01-fall-1999"
ITEM = f"{NAME}/item_000"
Change = Callable[[dict[str, bytes]], object]


@pytest.fixture(scope="module")
def packages() -> dict[str, bytes]:
    return {form: built(form, media=True) for form in ("mets", "saf", "bagit")}


def findings(package: bytes, folder: Path, change: Change = lambda _: None) -> list[tuple[str, str, str]]:
    """What the check says of the package, with this change to its entries."""
    with zipfile.ZipFile(io.BytesIO(package)) as archive:
        entries = {name: archive.read(name) for name in archive.namelist()}
    change(entries)
    file = folder / "package.zip"
    with zipfile.ZipFile(file, "w") as archive:
        for name, body in entries.items():
            archive.writestr(zipfile.ZipInfo(name), body)
    return [(each.outcome, each.where, each.sentence) for each in check_package(file)]


def replaced(name: str, old: bytes, new: bytes) -> Change:
    def change(entries: dict[str, bytes]) -> None:
        assert old in entries[name], f"{old!r} is not in {name}: {entries[name]!r}"
        entries[name] = entries[name].replace(old, new)

    return change


def added(name: str, body: bytes = b"x") -> Change:
    return lambda entries: entries.update({name: body})


def removed(name: str) -> Change:
    return lambda entries: entries.pop(name)


def instead(others: dict[str, bytes]) -> Change:
    def change(entries: dict[str, bytes]) -> None:
        entries.clear()
        entries.update(others)

    return change


@pytest.mark.parametrize("form", ["mets", "saf", "bagit"])
def test_our_own_packages_have_nothing_wrong(packages: dict[str, bytes], form: str, tmp_path: Path) -> None:
    file = tmp_path / "package.zip"
    file.write_bytes(packages[form])
    assert check_package(file) == []


METS_FAULTS: list[tuple[Change, str, str, str]] = [
    (replaced("mets.xml", b"<mets", b"<<"), "failure", "mets.xml", "no well-formed XML"),
    (added("mets.xml", b"<a/>"), "failure", "mets.xml", "its root is a"),
    (replaced("mets.xml", b"DSpace METS SIP", b"My own"), "failure", "mets.xml", "DSpace takes only those"),
    (replaced("mets.xml", b'MDTYPE="MODS"', b'MDTYPE="EAD"'), "failure", "mets.xml", "no description of the item"),
    (replaced("mets.xml", b"fileSec", b"fileBag"), "failure", "mets.xml", "no fileSec"),
    (replaced("mets.xml", b' USE="CONTENT"', b""), "failure", "mets.xml", "without USE"),
    (replaced("mets.xml", b'ID="file-', b'X="file-'), "failure", "mets.xml", "files with the ID None"),
    (replaced("mets.xml", b"structMap", b"noMap"), "failure", "mets.xml", "no structMap"),
    (replaced("mets.xml", b' DMDID="dmd-item"', b""), "failure", "mets.xml", "which dmdSec describes the item"),
    (replaced("mets.xml", b' DMDID="dmd-item"', b' DMDID="no"'), "failure", "mets.xml", "a dmdSec that is not there: 'no'"),
    (replaced("mets.xml", b"fptr", b"mptr"), "warning", "mets.xml", "names no primary bitstream"),
    (replaced("mets.xml", b'<fptr FILEID="', b'<fptr FILEID="no'), "failure", "mets.xml", "that is no file"),
    (replaced("mets.xml", b'LOCTYPE="URL"', b'LOCTYPE="URN"'), "failure", "mets.xml", "without a place"),
    (replaced("mets.xml", b"FLocat", b"FContent"), "failure", "mets.xml", "without a place"),
    (removed(f"{NAME}/contents/notes/l1.pdf"), "failure", f"{NAME}/contents/notes/l1.pdf", "named by the manifest and not in"),
    (added("more.txt"), "warning", "more.txt", "in the package and not in the manifest"),
    (added(f"{NAME}/contents/notes/l1.pdf", b"xyz"), "failure", f"{NAME}/contents/notes/l1.pdf", "has 3 bytes"),
    (added(f"{NAME}/contents/notes/l1.pdf", b"%PDF-1.4 ONE"), "failure", f"{NAME}/contents/notes/l1.pdf", "has the SHA-256"),
    (replaced("mets.xml", b"SHA-256", b"Adler-32"), "warning", f"{NAME}/contents/index.htm", "no checksum"),
    (replaced("mets.xml", b'MIMETYPE="text/html"', b""), "warning", f"{NAME}/contents/index.htm", "guesses"),
    (
        replaced(
            "mets.xml", b"</dmdSec>", b'</dmdSec><dmdSec ID="b"><mdRef LOCTYPE="URL" xlink:href="b.xml" MDTYPE="DC"/></dmdSec>'
        ),
        "failure",
        "b.xml",
        "is metadata by the manifest",
    ),
]


@pytest.mark.parametrize(("change", "outcome", "where", "says"), METS_FAULTS)
def test_each_thing_that_is_wrong_with_mets_is_found(
    packages: dict[str, bytes], tmp_path: Path, change: Change, outcome: str, where: str, says: str
) -> None:
    found = findings(packages["mets"], tmp_path, change)
    assert [each for each in found if each[:2] == (outcome, where) and says in each[2]], found


def contents(old: bytes, new: bytes) -> Change:
    return replaced(f"{ITEM}/contents", old, new)


SAF_FAULTS: list[tuple[Change, str, str, str]] = [
    (added("other/readme.txt"), "failure", "other/readme.txt", "lies outside"),
    (added(f"{NAME}/readme.txt"), "failure", f"{NAME}/readme.txt", "beside the items"),
    (added(f"{NAME}/item_001/contents", b""), "failure", f"{NAME}/item_001", "has no dublin_core.xml"),
    (removed(f"{ITEM}/contents"), "failure", ITEM, "no list of them"),
    (contents(b"index.htm", b"\xff"), "failure", f"{ITEM}/contents", "cannot be read"),
    (
        replaced(f"{ITEM}/dublin_core.xml", b"dublin_core", b"metadata"),
        "failure",
        f"{ITEM}/dublin_core.xml",
        "its root is metadata",
    ),
    (replaced(f"{ITEM}/dublin_core.xml", b"</", b"<"), "failure", f"{ITEM}/dublin_core.xml", "no well-formed XML"),
    (replaced(f"{ITEM}/dublin_core.xml", b'element="title" ', b""), "failure", f"{ITEM}/dublin_core.xml", "has no title"),
    (replaced(f"{ITEM}/dublin_core.xml", b'element="title" ', b""), "failure", f"{ITEM}/dublin_core.xml", "without an element"),
    (replaced(f"{ITEM}/dublin_core.xml", b"issued", b"created"), "warning", f"{ITEM}/dublin_core.xml", "no date of issue"),
    (contents(b"bundle:ORIGINAL\tprimary:true", b"bundle:ORIGINAL"), "warning", f"{ITEM}/contents", "no primary bitstream"),
    (contents(b"bundle:METADATA", b"primary:true"), "failure", f"{ITEM}/contents", "names 2 primary"),
    (contents(b"bundle:METADATA", b"bundel:METADATA"), "warning", f"{ITEM}/contents", "no importer knows"),
    (contents(b"\n", b"\n\n-r -s 1 -f a.txt\n"), "warning", f"{ITEM}/contents", "registers a file"),
    (removed(f"{ITEM}/{NAME}/contents/empty.txt"), "failure", f"{ITEM}/contents", "which is not in the package"),
    (added(f"{ITEM}/more.txt"), "failure", f"{ITEM}/contents", "does not list 'more.txt'"),
    (contents(b"notes.l1.pdf", b"empty.txt"), "failure", f"{ITEM}/contents", "more than once"),
]


@pytest.mark.parametrize(("change", "outcome", "where", "says"), SAF_FAULTS)
def test_each_thing_that_is_wrong_with_a_simple_archive_is_found(
    packages: dict[str, bytes], tmp_path: Path, change: Change, outcome: str, where: str, says: str
) -> None:
    found = findings(packages["saf"], tmp_path, change)
    assert [each for each in found if each[:2] == (outcome, where) and says in each[2]], found


def test_a_simple_archive_may_have_descriptions_alone_and_no_folder_above(tmp_path: Path) -> None:
    document = (
        b'<dublin_core><dcvalue element="title">t</dcvalue>'
        b'<dcvalue element="date" qualifier="issued">2020</dcvalue></dublin_core>'
    )
    assert findings(built("saf"), tmp_path, instead({"a/dublin_core.xml": document})) == []


BAG_FAULTS: list[tuple[Change, str, str, str]] = [
    (added("other.txt"), "failure", "other.txt", "lies outside the bag"),
    (replaced(f"{NAME}/bagit.txt", b"UTF-8", b"UTF-16"), "failure", f"{NAME}/bagit.txt", "no declaration"),
    (replaced(f"{NAME}/bagit.txt", b"0.97", b"0.93"), "warning", f"{NAME}/bagit.txt", "declares version 0.93"),
    (added(f"{NAME}/bagit.txt", b"\xff\xfe"), "failure", NAME, "not in UTF-8"),
    (added(f"{NAME}/fetch.txt"), "failure", f"{NAME}/fetch.txt", "have to be fetched"),
    (added(f"{NAME}/data/more.txt"), "failure", f"{NAME}/data/more.txt", "is not in manifest-sha512.txt"),
    (added(f"{NAME}/data/more.txt"), "failure", f"{NAME}/bag-info.txt", "states a payload of"),
    (removed(f"{NAME}/data/empty.txt"), "failure", f"{NAME}/data/empty.txt", "is in manifest-sha256.txt and not in"),
    (added(f"{NAME}/data/empty.txt", b"not"), "failure", f"{NAME}/data/empty.txt", "another checksum than manifest-sha512"),
    (
        replaced(f"{NAME}/bag-info.txt", b"Slipway", b"slipway"),
        "failure",
        f"{NAME}/bag-info.txt",
        "another checksum than tagmanifest",
    ),
    (added(f"{NAME}/manifest-sha256.txt", b"nonsense"), "failure", NAME, "none of a manifest"),
    (
        lambda entries: [entries.pop(name) for name in list(entries) if "/manifest-" in name],
        "failure",
        NAME,
        "no manifest of its payload",
    ),
]


@pytest.mark.parametrize(("change", "outcome", "where", "says"), BAG_FAULTS)
def test_each_thing_that_is_wrong_with_a_bag_is_found(
    packages: dict[str, bytes], tmp_path: Path, change: Change, outcome: str, where: str, says: str
) -> None:
    found = findings(packages["bagit"], tmp_path, change)
    assert [each for each in found if each[:2] == (outcome, where) and says in each[2]], found


@pytest.mark.parametrize("form", ["mets", "saf", "bagit"])
def test_damaged_bytes_are_found_whatever_the_form(packages: dict[str, bytes], form: str, tmp_path: Path) -> None:
    file = tmp_path / "package.zip"
    at = packages[form].index(b"%PDF-1.4 one")
    file.write_bytes(packages[form][:at] + b"?" + packages[form][at + 1 :])
    found = check_package(file)
    assert [each for each in found if each.outcome == "failure" and "cannot be unpacked" in each.sentence]


def test_a_bag_without_information_is_a_bag(tmp_path: Path) -> None:
    body = b"kept"
    entries = {
        "a/bagit.txt": b"BagIt-Version: 1.0\r\nTag-File-Character-Encoding: UTF-8\r\n",
        "a/data/b\r.txt": body,
        "a/manifest-md5.txt": hashlib.md5(body).hexdigest().upper().encode() + b" *data/b%0d.txt\r\n",
    }
    found = findings(built("bagit"), tmp_path, instead(entries))
    assert not [each for each in found if "data/b" not in each[1]]
    assert not [each for each in found if "manifest" in each[2]]
