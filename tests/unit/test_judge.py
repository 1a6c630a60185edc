"""Verdicts on rows: accepted as what, or refused with which words."""

import json
from collections.abc import Mapping

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from config.settings import Settings
from database.actions import Action
from database.judge import Accepted, Approval, Rejected, Request, judge, rejection
from database.parameters import ALLOWED, check_parameters
from database.values import NewTask

SETTINGS = Settings.model_validate(
    {
        "targets": {"staging": {"kind": "memory"}, "production": {"kind": "memory"}, "mirror": {"kind": "memory"}},
        "sources": {"cms": {"kind": "directory", "path": "/srv/cms"}},
        "environments": {
            "STAGING": {"source": "cms", "origin": "staging"},
            "PRODUCTION": {"source": "target:staging", "origin": "production"},
        },
        "retry": {"max_attempts": 7},
    }
)


def verdict(url: object = "/a", environment: object = "STAGING", **more: object) -> Accepted | Rejected:
    parameters = more.pop("parameters", None)
    if isinstance(parameters, Mapping):
        parameters = json.dumps(parameters)
    return judge(Request(url, environment, parameters=parameters, **more), SETTINGS)  # type: ignore[arg-type]


def refusal(url: object = "/a", environment: object = "STAGING", **more: object) -> str:
    found = verdict(url, environment, **more)
    assert isinstance(found, Rejected)
    return found.reason


def test_a_row_with_two_columns_is_published_to_the_origin() -> None:
    assert verdict() == Accepted("PUBLISH", "staging", 7, absorbs=True)


def test_empty_columns_mean_the_default() -> None:
    assert verdict(action="", parameters="") == verdict()


@pytest.mark.parametrize(
    ("environment", "words"),
    [
        (None, "environment is empty. Give one of: PRODUCTION, STAGING."),
        ("", "environment is empty. Give one of: PRODUCTION, STAGING."),
        ("staging", "environment 'staging' is not configured. Did you mean STAGING? Known are: PRODUCTION, STAGING."),
        ("code 7", "the procedure schedule_implicit_module knows no code 7: 1 is STAGING, 3 is PRODUCTION."),
        ("code7", "environment 'code7' is not configured. Known are: PRODUCTION, STAGING."),
        (b"STAGING", "environment b'STAGING' is not configured. Did you mean STAGING? Known are: PRODUCTION, STAGING."),
    ],
)
def test_an_environment_that_is_not_configured(environment: object, words: str) -> None:
    assert refusal(environment=environment) == words


@pytest.mark.parametrize(
    ("action", "words"),
    [
        (
            "PUBLSH",
            "action 'PUBLSH' is not known. Did you mean PUBLISH? Known are: PUBLISH, DELIVER, UNPUBLISH, ROLLBACK,",
        ),
        ("DANCE", "action 'DANCE' is not known. Known are:"),
        (7, "action 7 is not known."),
    ],
)
def test_an_action_that_is_not_known(action: object, words: str) -> None:
    assert words in refusal(action=action)


@pytest.mark.parametrize(
    ("url", "words"),
    [
        (None, "url is empty"),
        ("", "url is empty"),
        (b"/a", "url b'/a' is not text"),
        ("courses/8-01", "url cannot be used"),
        ("/a/../b", "url cannot be used"),
        ("/a/", "url cannot be used"),
        ("/" + "x" * 500, "url has more than 500 characters"),
    ],
)
def test_a_url_that_cannot_be_published(url: object, words: str) -> None:
    reason = refusal(url)
    assert words in reason
    assert reason.endswith("Give the module's URL path, such as /courses/physics/8-01.")


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        ("{mode: full}", "parameters are not JSON (Expecting property name"),
        ("[" * 100_000, "parameters are not JSON"),
        ("[1]", "parameters '[1]' are not a JSON object"),
        (b"{}", "parameters b'{}' are not a JSON object"),
        ({"mod": "full"}, "parameters: PUBLISH knows no 'mod'. Did you mean 'mode'? Known are: mode, dry_run, follow, wait."),
        ({"zzz": 1}, "parameters: PUBLISH knows no 'zzz'. Known are:"),
        ({"mode": "quick"}, """parameters: 'mode' must be "smart" or "full" for PUBLISH."""),
        ({"mode": ["full"]}, """parameters: 'mode' must be "smart" or "full" for PUBLISH."""),
        ({"dry_run": 1}, "parameters: 'dry_run' must be true or false for PUBLISH."),
        ({"rerun_of": 10**40}, "parameters: 'rerun_of' must be a task's id for PUBLISH."),
    ],
)
def test_parameters_that_cannot_be_understood(parameters: object, words: str) -> None:
    assert words in refusal(parameters=parameters)


