"""What holds for every plan, whatever the slips."""

import hashlib

from hypothesis import given
from hypothesis import strategies as st

from packageslip import Packageslip, Resource, View, ViewKind
from tasks.planner import Ground, Policy, plan, standing
from tasks.plans import Verb

URL = "/m"
Slip = Packageslip | None
PATHS = [f"{folder}{name}" for folder in ("", "a/", "b/c/") for name in ("1.htm", "2.pdf", "index.htm", "v.json")]
DIGESTS = [hashlib.sha256(bytes([n])).digest() for n in range(3)]


def slips() -> st.SearchStrategy[Packageslip]:
    files = st.dictionaries(st.sampled_from(PATHS), st.sampled_from(DIGESTS), max_size=len(PATHS))
    return st.builds(_slip, files, st.booleans())


def _slip(files: dict[str, bytes], views: bool) -> Packageslip:
    resources = tuple(Resource(path, size=1, digest=d) for path, d in files.items() if not (views and path.endswith(".json")))
    made = tuple(View(path, ViewKind.JSON, size=1, digest=d) for path, d in files.items() if views and path.endswith(".json"))
    return Packageslip(URL, resources, made)


def lies(slip: Packageslip | None) -> dict[str, bytes | None]:
    return {file.path: file.digest for file in slip.files()} if slip else {}


strangers = st.dictionaries(st.sampled_from(PATHS), st.sampled_from([*DIGESTS, None]))
below = st.lists(st.sampled_from(["/m/a", "/m/b", "/m/b/c", "/m/1.htm"]), unique=True)
policies = st.builds(Policy, full=st.booleans(), drop_files=st.integers(0, 5), drop_percent=st.floats(0, 100))


@given(wanted=st.none() | slips(), present=st.none() | slips(), foreign=strangers, deeper=below, policy=policies)
def test_what_is_put_and_kept_is_exactly_the_slip(
    wanted: Slip, present: Slip, foreign: dict[str, bytes | None], deeper: list[str], policy: Policy
) -> None:
    known = {path: d for path, d in foreign.items() if path in lies(wanted) and path not in lies(present)}
    made = plan(wanted, present, policy, url=URL, target="t", ground=Ground(known, deeper))
    assert [change.path for change in made.changes] == sorted(lies(wanted).keys() | lies(present).keys())
    assert {c.path: c.digest for c in made.of(Verb.PUT, Verb.KEEP)} == lies(wanted)
    # Nothing is ever dropped or left that an earlier slip of ours does not list.
    assert {c.path for c in made.of(Verb.DROP, Verb.LEAVE)} == lies(present).keys() - lies(wanted).keys()
    # What is kept has the right bytes already, by our slip or by what was found there.
    assert all((lies(present) | known)[c.path] == c.digest for c in made.of(Verb.KEEP))


@given(wanted=slips(), present=st.none() | slips(), deeper=below)
def test_nothing_of_a_deeper_module_is_touched(wanted: Packageslip, present: Slip, deeper: list[str]) -> None:
    made = plan(wanted, present, Policy(), url=URL, target="t", ground=Ground(below=deeper))
    inside = [
        c for c in made.changes for module in deeper if f"{URL}/{c.path}" == module or f"{URL}/{c.path}".startswith(module + "/")
    ]
    assert all(c.verb is not Verb.DROP for c in inside)
    assert made.objections or all(c.verb is Verb.LEAVE for c in inside)


@given(wanted=slips(), present=st.none() | slips())
def test_after_it_was_carried_out_there_is_nothing_to_do(wanted: Packageslip, present: Slip) -> None:
    plan(wanted, present, Policy(), url=URL, target="t")
    assert not plan(wanted, wanted, Policy(), url=URL, target="t").moves


@given(wanted=slips(), present=slips(), other=slips())
def test_equal_plans_have_equal_digests_and_only_those_are_let_through(
    wanted: Packageslip, present: Packageslip, other: Packageslip
) -> None:
    held = plan(wanted, present, Policy(), url=URL, target="t")
    again = plan(wanted, present, Policy(), url=URL, target="t")
    assert again.digest == held.digest
    assert all(objection.rule.final for objection in standing([again], held.digest, adopt=True))
    if lies(other) != lies(wanted):
        changed = plan(other, present, Policy(), url=URL, target="t")
        assert changed.digest != held.digest or any(c.view for c in changed.changes)
