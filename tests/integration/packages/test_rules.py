"""Every rule of the check of a package finds what breaks it."""

import re
import zipfile

import pytest

from support.package_entries import HOME, MANIFEST, NAME, Check, Entries, changed, failures, warnings, without


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