@pytest.mark.parametrize(
    ("action", "bad", "words"),
    [
        ("PURGE", {"days": 10**12}, "'days' must be days, a whole number from 0 to 36500 for PURGE."),
        # What is at work now would count as abandoned.
        ("PURGE", {"trash_days": 0}, "'trash_days' must be days, a whole number from 1 to 36500 for PURGE."),
        ("FETCH", {"from": "/news\x01"}, "'from' must be text in one line for FETCH."),
        ("FETCH", {"from": "/a", "type": "\ud800"}, "'type' must be text in one line for FETCH."),
        ("FETCH", {"from": " "}, "'from' must be text in one line for FETCH."),
        ("CALL", {"path": "/a\nb"}, "'path' must be a path"),
        ("SITEMAP", {"types": ["\x00"]}, "'types' must be a list of texts"),
    ],
)
def test_a_value_that_no_task_could_work_with(action: str, bad: Mapping[str, object], words: str) -> None:
    assert words in refusal(action=action, parameters=bad)


@pytest.mark.parametrize(
    ("action", "good"),
    [
        ("PUBLISH", {"mode": "full", "dry_run": True, "follow": "latest", "wait": True}),
        ("UNPUBLISH", {"dry_run": False}),
        (
            "REPUBLISH",
            {"types": ["course"], "states": [], "prefix": "/courses", "from": "target", "mode": "smart", "dry_run": True},
        ),
        ("VERIFY", {"repair": True, "all": True, "dry_run": False}),
        ("APPROVE", {"task": 3, "plan": "ab12", "adopt": True}),
        ("PURGE", {"days": 0, "trash_days": 1, "store": True}),
        ("FETCH", {"from": "/r\u00e9sum\u00e9 1.xml", "type": "feed"}),
    ],
)
def test_every_parameter_that_is_known(action: str, good: Mapping[str, object]) -> None:
    found = verdict(action=action, parameters=good)
    assert isinstance(found, Accepted)
    assert found.action == action


@pytest.mark.parametrize(
    ("action", "bad"),
    [
        (Action.REPUBLISH, {"types": "course"}),
        (Action.REPUBLISH, {"types": [1]}),
        (Action.REPUBLISH, {"passes": False}),
        (Action.REPUBLISH, {"passes": []}),
        (Action.REPUBLISH, {"passes": ["course"]}),
        (Action.REPUBLISH, {"passes": [["course"], []]}),
        (Action.REPUBLISH, {"pass": -1}),
        (Action.REPUBLISH, {"prefix": "courses"}),
        (Action.REPUBLISH, {"prefix": 1}),
        (Action.REPUBLISH, {"from": "cms"}),
        (Action.APPROVE, {"task": True, "plan": "ab"}),
        (Action.APPROVE, {"task": 0, "plan": "ab"}),
        (Action.APPROVE, {"task": "3", "plan": "ab"}),
        (Action.APPROVE, {"task": 3, "plan": ""}),
        (Action.APPROVE, {"task": 3, "plan": "not hex"}),
        (Action.APPROVE, {"task": 3, "plan": 7}),
    ],
)
def test_values_of_the_wrong_kind(action: Action, bad: Mapping[str, object]) -> None:
    assert "must be" in (check_parameters(action, bad) or "")


