"""METS, Simple Archive Format and BagIt, each read by something that is not ours."""

import hashlib
import io
import os
import subprocess
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import quote
from xml.etree import ElementTree as ET

import bagit
import pytest
from lxml import etree

from archives import Content, Form, PackageError, build_package, check_package
from config import PackageSettings
from packageslip import Kind, Packageslip, Resource, read_slip
from store import Store
from support.mets_schema import mets_schema
from support.sample_module import FILES, INDEX, OPTIONS, URL, built, sample

NAME = "8-01-fall-1999"
METS = "{http://www.loc.gov/METS/}"
HREF = "{http://www.w3.org/1999/xlink}href"
FORMS = ("mets", "saf", "bagit")


def unzipped(package: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(package)) as archive:
        assert archive.testzip() is None
        assert {entry.compress_type for entry in archive.infolist()} == {zipfile.ZIP_STORED}
        return {name: archive.read(name) for name in archive.namelist()}


@pytest.mark.parametrize("form", FORMS)
def test_the_same_module_gives_the_same_bytes(form: str) -> None:
    first = built(form, media=True)
    content = sample()
    backwards = Content(replace(content.slip, resources=content.slip.resources[::-1]), content.open, content.shared)
    assert built(form, media=True) == first == built(form, backwards, media=True)


@pytest.mark.parametrize("form", FORMS)
def test_media_goes_in_when_it_is_asked_for(form: str) -> None:
    assert not any(name.endswith("l1.mp4") for name in unzipped(built(form)))
    assert any(name.endswith("l1.mp4") for name in unzipped(built(form, media=True)))


@pytest.mark.parametrize("form", FORMS)
def test_a_module_of_which_nothing_goes_in_is_no_package(form: str) -> None:
    with pytest.raises(PackageError, match="nothing to pack"):
        built(form, options=OPTIONS.model_copy(update={"include": ("transcript",)}))


def test_a_deposits_name_is_in_every_form_of_its_package() -> None:
    content = replace(sample(), identifier="8-01-fall-1999-0123456789abcdef")
    told = {form: unzipped(built(form, content)) for form in (*FORMS, "imscp")}
    assert b">8-01-fall-1999-0123456789abcdef<" in told["mets"]["mets.xml"]
    assert ("identifier", "other", "8-01-fall-1999-0123456789abcdef") in saf_items(built("saf", content))[0].metadata
    assert b"External-Identifier: 8-01-fall-1999-0123456789abcdef\n" in told["bagit"][f"{NAME}/bag-info.txt"]
    assert b">8-01-fall-1999-0123456789abcdef<" in told["imscp"]["imsmanifest.xml"]


# METS


def test_mets_is_valid_by_its_schema() -> None:
    mets_schema().assertValid(etree.fromstring(unzipped(built("mets", media=True))["mets.xml"]))


def test_mets_is_the_first_entry_and_names_every_other_one() -> None:
    entries = unzipped(built("mets"))
    assert next(iter(entries)) == "mets.xml"
    root = ET.fromstring(entries["mets.xml"])
    assert root.get("PROFILE") == "DSpace METS SIP Profile 1.0"
    named = {file.find(f"{METS}FLocat").get(HREF) for file in root.iter(f"{METS}file")}  # type: ignore[union-attr]
    assert named == entries.keys() - {"mets.xml"}
    assert {location.get("LOCTYPE") for location in root.iter(f"{METS}FLocat")} == {"URL"}


def test_what_mets_says_of_each_file_is_true() -> None:
    entries = unzipped(built("mets"))
    for file in ET.fromstring(entries["mets.xml"]).iter(f"{METS}file"):
        body = entries[file.find(f"{METS}FLocat").get(HREF) or ""]  # type: ignore[union-attr]
        assert file.get("CHECKSUMTYPE") == "SHA-256"
        assert file.get("CHECKSUM") == hashlib.sha256(body).hexdigest()
        assert file.get("SIZE") == str(len(body))
        assert file.get("MIMETYPE")


