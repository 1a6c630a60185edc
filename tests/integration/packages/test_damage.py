"""Packages that are damaged or hostile: the check says so, and is neither led astray nor exhausted."""

import zipfile
from pathlib import Path

import pytest

from archives import Finding, check_package
from support.package_entries import HOME, MANIFEST, NAME, Check, Entries, course, failures
from support.sample_module import built


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("../evil", "leaves the module's folder"),
        ("/etc/passwd", "absolute"),
        ("a\\b", "backslash"),
        ("c:/x", "':'"),
        ("con", "device"),
    ],
)
def test_names_that_leave_the_folder_are_found(good: Entries, findings: Check, name: str, why: str) -> None:
    [sentence] = [text for where, text in failures(findings({**good, name: b""})) if where == name]
    assert why in sentence


def test_entries_that_stand_twice_and_links_are_found(good: Entries, tmp_path: Path) -> None:
    path = tmp_path / "x.zip"
    link = zipfile.ZipInfo(f"{NAME}/link")
    link.external_attr = 0o120777 << 16
    with zipfile.ZipFile(path, "w") as archive:
        for name, body in good.items():
            archive.writestr(name, body)
        with pytest.warns(UserWarning, match="Duplicate"):
            archive.writestr(HOME, b"other")
        archive.writestr(link, b"/etc/passwd")
    found = failures(check_package(path))
    assert (HOME, "stands twice in the zip; which one counts depends on the reader") in found
    assert (f"{NAME}/link", "is a symbolic link; packages hold files alone") in found


def test_names_cannot_steer_a_terminal(good: Entries, findings: Check) -> None:
    found = findings({**good, "\x1b[2J": b""})
    assert any(each.where == "\\x1b[2J" for each in found)
    assert all(each.where.isprintable() and each.sentence.isprintable() for each in found)


def zip_of(tmp_path: Path, content: bytes) -> list[Finding]:
    path = tmp_path / "x.zip"
    path.write_bytes(content)
    return check_package(path)


def test_a_damaged_entry_is_found(tmp_path: Path) -> None:
    package = bytearray(built("imscp"))
    place = package.index(b"%PDF-1.4 one")
    package[place : place + 4] = b"%PDX"
    [(where, sentence)] = failures(zip_of(tmp_path, bytes(package)))
    assert where == f"{NAME}/contents/notes/l1.pdf"
    assert sentence.startswith("cannot be unpacked: Bad CRC-32")


@pytest.mark.parametrize("compression", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_damaged_compressed_entry_is_found(tmp_path: Path, compression: int) -> None:
    path = tmp_path / "x.zip"
    with zipfile.ZipFile(path, "w", compression) as archive:
        archive.writestr("a.htm", "<p>" * 1000)
    content = path.read_bytes()
    body = content.index(b"a.htm") + len("a.htm")
    for place in range(body, content.index(b"PK\1\2")):
        broken = bytearray(content)
        broken[place] ^= 0xFF
        assert failures(zip_of(tmp_path, bytes(broken)))


def test_an_entry_without_a_name_is_found(tmp_path: Path) -> None:
    path = tmp_path / "x.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(MANIFEST, b"")
        archive.writestr("a", b"")
    nameless = path.read_bytes().replace(b"a", b"\0")
    assert any("must not be unpacked" in sentence for _, sentence in failures(zip_of(tmp_path, nameless)))


@pytest.mark.parametrize(
    "content", [b"", b"PK", b"x" * 100, built("imscp")[:-30], built("imscp")[1000:], b"PK\5\6" + b"\xff" * 18]
)
def test_what_is_no_zip_is_a_finding_and_no_traceback(tmp_path: Path, content: bytes) -> None:
    found = zip_of(tmp_path, content)
    assert failures(found)


def test_any_flipped_byte_of_the_directory_is_survived(tmp_path: Path) -> None:
    package = built("download", course(b"<lom/>"))
    start = package.index(b"PK\1\2")
    for place in range(start, len(package), 3):
        broken = bytearray(package)
        broken[place] ^= 0xFF
        zip_of(tmp_path, bytes(broken))


def test_a_zip_without_a_form_is_no_package(findings: Check) -> None:
    [(where, sentence)] = failures(findings({"a.txt": b""}))
    assert where == "package.zip"
    assert sentence.startswith("is a zip and no package")


def test_an_encrypted_entry_is_found(tmp_path: Path) -> None:
    package = bytearray(built("download"))
    for mark in (b"PK\3\4", b"PK\1\2"):
        package[package.index(mark) + (6 if mark == b"PK\3\4" else 8)] |= 1
    assert any("encrypted" in sentence for _, sentence in failures(zip_of(tmp_path, bytes(package))))


def test_a_bomb_is_not_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("archives.unpacking._HARMLESS", 1 << 20)
    path = tmp_path / "x.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(MANIFEST, bytes(1 << 22))
    [(where, sentence)] = failures(check_package(path))
    assert where == "x.zip"
    assert sentence.startswith("would unpack to 4194304 bytes, ")


def test_too_many_entries_and_too_long_texts_are_not_read(
    good: Entries, findings: Check, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("archives.unpacking._LONGEST_TEXT", 40)
    found = failures(findings(good))
    assert (MANIFEST, f"has {len(good[MANIFEST])} bytes; texts of more than 40 are not read") in found
    assert {where for where, _ in found} >= {HOME}
    monkeypatch.setattr("archives.unpacking._MOST_ENTRIES", 3)
    assert failures(findings(good)) == [("package.zip", f"has {len(good)} entries; more than 3 are not looked at")]


def test_entities_are_not_expanded(good: Entries, findings: Check) -> None:
    levels = "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 12))
    bomb = f'<!DOCTYPE m [<!ENTITY a0 "x"><!ENTITY b SYSTEM "file:///etc/passwd">{levels}'
    manifest = good[MANIFEST].decode().replace("<manifest ", bomb + "]><manifest ", 1).replace("IMS Content<", "&a11;&b;<", 1)
    assert failures(findings({**good, MANIFEST: manifest.encode()}))
