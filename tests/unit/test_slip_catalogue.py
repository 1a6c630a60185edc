"""A catalogue counts only whole: a shrunken one would look like a shrunken site."""

from io import BytesIO

import pytest

from packageslip import BadSlip, CatalogueEntry, Limits, read_catalogue, write_catalogue

NS = 'xmlns="urn:slipway:packageslip:1"'


def test_a_catalogue_that_is_cut_anywhere_is_refused_before_its_first_module() -> None:
    stream = BytesIO()
    write_catalogue([CatalogueEntry("/a", "course"), CatalogueEntry("/b", state="published")], stream)
    whole = stream.getvalue().rstrip()
    for length in range(len(whole)):
        with pytest.raises(BadSlip):
            read_catalogue(BytesIO(whole[:length]), "catalogue")
    assert [entry.url for entry in read_catalogue(BytesIO(whole), "catalogue")] == ["/a", "/b"]


@pytest.mark.parametrize(
    ("rule", "line", "document"),
    [
        ("X5", 1, f"<packageslip {NS}/>"),
        ("X5", 1, f"<packageslips {NS}/>"),
        ("X10", 1, f'<packageslips {NS} count="2"><module url="/a"/></packageslips>'),
        ("X10", 1, f'<packageslips {NS} count="0">\n<module url="/a"/></packageslips>'),
        ("X5", 2, f'<packageslips {NS} count="1">\n<course url="/a"/></packageslips>'),
        ("X5", 2, f'<packageslips {NS} count="1">\n<module/></packageslips>'),
        ("X5", 2, f'<packageslips {NS} count="1">\n<module url="/a"><module url="/b"/></module></packageslips>'),
        ("X8", 1, f'<packageslips {NS} count="x"/>'),
        ("X8", 2, f'<packageslips {NS} count="1">\n<module url="/a" serial="x"/></packageslips>'),
        ("N7", 2, f'<packageslips {NS} count="1">\n<module url="/a/"/></packageslips>'),
        ("N14", 3, f'<packageslips {NS} count="2">\n<module url="/a"/>\n<module url="/a"/></packageslips>'),
    ],
)
def test_a_bad_catalogue_is_refused_by_its_rule_at_its_line(rule: str, line: int, document: str) -> None:
    with pytest.raises(BadSlip) as refused:
        read_catalogue(document.encode(), "catalogue")
    assert [(fault.rule, fault.line) for fault in refused.value.faults] == [(rule, line)]


def test_a_catalogue_has_at_most_as_many_modules_as_allowed() -> None:
    stream = BytesIO()
    write_catalogue([CatalogueEntry(f"/{n}") for n in range(3)], stream)
    with pytest.raises(BadSlip, match="more than 2 modules"):
        read_catalogue(stream.getvalue(), "catalogue", Limits(resources=2))