def test_mets_keeps_metadata_in_a_bundle_of_its_own_with_the_file_it_describes() -> None:
    root = ET.fromstring(unzipped(built("mets"))["mets.xml"])
    groups = {group.get("USE"): group for group in root.iter(f"{METS}fileGrp")}
    assert list(groups) == ["CONTENT", "METADATA"]
    (metadata,) = groups["METADATA"]
    assert metadata.find(f"{METS}FLocat").get(HREF) == f"{NAME}/contents/index.htm.xml"  # type: ignore[union-attr]
    assert metadata.get("GROUPID") in {file.get("GROUPID") for file in groups["CONTENT"]}


def test_mets_without_metadata_has_one_bundle() -> None:
    content = sample()
    slip = replace(content.slip, resources=tuple(each for each in content.slip.resources if each.kind is not Kind.METADATA))
    root = ET.fromstring(unzipped(built("mets", replace(content, slip=slip)))["mets.xml"])
    assert [group.get("USE") for group in root.iter(f"{METS}fileGrp")] == ["CONTENT"]


def test_the_primary_bitstream_of_mets_is_the_index_page() -> None:
    root = ET.fromstring(unzipped(built("mets"))["mets.xml"])
    first = root.find(f"{METS}structMap/{METS}div/{METS}fptr")
    assert first is not None
    ids = {file.get("ID"): file.find(f"{METS}FLocat").get(HREF) for file in root.iter(f"{METS}file")}  # type: ignore[union-attr]
    assert ids[first.get("FILEID")] == f"{NAME}/contents/index.htm"
    assert len(ids) == len([*root.iter(f"{METS}file")])


def test_mets_lists_content_in_the_order_of_reading() -> None:
    root = ET.fromstring(unzipped(built("mets"))["mets.xml"])
    labels = [division.get("LABEL") for division in root.iterfind(f"{METS}structMap/{METS}div/{METS}div")]
    assert labels[:3] == ["Course\thome\n& <more>", "Lecture notes", "Lecture 1"]


def test_the_description_of_mets_is_the_slips() -> None:
    mods = "{http://www.loc.gov/mods/v3}"
    root = ET.fromstring(unzipped(built("mets"))["mets.xml"])
    assert root.findtext(f".//{mods}titleInfo/{mods}title") == "Physics I: Classical Mechanics"
    assert root.findtext(f".//{mods}dateIssued") == "2019-09-25"
    assert root.findtext(f".//{mods}genre") == "course"
    identifiers = [(each.get("type"), each.text) for each in root.iter(f"{mods}identifier")]
    assert ("uri", f"https://ocw.example.edu{URL}") in identifiers
    assert ("local", "0" * 31 + "1") in identifiers
    assert root.get("OBJID") == identifiers[0][1]


def test_mets_gives_each_file_its_name_and_format_in_premis() -> None:
    premis = "{http://www.loc.gov/standards/premis}"
    content = sample({"unknown.bin": b"x"})
    root = ET.fromstring(unzipped(built("mets", content))["mets.xml"])
    sections = {each.get("ID"): each for each in root.iter(f"{METS}amdSec")}
    for file in root.iter(f"{METS}file"):
        section = sections[file.get("ADMID")]
        assert section.findtext(f".//{premis}originalName") == file.find(f"{METS}FLocat").get(HREF)  # type: ignore[union-attr]
        assert section.findtext(f".//{premis}size") == file.get("SIZE")
        guessed = file.get("MIMETYPE") == "application/octet-stream"
        assert section.findtext(f".//{premis}formatName") == (None if guessed else file.get("MIMETYPE"))


def test_mets_leaves_out_a_size_that_the_archive_cannot_read() -> None:
    content = sample({"large.bin": b"x"})
    resources = tuple(replace(each, size=2**31) if each.path == "large.bin" else each for each in content.slip.resources)
    document = unzipped(built("mets", replace(content, slip=replace(content.slip, resources=resources))))["mets.xml"]
    assert b'SIZE="2147483648"' in document
    assert b"<premis:size>2147483648<" not in document