def test_an_approval_names_its_task_and_its_plan() -> None:
    assert verdict(action="APPROVE", parameters={"task": 3, "plan": "ab"}) == Accepted(
        "APPROVE", "staging", 7, absorbs=False, approval=Approval(3, "ab")
    )
    assert "APPROVE needs 'task' and 'plan'" in refusal(action="APPROVE")


@pytest.mark.parametrize(("found", "good"), [(None, True), (1, True), (0, False), (-1, False), ("many", False)])
def test_max_attempts_is_a_number_from_one(found: object, good: bool) -> None:
    assert isinstance(verdict(max_attempts=found), Accepted) == good
    if not good:
        assert f"max_attempts is {found!r}. Give a whole number from 1, or leave it empty for 7." == refusal(max_attempts=found)


@pytest.mark.parametrize(
    ("action", "parameters", "absorbs"),
    [
        ("PUBLISH", {}, True),
        ("UNPUBLISH", {}, True),
        ("PUBLISH", {"dry_run": False}, True),
        ("PUBLISH", {"dry_run": True}, False),
        ("VERIFY", {}, False),
        ("REPUBLISH", {}, False),
    ],
)
def test_only_what_changes_the_module_takes_part_in_its_order(
    action: str, parameters: Mapping[str, object], absorbs: bool
) -> None:
    found = verdict(action=action, parameters=parameters)
    assert isinstance(found, Accepted)
    assert found.absorbs == absorbs


def test_a_promotion_is_bound_to_what_is_live_on_its_source() -> None:
    def bind(**more: object) -> str | None:
        found = verdict(environment="PRODUCTION", **more)
        assert isinstance(found, Accepted)
        return found.bind

    assert bind() == "staging"
    assert bind(parameters={"follow": "latest"}) is None
    assert bind(action="RETIRE") == "staging"
    assert bind(action="UNPUBLISH") is None
    assert bind(version=b"v" * 32) is None


def test_a_delivery_is_made_by_engines_and_to_known_targets_only() -> None:
    assert "DELIVER rows are made by publishing" in refusal(action="DELIVER")
    assert "target 'gone' is not configured any more" in refusal(action="DELIVER", target="gone", made_by=1)
    assert verdict(action="DELIVER", target="mirror", made_by=1, parameters={"form": "tree"}) == Accepted(
        "DELIVER", "mirror", 7, absorbs=True
    )


def test_a_row_can_be_judged_before_it_is_inserted() -> None:
    assert rejection(NewTask("/a", "STAGING"), SETTINGS) is None
    assert "is not configured" in str(rejection(NewTask("/a", "STAGIN"), SETTINGS))
    assert "knows no 'mod'" in str(rejection(NewTask("/a", "STAGING", parameters={"mod": 1}), SETTINGS))


ANYTHING = st.one_of(
    st.none(), st.text(), st.binary(), st.integers(), st.floats(), st.sampled_from(["STAGING", "PUBLISH", "/a", "{}"])
)
KEYS = {key for rules in ALLOWED.values() for key in rules}
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(max_size=20) | st.sampled_from(["mode", "task", "plan", "types"]), inner, max_size=3)
    ),
    max_leaves=10,
)


@given(ANYTHING, ANYTHING, ANYTHING, ANYTHING | JSON.map(json.dumps), ANYTHING)
def test_any_row_gets_a_verdict(
    url: object, environment: object, action: object, parameters: object, max_attempts: object
) -> None:
    found = judge(Request(url, environment, action, parameters, max_attempts), SETTINGS)
    assert isinstance(found, Accepted) or found.reason


@settings(max_examples=30)
@given(st.sampled_from(Action), st.dictionaries(st.text(max_size=20) | st.sampled_from(sorted(KEYS)), JSON, max_size=5))
def test_any_parameters_get_an_answer(action: Action, parameters: Mapping[str, object]) -> None:
    words = check_parameters(action, parameters)
    assert words is None or words.startswith("parameters: ")
