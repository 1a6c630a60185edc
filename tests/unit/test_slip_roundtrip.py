"""What is written can be read back equal, satisfies the XSD, and counts only whole."""

from dataclasses import replace
from hashlib import sha256
from io import BytesIO
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

import packageslip
from packageslip import (
    ITSELF,
    BadSlip,
    CatalogueEntry,
    Kind,
    Packageslip,
    Resource,
    Stale,
    UnsafePath,
    View,
    ViewKind,
    check_module_url,
    check_path,
    check_slip,
    collisions,
    is_page,
    on_target,
    read_catalogue,
    read_slip,
    version_of,
    write_catalogue,
    write_slip,
    write_slip_to,
)

SCHEMA = etree.XMLSchema(file=str(Path(packageslip.__file__).with_name("packageslip.xsd")))
BYTES = sha256(b"bytes").digest()
SLIP = Packageslip(
    "/courses/physics/8-01",
    resources=(
        Resource("notes/l1.pdf", size=5, digest=BYTES, href="/files?id=1&v=2"),
        Resource("index.htm", Kind.PAGE, "text/html", size=5, digest=BYTES, title='A "page" <of> é\n', modified=1569433654),
    ),
    views=(View("index.json", ViewKind.JSON, size=2, digest=BYTES), View("rss.xml", ViewKind.FEED, size=2, digest=BYTES)),
    dependents=("/courses/physics",),
    linked_departments=("6",),
    zip_required=True,
)


def passes(check: object, value: str) -> bool:
    try:
        check(value)  # type: ignore[operator]
    except UnsafePath:
        return False
    return True


characters = st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufffe\uffff")
line = st.text(characters, max_size=12)
free = st.text(characters | st.sampled_from("\t\n\r"), max_size=12)
numbers = st.integers(0, 10**18 - 1)
times = st.integers(0, 2**32 - 1)
digests = st.binary(min_size=32, max_size=32)
segment = st.text(st.sampled_from("abcXYZ019 ._-éß日&<'\""), min_size=1, max_size=6)
paths = st.lists(segment, min_size=1, max_size=4).map("/".join).filter(lambda path: path != ITSELF and passes(check_path, path))
urls = st.lists(segment, max_size=4).map(lambda parts: "/" + "/".join(parts)).filter(lambda url: passes(check_module_url, url))
hrefs = st.sampled_from(["a.pdf", "/files/1?a=b&c=d", "é/ü.htm", "?id=5"])
media_types = st.sampled_from(["text/html", "text/html; charset=utf-8", "application/vnd.x+json", "image/png"])


def maybe(values: st.SearchStrategy[object]) -> st.SearchStrategy[object]:
    return st.none() | values


def resources(size: st.SearchStrategy[object], digest: st.SearchStrategy[object]) -> st.SearchStrategy[Resource]:
    return st.builds(
        Resource,
        path=paths,
        kind=st.sampled_from(Kind),
        type=media_types,
        size=size,
        digest=digest,
        modified=maybe(times),
        etag=maybe(line),
        href=maybe(hrefs),
        uid=maybe(line),
        title=maybe(free),
        order=maybe(numbers),
        download=st.booleans(),
        mirror=st.booleans(),
    )


def views(size: st.SearchStrategy[object], digest: st.SearchStrategy[object]) -> st.SearchStrategy[View]:
    return st.builds(View, path=paths, kind=st.sampled_from(ViewKind), href=maybe(hrefs), size=size, digest=digest)


def slips(size: st.SearchStrategy[object], digest: st.SearchStrategy[object]) -> st.SearchStrategy[Packageslip]:
    return st.builds(
        Packageslip,
        url=urls,
        resources=st.lists(resources(size, digest), max_size=5).map(tuple),
        views=st.lists(views(size, digest), max_size=2).map(tuple),
        dependents=st.lists(urls, max_size=3, unique=True).map(tuple),
        linked_departments=st.lists(line, max_size=3, unique=True).map(tuple),
        **dict.fromkeys(["uid", "revision", "module_type", "module_short_id", "department_code", "state"], maybe(line)),
        title=maybe(free),
        modified=maybe(times),
        zip_required=st.booleans(),
    ).filter(lambda slip: not collisions(file.path for file in slip.files()))


source_slips = slips(maybe(st.integers(0, 10**12)), maybe(digests))
stale_files = st.lists(st.builds(Stale, paths, st.integers(0, 10**12), digests, times, st.booleans()), max_size=2)
published_slips = st.builds(
    lambda slip, stale: replace(on_target(slip, serial=3, queue="q"), stale=beside(slip, stale)),
    slips(st.integers(0, 10**12), digests),
    stale_files,
)