@pytest.mark.parametrize("name", ["a%b.txt", "a%20b.txt", "a[1].txt", "a b.txt", "a#?&.txt", "{a}|^`.txt", "Ünï/cödé.txt"])
@pytest.mark.parametrize("form", FORMS)
def test_any_name_can_be_in_a_package(name: str, form: str, tmp_path: Path) -> None:
    page = f'<html><body><a href="{quote(name)}">a</a></body></html>'.encode()
    package = built(form, sample({name: b"x", "page.htm": page}))
    (tmp_path / "a.zip").write_bytes(package)
    assert check_package(tmp_path / "a.zip") == []
    if form == "mets":
        root = etree.fromstring(unzipped(package)["mets.xml"])
        mets_schema().assertValid(root)
        assert any(each.text == f"{NAME}/contents/{name}" for each in root.iterdescendants("{*}originalName"))


def test_pages_find_what_lies_beside_them_in_any_folder(tmp_path: Path) -> None:
    page = b'<a href="b%25.pdf"><a href="[1].pdf"><a href="gone%25.pdf">'
    content = sample({"50% x/page.htm": page, "50% x/b%.pdf": b"x", "50% x/[1].pdf": b"x"})
    (tmp_path / "a.zip").write_bytes(built("mets", content, PackageSettings()))
    [found] = [each for each in check_package(tmp_path / "a.zip") if each.where.endswith("page.htm")]
    assert "'gone%25.pdf'" in found.sentence


COURSE_LOM = b"""<lom:lom xmlns:lom="http://ocw.mit.edu/xmlns/LOM"><lom:lifeCycle>
<lom:contribute><lom:role><lom:value>Author</lom:value></lom:role><lom:entity>Lewin, Walter</lom:entity></lom:contribute>
<lom:contribute><lom:role><lom:value>Instructor</lom:value></lom:role><lom:entity>Busza, Wit</lom:entity></lom:contribute>
<lom:contribute><lom:role><lom:value>Publisher</lom:value></lom:role><lom:entity>MIT Press</lom:entity></lom:contribute>
</lom:lifeCycle></lom:lom>"""


@pytest.fixture
def with_people(monkeypatch: pytest.MonkeyPatch) -> Content:
    monkeypatch.setitem(FILES, "index.htm.xml", (COURSE_LOM, Kind.METADATA, "text/xml", None, None))
    return sample()


def test_people_come_from_the_courses_own_metadata(with_people: Content) -> None:
    mods = "{http://www.loc.gov/mods/v3}"
    document = unzipped(built("mets", with_people))["mets.xml"]
    mets_schema().assertValid(etree.fromstring(document))
    root = ET.fromstring(document)
    people = [(each.findtext(f".//{mods}roleTerm"), each.findtext(f"{mods}namePart")) for each in root.iter(f"{mods}name")]
    assert people == [("author", "Lewin, Walter"), ("other", "Busza, Wit")]
    assert root.findtext(f".//{mods}publisher") == "MIT Press"
    item = saf_items(built("saf", with_people))[0]
    assert ("contributor", "author", "Lewin, Walter") in item.metadata
    assert ("contributor", "other", "Busza, Wit") in item.metadata


def test_pages_in_a_tree_find_each_other_and_what_they_share() -> None:
    for entries in (unzipped(built("mets")), {n.partition("/item_000/")[2]: b for n, b in unzipped(built("saf")).items()}):
        page = entries[f"{NAME}/contents/index.htm"].decode()
        assert 'href="notes/l1.pdf"' in page
        assert 'src="../common/images/logo.gif"' in page
        assert entries[f"{NAME}/common/images/logo.gif"] == b"GIF89a"


# Simple Archive Format: a reader written from DSpace's manual alone.


@dataclass(frozen=True, slots=True)
class Bitstream:
    name: str
    bundle: str
    description: str
    primary: bool
    body: bytes


@dataclass(frozen=True, slots=True)
class SafItem:
    metadata: list[tuple[str | None, str | None, str | None]]
    bitstreams: list[Bitstream]


