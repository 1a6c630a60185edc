"""Secrets are read when they are needed, and never shown."""

import stat
import sys
from base64 import b64encode
from pathlib import Path

import pytest

from config import Secret, SecretError, Secrets, describe, load
from config.secrets import MASK, masked

CANARY = "canary-4711"


def test_a_secret_is_the_first_line_of_its_file(tmp_path: Path) -> None:
    (tmp_path / "s").write_text(f"{CANARY}\r\nsecond line\n", encoding="utf-8")
    secrets = Secrets({})
    assert secrets.read(Secret(file=tmp_path / "s")) == CANARY
    assert secrets.seen == {CANARY}


def test_a_secret_is_the_first_line_of_a_commands_output() -> None:
    secret = Secret(command=(sys.executable, "-c", f"print('{CANARY}'); print('more')"))
    assert Secrets({}).read(secret) == CANARY


def test_a_secret_is_a_credential_of_systemd(tmp_path: Path) -> None:
    (tmp_path / "queue-password").write_text(CANARY, encoding="utf-8")
    assert Secrets({"CREDENTIALS_DIRECTORY": str(tmp_path)}).read(Secret(credential="queue-password")) == CANARY


@pytest.mark.parametrize(
    ("secret", "message"),
    [
        (Secret(file=Path("/none/secret")), "the secret from file /none/secret cannot be read: No such file or directory"),
        (Secret(command=("/none/pass",)), "the secret from command /none/pass cannot be read: No such file or directory"),
        (
            Secret(command=("sh", "-c", f"echo {CANARY}; exit 3")),
            "the secret from command sh failed with exit code 3",
        ),
        (Secret(command=("true",)), "the secret from command true is empty"),
        (Secret(command=("printf", "\\377")), "the secret from command printf is not UTF-8 text"),
        (Secret(credential="x"), "needs $CREDENTIALS_DIRECTORY, which systemd sets for a unit with LoadCredential=x:FILE"),
    ],
)
def test_a_secret_that_cannot_be_read_says_from_where_and_why(secret: Secret, message: str) -> None:
    with pytest.raises(SecretError) as raised:
        Secrets({}).read(secret)
    assert message in str(raised.value)
    assert CANARY not in str(raised.value)


def test_a_command_that_never_ends_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("config.secrets.COMMAND_SECONDS", 0.1)
    with pytest.raises(SecretError, match="took longer than"):
        Secrets({}).read(Secret(command=("sleep", "60")))


def test_no_secret_is_shown_with_the_configuration(tmp_path: Path) -> None:
    secret = tmp_path / "s"
    secret.write_text(CANARY, encoding="utf-8")
    secret.chmod(stat.S_IRUSR)
    config = tmp_path / "config.toml"
    config.write_text(f"[queue]\nurl = 'mysql://u@db/x'\npassword = {{ command = ['pass', '{CANARY}'] }}\n", encoding="utf-8")
    settings = load(
        config, {"SLIPWAY_SOURCES__CMS": f'{{"kind":"http","url":"https://x","username":"u","password":{{"file":"{secret}"}}}}'}
    )
    shown = {one.key: one.value for one in describe(settings)}
    assert shown["queue.password"] == "(command pass)"
    assert shown["sources.cms.password"] == f"(file {secret})"
    assert CANARY not in repr(shown)


@pytest.mark.parametrize(
    "said",
    [
        "https://evil.example/?p=p%40ss%2Fw%26rd%221",
        "https://evil.example/?p=p%40ss/w%26rd%221",
        'a "quoted" p@ss/w&rd\\"1',
        b64encode(b'user:p@ss/w&rd"1').decode(),
        b64encode(b'users:p@ss/w&rd"1!').decode(),
        b64encode(b'a:p@ss/w&rd"1??').decode(),
        b'p@ss/w&rd"1'.hex(),
    ],
)
def test_a_secret_is_masked_in_the_forms_that_servers_send_back(said: str) -> None:
    assert masked("nothing of it", ['p@ss/w&rd"1']) == "nothing of it"
    assert MASK in masked(f"it said {said}", ['p@ss/w&rd"1'])


def test_a_secret_that_is_too_short_is_left_in_words() -> None:
    assert masked("a cat", ["cat"]) == "a cat"