def beside(slip: Packageslip, stale: list[Stale]) -> tuple[Stale, ...]:
    """Those of the files that have a path of their own, sorted by it."""
    listed = {file.path for file in slip.files()}
    own = {file.path: file for file in stale if file.path not in listed}
    return tuple(own[path] for path in sorted(own))


@settings(deadline=None)
@given(source_slips | published_slips)
def test_a_written_slip_reads_back_equal_and_satisfies_the_xsd(slip: Packageslip) -> None:
    document = write_slip(slip)
    assert read_slip(document, "slip", url=slip.url) == slip
    assert check_slip(document, "slip") == []
    assert SCHEMA.validate(etree.fromstring(document)), SCHEMA.error_log


@settings(deadline=None)
@given(published_slips)
def test_a_published_slip_is_sorted_and_has_the_version_of_its_resources(slip: Packageslip) -> None:
    assert [resource.path for resource in slip.resources] == sorted(resource.path for resource in slip.resources)
    assert slip.version == version_of(slip)
    assert on_target(slip, serial=3, queue="q") == slip


@pytest.mark.parametrize("slip", [SLIP, on_target(SLIP, serial=7, queue="q")], ids=["source", "target"])
def test_a_slip_that_is_cut_anywhere_is_refused(slip: Packageslip) -> None:
    whole = write_slip(slip).rstrip()
    accepted = [length for length in range(len(whole)) if reads(whole[:length])]
    assert accepted == []
    assert reads(whole)


def test_a_slip_that_is_cut_anywhere_does_not_pass_the_checker() -> None:
    whole = write_slip(SLIP).rstrip()
    assert [length for length in range(0, len(whole), 3) if not check_slip(whole[:length], "slip")] == []


def reads(document: bytes) -> bool:
    try:
        read_slip(document, "slip")
    except BadSlip:
        return False
    return True


def test_the_same_slip_is_always_the_same_document() -> None:
    stream = BytesIO()
    write_slip_to(SLIP, stream)
    assert stream.getvalue() == write_slip(SLIP)


def test_what_xml_cannot_hold_is_not_written() -> None:
    with pytest.raises(ValueError, match=r"U\+0001"):
        write_slip(Packageslip("/a", title="\x01"))


def test_a_target_records_only_files_with_size_and_digest() -> None:
    with pytest.raises(ValueError, match="size or digest of a"):
        on_target(Packageslip("/a", resources=(Resource("a", size=1),)), serial=1, queue="q")


def test_a_target_does_not_record_validators_that_no_slip_can_hold() -> None:
    odd = Resource("a", size=1, digest=BYTES, etag="a\r\nb", modified=-1)
    published = on_target(Packageslip("/a", resources=(odd,)), serial=1, queue="q")
    assert published.resources == (Resource("a", size=1, digest=BYTES),)
    assert reads(write_slip(published))


def test_a_version_is_known_when_all_digests_are_and_views_never_count() -> None:
    assert version_of(SLIP) == version_of(Packageslip("/other", resources=SLIP.resources[::-1]))
    assert version_of(Packageslip("/a", resources=(Resource("a"),))) is None
    assert version_of(Packageslip("/a", resources=(Resource("b", digest=BYTES),))) != version_of(
        Packageslip("/a", resources=(Resource("a", digest=BYTES),))
    )


def test_pages_and_views_are_switched_after_the_assets() -> None:
    assert is_page(Resource("a", Kind.PAGE))
    assert is_page(Resource("a", type="Text/HTML; charset=utf-8"))
    assert is_page(View("a", ViewKind.JSON))
    assert not is_page(Resource("a.css", type="text/css"))


def test_values_are_cheap_to_import() -> None:
    source = Path(packageslip.__file__).parent
    eager = [path.name for path in source.glob("*.py") if "\nfrom lxml" in path.read_text()]
    assert eager == ["parsing.py"]


entries = st.builds(
    CatalogueEntry,
    url=urls,
    module_type=maybe(line),
    state=maybe(line),
    revision=maybe(line),
    version=maybe(digests),
    serial=maybe(numbers),
)


@settings(deadline=None)
@given(st.lists(entries, max_size=6, unique_by=lambda entry: entry.url))
def test_a_written_catalogue_reads_back_equal_and_satisfies_the_xsd(listed: list[CatalogueEntry]) -> None:
    stream = BytesIO()
    write_catalogue(listed, stream)
    assert list(read_catalogue(stream.getvalue(), "catalogue")) == listed
    assert SCHEMA.validate(etree.fromstring(stream.getvalue())), SCHEMA.error_log
