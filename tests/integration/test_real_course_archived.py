"""A real course in the forms of archives: 6.868J, 29 files of its own and 198 shared ones."""

import io
import zipfile
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree as ET

import bagit
import pytest
from lxml import etree

from archives import Form, build_package, check_package
from support.mets_schema import mets_schema
from support.real_package import NAME, OPTIONS, RealPackage

METS = "{http://www.loc.gov/METS/}"


@pytest.fixture
def built(real_package: RealPackage, tmp_path: Path) -> Callable[[Form], Path]:
    def build(form: Form) -> Path:
        file = tmp_path / f"{form}.zip"
        with file.open("wb") as out:
            build_package(form, real_package.content(), OPTIONS, out)
        return file

    return build


def test_a_real_course_is_valid_mets_with_every_file(built: Callable[[Form], Path]) -> None:
    package = built(Form.METS)
    assert [each for each in check_package(package) if each.outcome == "failure"] == []
    with zipfile.ZipFile(package) as archive:
        document = archive.read("mets.xml")
    mets_schema().assertValid(etree.fromstring(document))
    bundles = {group.get("USE"): len(group) for group in ET.fromstring(document).iter(f"{METS}fileGrp")}
    assert bundles == {"CONTENT": 29 + 198, "METADATA": 29}


def test_a_real_course_is_a_simple_archive_with_every_file(built: Callable[[Form], Path]) -> None:
    package = built(Form.SAF)
    assert [each for each in check_package(package) if each.outcome == "failure"] == []
    with zipfile.ZipFile(package) as archive:
        lines = archive.read(f"{NAME}/item_000/contents").decode().splitlines()
    assert len(lines) == 29 + 198 + 29
    assert lines[0].startswith(f"{NAME}/contents/index.htm\tbundle:ORIGINAL\tprimary:true\tdescription:")


def test_a_real_course_is_a_valid_bag(built: Callable[[Form], Path], tmp_path: Path) -> None:
    package = built(Form.BAGIT)
    assert check_package(package) == []
    with zipfile.ZipFile(package) as archive:
        archive.extractall(tmp_path / "bag")
    assert bagit.Bag(str(tmp_path / "bag" / NAME)).validate()


def test_people_of_a_real_course_are_in_its_description(built: Callable[[Form], Path]) -> None:
    with zipfile.ZipFile(io.BytesIO(built(Form.METS).read_bytes())) as archive:
        document = archive.read("mets.xml").decode()
    assert "Minsky, Marvin" in document
