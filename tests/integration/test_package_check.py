"""Course packages are good ones; and every rule of the check finds what breaks it."""

import io
import re
import subprocess
import sys
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from archives import Content, Finding, Form, PackageError, build_package, check_package
from config import PackageSettings
from packageslip import Kind, Packageslip, Resource
from support.sample_module import OPTIONS, SHARED, Blobs, built, sample

ROOT = Path(__file__).resolve().parents[2]
NAME = "8-01-fall-1999"
MANIFEST = "imsmanifest.xml"
HOME = f"{NAME}/contents/index.htm"

Entries = dict[str, bytes]


def entries_of(package: bytes) -> Entries:
    with zipfile.ZipFile(io.BytesIO(package)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


@pytest.fixture(scope="module")
def good() -> Entries:
    return entries_of(built("imscp"))


@pytest.fixture
def findings(tmp_path: Path) -> Callable[..., list[Finding]]:
    """What the check says of these entries."""

    def check(entries: Entries, compression: int = zipfile.ZIP_STORED) -> list[Finding]:
        path = tmp_path / "package.zip"
        with zipfile.ZipFile(path, "w", compression) as archive:
            for name, body in entries.items():
                archive.writestr(name, body)
        return check_package(path)

    return check


def failures(found: list[Finding]) -> list[tuple[str, str]]:
    return [(each.where, each.sentence) for each in found if each.outcome == "failure"]


def warnings(found: list[Finding]) -> list[tuple[str, str]]:
    return [(each.where, each.sentence) for each in found if each.outcome == "warning"]


Check = Callable[..., list[Finding]]


@pytest.mark.parametrize("media", [False, True])
def test_an_archive_package_is_good_and_has_metadata_for_each_file(good: Entries, tmp_path: Path, media: bool) -> None:
    path = tmp_path / "package.zip"
    path.write_bytes(built("imscp", media=media))
    assert warnings(check_package(path)) == [
        (f"{NAME}/{name}", "is in the package and not in the manifest") for name in ("ReadMe.txt", "START.htm")
    ]
    assert failures(check_package(path)) == []
    names = list(entries_of(path.read_bytes()))
    files = {name for name in names if name.startswith(f"{NAME}/contents/") and not name.endswith(".xml")}
    assert names == [MANIFEST, *sorted(names[1:])]
    assert {f"{name}.xml" for name in files} <= set(names)
    assert (f"{NAME}/contents/video/l1.mp4" in names) == media
    assert good[f"{HOME}.xml"] == b"<lom/>", "its own metadata is packed as it is"
    assert b"<lom:size>12</lom:size>" in good[f"{NAME}/contents/notes/l1.pdf.xml"]
    assert 'href="contents/notes/Übung &amp; mehr.pdf"'.encode() in good[MANIFEST]


def test_a_download_has_the_same_tree_without_metadata_and_claims_no_profile(good: Entries, findings: Check) -> None:
    made = entries_of(built("download"))
    assert set(made) == {name for name in good if not name.endswith(".xml")} | {MANIFEST}
    assert b"cwspace_imscp" in made[MANIFEST]
    assert b"packageMetadata" not in made[MANIFEST]
    found = findings(made)
    assert failures(found) == []
    assert any("claims no profile" in sentence for _, sentence in warnings(found))


def test_links_lead_into_the_package(good: Entries) -> None:
    page = good[HOME].decode()
    assert '<a href="notes/l1.pdf">' in page
    assert '<img src="../common/images/logo.gif">' in page


def test_without_a_profile_an_archive_package_claims_none(findings: Check) -> None:
    made = entries_of(built("imscp", options=OPTIONS.model_copy(update={"profile": None})))
    assert b"packageMetadata" not in made[MANIFEST]
    assert f"{HOME}.xml" in made
    assert failures(findings(made)) == []


def test_the_same_input_gives_the_same_bytes_and_another_time_gives_others() -> None:
    for form in ("download", "imscp"):
        assert built(form) == built(form)
        assert built(form, sample(modified=1_600_000_000)) != built(form)


def test_the_order_of_a_slips_resources_does_not_matter() -> None:
    content = sample()
    turned = replace(content, slip=replace(content.slip, resources=content.slip.resources[::-1]))
    assert built("imscp", turned) == built("imscp")


def test_the_first_page_leads_to_the_home_page_whatever_it_is_called(findings: Check) -> None:
    blobs = Blobs()
    home = Resource("week #1/50% ü?.htm", Kind.PAGE, "text/html", 1, blobs.put(b"x"))
    made = entries_of(built("imscp", Content(Packageslip("/a", (home,)), blobs.open)))
    assert b'href="contents/week%20%231/50%25%20%C3%BC%3F.htm"' in made["a/START.htm"]
    assert failures(findings(made)) == []


def test_nothing_to_pack_is_said() -> None:
    with pytest.raises(PackageError, match="nothing to pack"):
        built("imscp", Content(Packageslip("/a", (Resource("v.mp4", Kind.MEDIA),)), Blobs().open))


def test_names_that_would_be_one_identifier_stay_two(good: Entries) -> None:
    assert b'identifier="r_contents.notes.l1.pdf"' in good[MANIFEST]
    assert b'identifier="r_contents.notes.l1.pdf-2"' in good[MANIFEST]


def test_metadata_gets_another_name_where_its_own_is_taken(findings: Check) -> None:
    made = entries_of(built("imscp", sample(extra={"data.csv": b"1", "data.csv.xml": b"<not-metadata/>"})))
    assert made[f"{NAME}/contents/data.csv.xml"] == b"<not-metadata/>"
    assert b"<lom:size>1</lom:size>" in made[f"{NAME}/contents/data.csv.lom.xml"]
    assert failures(findings(made)) == []


def test_metadata_never_takes_the_place_of_a_file() -> None:
    extra = {"a.csv": b"1", "a.csv.xml": b"2", "a.csv.lom.xml": b"3", "a.csv.lom": b"4"}
    made = entries_of(built("imscp", sample(extra=extra)))
    assert {path: made[f"{NAME}/contents/{path}"] for path in extra} == extra
    assert b"<lom:location>" in made[f"{NAME}/contents/a.csv.lom-2.xml"]


def test_metadata_of_metadata_is_a_file_like_others(findings: Check) -> None:
    extra = {"a.csv": b"1", "a.csv.xml": b"<lom/>", "a.csv.xml.xml": b"<lom/>"}
    content = sample(extra=extra)
    kinds = [replace(each, kind=Kind.METADATA) if each.path.startswith("a.csv.xml") else each for each in content.slip.resources]
    made = entries_of(built("imscp", replace(content, slip=replace(content.slip, resources=tuple(kinds)))))
    assert {path: made[f"{NAME}/contents/{path}"] for path in extra} == extra
    assert failures(findings(made)) == []


def course(sidecar: bytes, page: bytes = b"<a href='/courses/a/x'>") -> Content:
    blobs = Blobs()
    resources = (
        Resource("index.htm", Kind.PAGE, "text/html", len(page), blobs.put(page)),
        Resource("index.htm.xml", Kind.METADATA, "text/xml", len(sidecar), blobs.put(sidecar)),
        Resource("x", size=1, digest=blobs.put(b"x")),
    )
    return Content(Packageslip("/courses/a", resources, module_short_id=NAME), blobs.open)


LOM = b"""<lom xmlns="urn:any"><general><title><string>Knots</string></title>
<identifier><catalog>Number</catalog><entry>1.01</entry></identifier><identifier><catalog>Empty</catalog></identifier></general>
<lifeCycle><version><string>Fall</string></version><contribute><role><value>Editor</value></role><entity>A &amp; B</entity></contribute>
<contribute><role><value>Knotter</value></role><entity>C</entity></contribute></lifeCycle>
<technical><size> 23 </size></technical>
<classification><taxonPath><source><string>Topics</string></source><taxon><entry><string>Ropes</string></entry></taxon></taxonPath></classification></lom>"""


def test_the_courses_own_metadata_describes_it_in_the_manifest() -> None:
    manifest = entries_of(built("imscp", course(LOM)))[MANIFEST].decode()
    manifest = re.sub(r">\s+<", "><", manifest)
    assert '<lom:title><lom:string language="en">Knots</lom:string></lom:title>' in manifest
    assert "<lom:catalog>Number</lom:catalog><lom:entry>1.01</lom:entry>" in manifest
    assert "Empty" not in manifest
    assert '<lom:version><lom:string language="en">Fall</lom:string></lom:version>' in manifest
    assert "<lom:source>LOMv1.0</lom:source><lom:value>editor</lom:value>" in manifest
    assert "<lom:source>Example OCW</lom:source><lom:value>Knotter</lom:value>" in manifest
    assert "<lom:entity>A &amp; B</lom:entity>" in manifest
    assert '<lom:taxon><lom:entry><lom:string language="en">Ropes</lom:string>' in manifest


@pytest.mark.parametrize("sidecar", [b"<lom/>", b"not xml", b""])
def test_metadata_that_says_nothing_leaves_it_to_the_slip(sidecar: bytes) -> None:
    manifest = entries_of(built("imscp", course(sidecar)))[MANIFEST]
    assert b"<lom:entry>https://ocw.example.edu/courses/a</lom:entry>" in manifest
    assert b"<lom:entity>Example OCW</lom:entity>" in manifest


def test_a_page_with_new_links_has_its_new_size_in_its_own_metadata(findings: Check) -> None:
    made = entries_of(built("imscp", course(LOM)))
    assert made[HOME] == b"<a href='x'>"
    assert b"<size> 12 </size>" in made[f"{HOME}.xml"]
    assert made[f"{HOME}.xml"].replace(b" 12 ", b" 23 ") == LOM
    assert failures(findings(made)) == []


def test_pages_of_shared_modules_are_resources_with_their_assets(findings: Check) -> None:
    content = sample()
    blobs = Blobs()
    terms = Packageslip(
        "/terms",
        tuple(
            Resource(path, Kind.PAGE if path.endswith(".htm") else Kind.IMAGE, size=1, digest=blobs.put(b"x"))
            for path in ("index.htm", "by.png", "deep/er/nc.png", "marks/index.htm", "marks/print.htm", "marks/r.png")
        ),
    )
    logo = content.shared[0]

    def opened(digest: bytes) -> io.BytesIO:
        return io.BytesIO(b"x" if digest == blobs.put(b"x") else content.open(digest).read())

    made = entries_of(built("imscp", Content(content.slip, opened, (logo, terms))))
    manifest = re.sub(r">\s+<", "><", made[MANIFEST].decode())
    assert (
        '<file href="common/terms/index.htm"/><file href="common/terms/by.png"/><file href="common/terms/deep/er/nc.png"/>'
        '<dependency identifierref="webrenderrequirements.8-01-physics-i-fall-1999"/></resource>'
    ) in manifest
    assert '<file href="common/terms/marks/index.htm"/><file href="common/terms/marks/r.png"/>' in manifest
    assert f'type="webcontent"><file href="common/images/{next(iter(SHARED))}"/></resource></resources>' in manifest
    assert failures(findings(made)) == []


def changed(entries: Entries, name: str, was: str, becomes: str) -> Entries:
    text = entries[name].decode()
    assert was in text
    return {**entries, name: text.replace(was, becomes, 1).encode()}


def without(entries: Entries, name: str) -> Entries:
    assert name in entries
    return {key: value for key, value in entries.items() if key != name}


@pytest.mark.parametrize(
    ("was", "becomes", "where", "sentence"),
    [
        ("IMS Content<", "IMS Contents<", MANIFEST, "names the schema 'IMS Contents' instead of 'IMS Content'"),
        (">1.1<", ">1.2<", MANIFEST, "names the schemaversion '1.2' instead of '1.1'"),
        (">CWSpace<", ">Other<", MANIFEST, "names the profile 'Other' instead of 'CWSpace'"),
        (">0.1<", ">0.2<", MANIFEST, "names the profileVersion '0.2' instead of '0.1'"),
        (
            "<adlcp:location>contents/index.htm.xml",
            "<adlcp:location>contents/no.xml",
            f"{NAME}/contents/no.xml",
            "is the course's metadata by the manifest, and is not in the package",
        ),
        (
            "<adlcp:location>contents/index.htm.xml</adlcp:location>",
            "",
            MANIFEST,
            "names no metadata of the course (adlcp:location)",
        ),
        (
            '<file href="contents/notes/l1.pdf"/>',
            '<file href="contents/notes/l2.pdf"/>',
            f"{NAME}/contents/notes/l2.pdf",
            "is named by the manifest (r_contents.notes.l1.pdf-2) and not in the package",
        ),
        (
            "<adlcp:location>contents/notes/l1.pdf.xml",
            "<adlcp:location>contents/notes/l2.pdf.xml",
            f"{NAME}/contents/notes/l2.pdf.xml",
            "is the metadata of r_contents.notes.l1.pdf-2 by the manifest, and not in the package",
        ),
        (
            'identifier="r_contents.notes.l1.pdf"',
            'identifier="r_contents.index.htm"',
            MANIFEST,
            "has 2 resources called 'r_contents.index.htm'",
        ),
        (
            'CourseHome" identifierref="r_contents.index.htm"',
            'CourseHome" identifierref="r_none"',
            MANIFEST,
            "has an item 'i_8-01-physics-i-fall-1999.CourseHome' that leads to no resource: 'r_none'",
        ),
        (
            'CourseHome" identifierref="r_contents.index.htm"',
            'CourseHome" identifierref="r_none"',
            MANIFEST,
            "has a first item that leads to no file of the package ('r_none')",
        ),
        (
            'CourseHome" identifierref="r_contents.index.htm"',
            'CourseHome"',
            MANIFEST,
            "has a first item that leads to no file of the package (None)",
        ),
        (
            '<dependency identifierref="webrender',
            '<dependency identifierref="x',
            MANIFEST,
            "has a resource 'r_contents.index.htm' that depends on none",
        ),
        ('<organizations default="', '<organizations default="x', MANIFEST, "has no default organization"),
        ("<manifest ", "<manifesto ", MANIFEST, "is no well-formed XML"),
        (
            "imscp_v1p1",
            "imscp_v1p2",
            MANIFEST,
            "is no manifest of IMS Content Packaging: its root is {http://www.imsglobal.org/xsd/imscp_v1p2}manifest",
        ),
    ],
)
def test_a_manifest_that_breaks_a_rule_is_found(
    good: Entries, findings: Check, was: str, becomes: str, where: str, sentence: str
) -> None:
    found = failures(findings(changed(good, MANIFEST, was, becomes)))
    assert any(place == where and text.startswith(sentence) for place, text in found), found


def test_an_organization_without_items_is_found(good: Entries, findings: Check) -> None:
    manifest = re.sub(r"<item .*</item>", "", good[MANIFEST].decode(), flags=re.DOTALL).encode()
    assert [text for _, text in failures(findings({**good, MANIFEST: manifest}))] == [
        "has a default organization without an item, so an archive has nothing to show first"
    ]


def test_every_finding_comes_at_once(good: Entries, findings: Check) -> None:
    broken = changed(good, MANIFEST, ">1.1<", ">1.2<")
    broken = without(broken, f"{NAME}/contents/notes/l1.pdf")
    broken[HOME] += b'<a href="nowhere">'
    assert len(failures(findings(broken))) == 4, "schema, file in the manifest, and two links"


@pytest.mark.parametrize(
    ("link", "why"),
    [
        ('<a href="nowhere.htm#x">', "leads nowhere"),
        ('<img src="../../../etc/passwd">', "leads nowhere"),
        ('<a href="notes/">', "leads to a folder, which only a server turns into a page"),
        ('<a href="/x">', "starts from a server's root, and a package has no server"),
        ('<script src="//cdn.example/x.js">', "starts from a server's root, and a package has no server"),
        ('<meta http-equiv="refresh" content="0;url=gone.htm">', "leads nowhere"),
    ],
)
def test_a_link_that_leads_nowhere_is_found(good: Entries, findings: Check, link: str, why: str) -> None:
    found = failures(findings({**good, HOME: good[HOME] + link.encode() * 2}))
    assert [(where, sentence.endswith(f"that {why}")) for where, sentence in found] == [(HOME, True)]


def test_links_that_lead_somewhere_are_good(good: Entries, findings: Check) -> None:
    links = b'<a href="http://[bad"><a href="?x"><a href="notes/%C3%9Cbung%20%26%20mehr.pdf"><a href="https://x.example/y"><a href=mailto:x>'
    links += b"<applet codebase=notes/ code=C.class><a href=notes\\l1.pdf>"
    assert failures(findings({**good, HOME: good[HOME] + links})) == []


def test_links_behind_a_base_elsewhere_lead_into_the_network(good: Entries, findings: Check) -> None:
    for base, broken in ((b"//x.example/", 0), (b"https://x.example/", 0), (b"notes/", 1), (b"http://[bad", 1)):
        links = b'<base href="' + base + b'"><a href="gone.htm"><a href="/gone.htm">'
        found = failures(findings({**good, HOME: good[HOME] + links}))
        assert bool(found) == bool(broken)


def test_broken_links_of_style_sheets_are_a_warning(good: Entries, findings: Check) -> None:
    sheet = f"{NAME}/common/styles/x.css"
    found = findings({**good, sheet: b"a{b:url(1) url(2) url(3) url(4) url(../images/logo.gif)}"})
    assert (sheet, "has links that lead nowhere: 1, 2, 3 and 1 more") in warnings(found)
    found = findings({**good, sheet: b"a{b:url(1)}"})
    assert (sheet, "has links that lead nowhere: 1") in warnings(found)
    assert failures(found) == []


def test_metadata_that_is_wrong_is_found(good: Entries, findings: Check) -> None:
    place = f"{NAME}/contents/notes/l1.pdf.xml"
    found = findings(changed(good, place, "<lom:size>12<", "<lom:size>13<"))
    assert failures(found) == [(place, f"states 13 bytes for {NAME}/contents/notes/l1.pdf, which has 12")]
    [(where, sentence)] = failures(findings({**good, place: b"<lom>"}))
    assert (where, sentence[:22]) == (place, "is no well-formed XML:")


def test_what_is_worth_knowing_is_a_warning(good: Entries, findings: Check) -> None:
    expected = [(f"{NAME}/{name}", "is in the package and not in the manifest") for name in ("ReadMe.txt", "START.htm")]

    def new(entries: Entries, compression: int = zipfile.ZIP_STORED) -> list[tuple[str, str]]:
        found = findings(entries, compression)
        assert failures(found) == []
        return [each for each in warnings(found) if each not in expected]

    assert new({**without(good, MANIFEST), MANIFEST: good[MANIFEST]}) == [
        (MANIFEST, "is not the first entry; readers of streams expect it there")
    ]
    assert new(good, zipfile.ZIP_DEFLATED) == [
        (MANIFEST, f"{len(good)} entries are compressed; packages hold their entries stored")
    ]
    assert new({**good, f"{NAME}/extra": b""}) == [(f"{NAME}/extra", "is in the package and not in the manifest")]
    assert new({**good, f"{NAME}/folder/": b""}) == [(f"{NAME}/folder/", "is a folder; packages hold files alone")]
    upper = f"{NAME}/contents/NOTES.l1.pdf"
    assert (upper, f"is the same name as {NAME}/contents/notes.l1.pdf on many systems") in [
        (where, sentence) for where, sentence in new({**good, upper: b""})
    ] or (f"{NAME}/contents/notes.l1.pdf", f"is the same name as {upper} on many systems") in new({**good, upper: b""})
    twice = changed(
        good, MANIFEST, 'identifier="i_8-01-physics-i-fall-1999.notes.l1.pdf"', 'identifier="i_8-01-physics-i-fall-1999.notes"'
    )
    assert new(twice) == [(MANIFEST, "has 2 items called 'i_8-01-physics-i-fall-1999.notes'")]
    page = '<file href="contents/notes/index.htm"/>'
    assert (f"{NAME}/contents/notes/index.htm", "is where r_contents.notes.index.htm begins, and not among its files") in new(
        changed(good, MANIFEST, page, "")
    )


def test_a_manifest_may_write_its_paths_as_urls_and_in_parts(good: Entries, findings: Check) -> None:
    manifest = good[MANIFEST].decode().replace('href="contents/notes/l1.pdf"', 'href="contents/notes/l1%2Epdf"')
    manifest = manifest.replace(f'xml:base="{NAME}/"', "").replace("<resources>", f'<resources xml:base="{NAME}/">')
    found = findings({**good, MANIFEST: manifest.encode()})
    assert failures(found) == [("contents/index.htm.xml", "is the course's metadata by the manifest, and is not in the package")]


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


def test_the_bytes_do_not_depend_on_the_process() -> None:
    code = "import hashlib; from support.sample_module import built; print(hashlib.sha256(built('imscp')).hexdigest())"
    digests = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": f"{ROOT}:{ROOT / 'tests'}", "TZ": zone, "LC_ALL": locale},
            check=True,
            capture_output=True,
        ).stdout
        for seed, zone, locale in (("1", "UTC", "C.UTF-8"), ("2", "Pacific/Kiritimati", "C"))
    }
    assert len(digests) == 1


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


def test_a_large_page_is_packed_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("archives.layout._LONGEST_TEXT", 5)
    assert b'href="/courses' in entries_of(built("download"))[HOME]


def test_content_is_opened_only_for_what_goes_in() -> None:
    content = sample()
    opened = set()

    def watch(digest: bytes) -> io.BytesIO:
        opened.add(digest)
        return io.BytesIO(content.open(digest).read())

    build_package(Form.DOWNLOAD, Content(content.slip, watch, content.shared), PackageSettings(), io.BytesIO())
    left_out = {each.digest for each in content.slip.resources if each.path in ("video/l1.mp4", "index.htm.xml")}
    assert not opened & left_out