def saf_items(package: bytes) -> list[SafItem]:
    """What an importer would make of the zip: the folder of all items is the first part of any entry with more than two."""
    with zipfile.ZipFile(io.BytesIO(package)) as archive:
        bodies = {name: archive.read(name) for name in archive.namelist() if not name.endswith("/")}
    deep = [name.split("/")[0] for name in bodies if name.count("/") > 1]
    above = f"{deep[0]}/" if deep else ""
    assert all(name.startswith(above) for name in bodies), "the importer would not see what lies outside"
    folders = sorted({name.removeprefix(above).split("/")[0] for name in bodies})
    return [
        saf_item({n.removeprefix(f"{above}{f}/"): b for n, b in bodies.items() if n.startswith(f"{above}{f}/")}) for f in folders
    ]


def saf_item(files: dict[str, bytes]) -> SafItem:
    root = ET.fromstring(files["dublin_core.xml"])
    assert root.tag == "dublin_core"
    metadata = [(value.get("element"), value.get("qualifier"), value.text) for value in root.findall("dcvalue")]
    bitstreams = list(saf_bitstreams(files))
    assert {each.name for each in bitstreams} == files.keys() - {"dublin_core.xml", "contents"}, "files that are not listed"
    return SafItem(metadata, bitstreams)


def saf_bitstreams(files: dict[str, bytes]) -> Iterator[Bitstream]:
    for line in files["contents"].decode().splitlines():
        assert not line.strip().startswith("-"), "a file that is registered, not imported"
        name, *extras = line.split("\t")
        said = dict(extra.split(":", 1) for extra in extras)
        assert said.keys() <= {"bundle", "permissions", "description", "primary"}
        primary = said.get("primary") == "true"
        yield Bitstream(name, said.get("bundle", "ORIGINAL"), said.get("description", ""), primary, files[name])


def test_a_simple_archive_holds_one_item_with_all_its_files() -> None:
    (item,) = saf_items(built("saf", media=True))
    names = {each.name for each in item.bitstreams}
    assert names == {f"{NAME}/contents/{path}" for path in FILES} | {f"{NAME}/common/images/logo.gif"}
    bodies = {each.name.removeprefix(f"{NAME}/contents/"): each.body for each in item.bitstreams}
    assert all(bodies[path] == body for path, (body, *_) in FILES.items() if body != INDEX)


def test_a_simple_archive_says_what_each_file_is() -> None:
    (item,) = saf_items(built("saf"))
    (primary,) = [each for each in item.bitstreams if each.primary]
    assert (primary.name, primary.description) == (f"{NAME}/contents/index.htm", "Course home & <more>")
    assert [each.name for each in item.bitstreams if each.bundle == "METADATA"] == [f"{NAME}/contents/index.htm.xml"]
    assert {each.bundle for each in item.bitstreams} == {"ORIGINAL", "METADATA"}


def test_the_description_of_a_simple_archive_is_the_slips() -> None:
    (item,) = saf_items(built("saf"))
    assert ("title", "none", "Physics I: Classical Mechanics") in item.metadata
    assert ("date", "issued", "2019-09-25") in item.metadata
    assert ("identifier", "uri", f"https://ocw.example.edu{URL}") in item.metadata
    bare = saf_items(built("saf", sample(module_type=None), OPTIONS.model_copy(update={"site": None})))[0].metadata
    assert not [each for each in bare if each[:2] in (("identifier", "uri"), ("type", "none"))]


@pytest.mark.parametrize("name", ["contents", "handle", "metadata_local.xml", "-r"])
def test_a_folder_that_the_format_keeps_for_itself_is_refused(name: str) -> None:
    with pytest.raises(PackageError, match=r"packages\.name"):
        built("saf", sample(module_short_id=name))


# BagIt


@pytest.fixture
def bag(tmp_path: Path) -> Path:
    with zipfile.ZipFile(io.BytesIO(built("bagit", media=True))) as archive:
        archive.extractall(tmp_path / "unpacked")
    (folder,) = (tmp_path / "unpacked").iterdir()
    return folder


