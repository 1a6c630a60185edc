"""The configuration as a table: every key, its default and its meaning."""

from pathlib import Path

from config import SOURCE_KINDS, TARGET_KINDS, Settings, SftpTarget, describe, load, reference

SAMPLE = Path(__file__).parents[2] / "config" / "sample.toml"


def test_every_key_is_documented_and_typed() -> None:
    for key in reference():
        assert key.doc, f"{key.key} says nothing"
        assert key.type


def test_the_reference_has_every_kind_and_its_own_keys() -> None:
    keys = {(key.kind, key.key) for key in reference()}
    assert {
        ("sftp", "targets.NAME.host"),
        ("http", "sources.NAME.parallel"),
        (None, "environments.NAME.holding_areas[].target"),
    } <= keys
    assert {kind for kind, key in keys if key == "targets.NAME.kind"} == set(TARGET_KINDS)
    assert {kind for kind, key in keys if key == "sources.NAME.kind"} == set(SOURCE_KINDS)


def test_the_reference_tells_type_default_and_need() -> None:
    found = {(key.kind, key.key): key for key in reference()}
    poll = found[None, "queue.poll"]
    assert (poll.type, poll.default, poll.required) == ("number", 0.3, False)
    assert found["sftp", "targets.NAME.key"].required
    assert found["local", "targets.NAME.durability"].type == '"none" or "commit" or "file"'
    assert found[None, "guard.index_pages"].default == ["index.htm", "index.html"]
    assert found[None, "departments.NAME"].type == "text"
    assert found[None, "schedules.NAME.parameters.NAME"].type == "any value"
    assert found[None, "queue.password"].type == "secret"


def test_what_is_set_is_told_from_what_is_a_default() -> None:
    shown = {one.key: one for one in describe(load(SAMPLE, {"SLIPWAY_QUEUE__POLL": "1"}))}
    assert (shown["queue.poll"].value, shown["queue.poll"].default) == (1.0, False)
    assert (shown["queue.batch"].value, shown["queue.batch"].default) == (64, True)
    assert shown["state_dir"].default
    assert shown["environments.STAGING.holding_areas[0].target"].value == "download"
    assert shown["environments.STAGING.holding_areas[0].modules.types"].value == ["course"]


def test_an_account_in_an_address_is_masked() -> None:
    settings = Settings.model_validate({"queue": {"url": "mysql+pymysql://u:canary@db/x"}})
    shown = {one.key: one.value for one in describe(settings)}
    assert shown["queue.url"] == "mysql+pymysql://u:***@db/x"


def test_paths_are_shown_as_text() -> None:
    target = SftpTarget(kind="sftp", host="h", user="u", root="/r", key=Path("/k"))
    shown = {one.key: one.value for one in describe(Settings(targets={"t": target}))}
    assert shown["targets.t.key"] == "/k"
