"""The manual's page on packageslips is true: its examples are right, and no rule or attribute is missing."""

import re
from pathlib import Path

import pytest

import packageslip
from packageslip import attributes, check_slip, read_catalogue

ROOT = Path(packageslip.__file__).parents[1]
PAGE = (ROOT / "docs" / "packageslip.md").read_text()
EXAMPLE, CATALOGUE = re.findall(r"```xml\n(.*?)```", PAGE, re.DOTALL)


def test_the_example_is_a_right_slip() -> None:
    assert check_slip(EXAMPLE.encode(), "example") == []


def test_the_example_of_a_catalogue_can_be_read() -> None:
    assert len(list(read_catalogue(CATALOGUE.encode(), "example"))) == 2


def test_every_rule_of_the_code_is_in_the_table() -> None:
    code = "".join(path.read_text() for path in (ROOT / "packageslip").glob("*.py"))
    rules = set(re.findall(r'"([XNHTSU]\d+|XSD)"', code))
    cells = re.findall(r"^\| ([A-Z0-9, ]+) \|", PAGE, re.MULTILINE)
    assert {rule for cell in cells for rule in cell.split(", ")} == rules


@pytest.mark.parametrize(
    "table", ["SLIP", "RESOURCES", "RESOURCE", "VIEW", "DEPENDENT", "DEPARTMENT", "ENTRY", "STALES", "STALE"]
)
def test_every_attribute_is_named(table: str) -> None:
    assert [name for name in getattr(attributes, table) if f"`{name}`" not in PAGE] == []
