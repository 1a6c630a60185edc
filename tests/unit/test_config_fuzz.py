"""Whatever stands in a configuration: it is refused or taken, never a crash, and no value is repeated."""

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from config import reference
from config.crosscheck import crosscheck
from config.validate import dotted, validate

CANARY = "canary-4711"
# Cron text is shown with its fault: it is no secret, and without it nobody finds the mistake.
KEYS = [key.key for key in reference() if not key.key.endswith(".cron")]
NAMES = st.sampled_from(["staging", "STAGING", "cms", "local", "http", "kind", "x y"])

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.just(CANARY)
    | st.just(f"mysql://u:{CANARY}@h/d")
    | st.just("http://["),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(NAMES | st.sampled_from(["file", "target", "modules"]), inner, max_size=3)
    ),
    max_leaves=5,
)


@st.composite
def tables(draw: st.DrawFn) -> dict[str, Any]:
    table: dict[str, Any] = {}
    for key in draw(st.lists(st.sampled_from(KEYS), min_size=1, max_size=12)):
        parts = [draw(NAMES) if part == "NAME" else part.removesuffix("[]") for part in key.split(".")]
        # Any depth: also a value where a table should be.
        parts = parts[: draw(st.integers(min_value=1, max_value=len(parts)))] if draw(st.booleans()) else parts
        kind = draw(st.sampled_from(["http", "directory", "local", "sftp", "memory", "group", CANARY]))
        inner: Any = table
        for part in parts[:-1]:
            inner = inner.setdefault(part, {})
            if not isinstance(inner, dict):
                break
        else:
            inner[parts[-1]] = kind if parts[-1] == "kind" else draw(VALUES)
    return table


@settings(max_examples=300, deadline=None)
@given(tables())
def test_any_table_is_judged_and_no_value_is_told(table: dict[str, Any]) -> None:
    found, findings = validate(table)
    assert found is not None, "the checks between keys always run"
    for finding in (*findings, *crosscheck(found)):
        told = (dotted(finding.place), finding.message, finding.nearest)
        assert CANARY not in json.dumps(told), told
