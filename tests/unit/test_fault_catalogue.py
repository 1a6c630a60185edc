"""The fault catalogue is complete and true: no id is missing, every test is there, every defence stands where it is said to."""

import ast
from functools import cache

import pytest

from support.catalogue import ENDS, MOST_LACKING, ROOT, SHOWN, Fault, expected, read_catalogue
from support.faults_page import PAGE, page

CATALOGUE = read_catalogue()
APPLYING = [fault for fault in CATALOGUE.values() if fault.applies]


@cache
def functions_of(file: str) -> frozenset[str]:
    tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
    return frozenset(node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"))


def test_every_fault_has_its_entry() -> None:
    assert list(CATALOGUE) == expected()
    assert len(CATALOGUE) == 128


def test_few_do_not_apply_and_each_says_why() -> None:
    lacking = [fault for fault in CATALOGUE.values() if not fault.applies]
    assert len(lacking) <= MOST_LACKING
    assert [fault.id for fault in lacking if fault.tests or fault.defences or len(fault.lacking) < 40] == []


@pytest.mark.parametrize("fault", APPLYING, ids=lambda fault: fault.id)
def test_an_entry_is_whole_and_true(fault: Fault) -> None:
    assert fault.fault
    assert fault.answer
    assert fault.ends in ENDS
    assert fault.shown in SHOWN
    assert bool(fault.server) == (fault.shown != "pure"), "which server it is, or what stands in for one"
    assert fault.tests
    assert fault.defences
    for test in fault.tests:
        file, _, name = test.partition("::")
        assert name.partition("[")[0] in functions_of(file), test
    for defence in (layer for first in fault.defences for layer in first.layers):
        assert not defence.file.startswith("tests/")
        without = defence.switched_off((ROOT / defence.file).read_text(encoding="utf-8"))
        if defence.file.endswith(".py"):
            compile(without, defence.file, "exec")


def test_no_two_faults_rest_on_the_very_same_tests() -> None:
    shown: dict[frozenset[str], str] = {}
    for fault in APPLYING:
        same = shown.setdefault(frozenset(fault.tests), fault.id)
        assert same == fault.id, f"{same} and {fault.id}"


def test_the_page_of_the_manual_is_current() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(CATALOGUE.values()), "write it anew: make faults"
