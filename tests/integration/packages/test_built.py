"""Course packages are good ones, made of the same bytes each time."""

import io
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from archives import Content, Form, PackageError, build_package, check_package
from config import PackageSettings
from packageslip import Kind, Packageslip, Resource
from support.package_entries import HOME, MANIFEST, NAME, Check, Entries, course, entries_of, failures, warnings
from support.sample_module import OPTIONS, SHARED, Blobs, built, sample

ROOT = Path(__file__).resolve().parents[3]


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
