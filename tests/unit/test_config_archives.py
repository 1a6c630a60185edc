"""Faults of [archives] that are found by day."""

from pathlib import Path

import pytest

from config import ConfigError, load

GOOD = """
[archives.dspace]
kind = "sword2"
deposits = { default = "https://dspace.example.edu/swordv2/collection/1721.1/1" }
username = "slipway"
password = { file = "/etc/slipway/dspace" }
on_behalf_of = "editor"
lookup = "https://dspace.example.edu/open-search/?query=$identifier"
service = "https://dspace.example.edu/swordv2/servicedocument"
"""


def loaded(folder: Path, text: str) -> None:
    (folder / "slipway.toml").write_text(text)
    load(folder / "slipway.toml", {})


def test_a_good_archive_has_no_fault(tmp_path: Path) -> None:
    loaded(tmp_path, GOOD)


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("https://dspace.example.edu/swordv2/coll", "dspace.example.edu/swordv2/coll", "deposits.default: must be a URL"),
        ("https://dspace.example.edu/swordv2/coll", "https://a:b@dspace.example.edu/", "deposits.default: has an account in it"),
        ("https://dspace.example.edu/swordv2/coll", "https://[::1/", "deposits.default: must be a URL"),
        ("https://dspace.example.edu/open-search", "ftp://dspace.example.edu/", "lookup: must be a URL"),
        ("https://dspace.example.edu/swordv2/serv", "/swordv2/", "service: must be a URL"),
        ('username = "slipway"', "", "username: is missing"),
        ('password = { file = "/etc/slipway/dspace" }', "", "password: is missing"),
        (
            '{ default = "https://dspace.example.edu/swordv2/collection/1721.1/1" }',
            "{}",
            "deposits: Dictionary must have at least 1 item",
        ),
        ('"editor"', '"Redaktör"', "on_behalf_of: must be plain ASCII"),
        ('"editor"', '"editor"\nhandle = "1721"', "handle: needs a group"),
        ('"editor"', '"editor"\nhandle = "("', "handle: is no regular expression"),
        ('"editor"', '"editor"\nduplicate = "["', "duplicate: is no regular expression"),
    ],
)
def test_each_fault_is_named(tmp_path: Path, old: str, new: str, says: str) -> None:
    assert old in GOOD
    with pytest.raises(ConfigError) as faults:
        loaded(tmp_path, GOOD.replace(old, new))
    assert f"archives.dspace.{says}" in str(faults.value)