def test_a_bag_is_valid_to_the_library(bag: Path) -> None:
    assert bag.name == NAME
    assert bagit.Bag(str(bag)).validate()


@pytest.mark.parametrize("manifest", ["manifest-sha256", "manifest-sha512", "tagmanifest-sha256", "tagmanifest-sha512"])
def test_a_bag_is_valid_to_coreutils(bag: Path, manifest: str) -> None:
    command = manifest.rpartition("-")[2] + "sum"
    subprocess.run([command, "--strict", "--check", "--quiet", f"{manifest}.txt"], cwd=bag, check=True, timeout=60)


def test_a_bag_holds_the_module_as_it_was_published_with_its_slip(bag: Path) -> None:
    data = {str(path.relative_to(bag / "data")): path.read_bytes() for path in (bag / "data").rglob("*") if path.is_file()}
    slip = read_slip(io.BytesIO(data.pop("packageslip.xml")), "packageslip.xml", url=URL)
    assert data == {path: body for path, (body, *_) in FILES.items()}
    assert {each.path: each.digest for each in slip.resources} == {n: hashlib.sha256(b).digest() for n, b in data.items()}


def test_a_bag_says_what_it_is_and_nothing_of_the_clock_or_of_software_versions(bag: Path) -> None:
    info = (bag / "bag-info.txt").read_text()
    assert "Bagging-Date: 2019-09-25\n" in info
    assert "Bag-Software-Agent: Slipway\n" in info
    assert f"Internal-Sender-Identifier: {URL}\n" in info
    assert f"External-Identifier: https://ocw.example.edu{URL}\n" in info


def test_a_bag_of_files_in_the_store_copies_none_of_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = Store(tmp_path / "store")
    with store.incoming() as incoming:
        incoming.write(b"kept")
        digest, _ = incoming.commit()
    slip = Packageslip(URL, (Resource("a.txt", size=4, digest=digest), Resource("b/c.txt", size=4, digest=digest)), title="t")
    monkeypatch.setattr("archives.bags.shutil.copyfileobj", None)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    out = io.BytesIO()
    build_package(Form.BAGIT, Content(slip, store.open), PackageSettings(), out)
    assert unzipped(out.getvalue())["8-01-physics-i-fall-1999/data/b/c.txt"] == b"kept"


def test_a_bag_of_files_that_cannot_be_linked_copies_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"kept")
    slip = Packageslip(URL, (Resource("a.txt", size=4, digest=hashlib.sha256(b"kept").digest()),), title="t")

    def refuse(self: Path, target: str) -> None:
        raise OSError(18, "another device", str(self), None, target)

    monkeypatch.setattr(Path, "hardlink_to", refuse)
    out = io.BytesIO()
    build_package(Form.BAGIT, Content(slip, lambda _: file.open("rb")), PackageSettings(), out)
    assert unzipped(out.getvalue())["8-01-physics-i-fall-1999/data/a.txt"] == b"kept"


def test_making_a_bag_leaves_the_process_where_it_is() -> None:
    before = Path.cwd()
    built("bagit")
    assert Path.cwd() == before


def test_a_bag_that_cannot_be_made_says_why(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    broken = tmp_path / "broken.py"
    broken.write_text("raise SystemExit('no space left')")
    monkeypatch.setattr("archives.bags._BAGGING", broken)
    with pytest.raises(PackageError, match="no space left"):
        built("bagit")


def test_a_name_that_manifests_cannot_tell_from_a_line_end_is_refused() -> None:
    with pytest.raises(PackageError, match="rename it"):
        built("bagit", sample({"a%0Ab.txt": b"x"}))


@pytest.mark.parametrize("form", FORMS)
def test_a_module_that_is_a_single_file_can_be_packed(form: str) -> None:
    content = sample()
    only = replace(content.slip.resources[0], path=".")
    slip = replace(content.slip, url="/terms.txt", resources=(only,), module_short_id=None)
    entries = unzipped(built(form, Content(slip, content.open)))
    assert any(name.endswith("/terms.txt") for name in entries)
    assert os.sep not in next(iter(entries)).partition("/")[0]
