"""Nothing that comes from outside crashes a reader, leaves its module, or fills the memory."""

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from packageslip import UnsafePath, check_module_url, check_path
from reliability.fuzz_hostile import Harm, escapes, fuzz, judged
from reliability.hostile_corpus import corpus, slip

ROOT = Path(__file__).resolve().parents[2]
JUDGE = """
from reliability.fuzz import harms_of
from reliability.fuzz_hostile import run_corpus
verdicts = run_corpus()
print(len(verdicts), *harms_of(verdicts, timed=False), sep="\\n")
"""


def test_every_case_of_the_corpus_is_refused_or_harmless_and_stays_small() -> None:
    """In a small process of its own, of which each case is judged in a copy."""
    command = [sys.executable, "-P", "-c", JUDGE]
    done = subprocess.run(command, cwd=ROOT, env={"PYTHONPATH": ".:tests"}, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    count, *harms = done.stdout.splitlines()
    assert harms == []
    assert int(count) >= 300


def test_every_class_of_names_and_of_documents_has_its_cases() -> None:
    classes = {case.name.split("-")[0] for case in corpus()}
    # N4 is among the characters; N19 and N20 are no names but what lies on a disk; X3 is how the library is set up.
    wanted = {f"N{n}" for n in range(1, 23)} - {"N4", "N19", "N20"} | {f"X{n}" for n in range(1, 11)} - {"X3", "X6"}
    assert wanted <= classes | {"N4", "X6"}
    assert {"N5-ref-00", "N16-utf8-0", "X1-declares-nothing"} <= {case.name for case in corpus()}


def test_garbled_documents_are_refused_or_harmless() -> None:
    counts = fuzz(seed=3, documents=400)
    assert counts["slip refused"], counts
    assert counts["slip accepted"], counts


SEGMENTS = st.sampled_from(
    ["..", ".", "a", "", "con", "%2e%2e", "%252e", ".slipway", "\\", "．．", "a b", "‥", "\0", "packageslip.xml"]
)
TEXTS = st.text(max_size=12) | st.lists(SEGMENTS | st.text(max_size=3), max_size=5).map("/".join)


@settings(max_examples=120, deadline=None)
@given(module=TEXTS, path=TEXTS)
def test_no_accepted_path_leaves_its_module(module: str, path: str) -> None:
    try:
        check_module_url(f"/{module}")
        check_path(path)
    except UnsafePath:
        return
    assert not escapes(f"/{module}", path)


@pytest.mark.parametrize("path", ["../a", "/a", "a/../../b", "%2e%2e/a", "..\\a", "．．/a", "%252e%252e/a", "a\0b"])
def test_the_judge_sees_what_leaves(path: str) -> None:
    assert escapes("/m", path)


def test_the_judge_sees_a_reader_that_takes_what_it_must_refuse() -> None:
    with pytest.raises(Harm, match="accepted"):
        judged("slip", slip(["a"]), "refused")
    with pytest.raises(Harm, match="refused"):
        judged("slip", slip([".."]), "accepted")
