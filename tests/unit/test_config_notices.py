"""The faults that notices and alerts can have."""

from pathlib import Path

import pytest

from config import check

GOOD = """
[sources.cms]
kind = "directory"
path = "cms"
[targets.www]
kind = "local"
root = "www"
[environments.PRODUCTION]
source = "cms"
origin = "www"
notices = ["cache", "cdn", "hook"]
site = "https://www.example.edu"
[notices.cache]
kind = "purge"
header = "X-Token"
token = { file = "t" }
[notices.cdn]
kind = "fastly"
service = "s"
token = { file = "t" }
classes.courses = { types = ["course"] }
[notices.hook]
kind = "webhook"
url = "https://hooks.example.edu/x"
secret = { file = "t" }
[alerts.ops]
kind = "email"
sender = "slipway@example.edu"
recipients = ["ops@example.edu"]
[alerts.chat]
kind = "webhook"
url = "http://chat.example.edu"
environments = ["PRODUCTION"]
"""


def faults(folder: Path, text: str) -> list[str]:
    (folder / "config.toml").write_text(text)
    return [str(fault) for fault in check(folder / "config.toml", {})]


def test_a_good_configuration_has_no_faults(tmp_path: Path) -> None:
    assert faults(tmp_path, GOOD) == []


CASES = [
    ('site = "https://www.example.edu"', "", "notices.cache.url"),
    ('header = "X-Token"', "", "notices.cache.header"),
    ('token = { file = "t" }\n[notices.cdn]', "[notices.cdn]", "notices.cache.token"),
    ('service = "s"', 'service = "s"\napi = "fastly"', "notices.cdn.api"),
    ("https://hooks.example.edu/x", "hooks.example.edu", "notices.hook.url"),
    ("https://hooks.example.edu/x", "https://me:canary@hooks.example.edu", "notices.hook.url"),
    ('kind = "webhook"\nurl = "https://hooks', 'kind = "wehook"\nurl = "https://hooks', "notices.hook.kind"),
    ('environments = ["PRODUCTION"]', 'environments = ["PRODUCTON"]', "alerts.chat.environments"),
    ("http://chat.example.edu", "//chat", "alerts.chat.url"),
    ("http://chat.example.edu", "http://[chat", "alerts.chat.url"),
    ("http://chat.example.edu", "http://chat.example.edu/a b", "alerts.chat.url"),
    ('header = "X-Token"', 'header = "X Token"', "notices.cache.header"),
    ('["ops@example.edu"]', '["Ops <ops@example.edu>"]', "alerts.ops.recipients"),
    ('["ops@example.edu"]', '["ops@example.edu"]\nusername = "u"', "alerts.ops.password"),
    ('["ops@example.edu"]', '["ops@example.edu"]\npassword = { file = "t" }', "alerts.ops.username"),
    (
        '["ops@example.edu"]',
        '["ops@example.edu"]\nhost = "mail"\nusername = "u"\npassword = { file = "t" }',
        "alerts.ops.tls",
    ),
    ('["cache", "cdn", "hook"]', '["cache", "cnd"]', "environments.PRODUCTION.notices"),
]


@pytest.mark.parametrize(("old", "new", "place"), CASES)
def test_each_fault_is_named_alone(tmp_path: Path, old: str, new: str, place: str) -> None:
    assert old in GOOD
    found = faults(tmp_path, GOOD.replace(old, new, 1))
    assert len(found) == 1, found
    assert place in found[0]
    assert "canary" not in found[0]


def test_a_password_may_go_in_the_clear_on_this_machine(tmp_path: Path) -> None:
    more = '["ops@example.edu"]\nusername = "u"\npassword = { file = "t" }'
    assert faults(tmp_path, GOOD.replace('["ops@example.edu"]', more)) == []
