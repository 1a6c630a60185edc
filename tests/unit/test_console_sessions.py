"""What a session is made of: signatures, passwords, limits. Clocks are moved by hand."""

import os
from pathlib import Path

import pytest

from console.addresses import plain
from console.asked import SAID, SAID_MOST
from console.errors import ConsoleRefused, TooMuch
from console.limits import Limit
from console.passwords import PasswordFile, fits, keep_line, line_of, read_accounts
from console.people import Role, role_of
from console.sessions import KEY_BYTES, LONGEST, Ended, Sealer, kept_key

HASH = "A" * 43 + "="


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture(autouse=True)
def cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same function with less work: what is tried here is not how long it takes."""
    monkeypatch.setattr("console.passwords.COST", 16)


def test_what_was_sealed_is_opened_for_its_purpose_and_time_only() -> None:
    clock = Clock()
    sealer = Sealer(b"k" * KEY_BYTES, clock)
    text = sealer.seal("session", {"name": "ann"}, 60)
    assert (sealer.opened("session", text) or {})["name"] == "ann"
    assert sealer.opened("said", text) is None
    assert Sealer(b"x" * KEY_BYTES, clock).opened("session", text) is None
    clock.now += 60
    assert sealer.opened("session", text) is None


def test_what_a_page_says_next_fits_into_a_cookie_in_any_script() -> None:
    said = "𝔘" * SAID_MOST
    text = Sealer(b"k" * KEY_BYTES).seal("said", {"text": said}, 60)
    assert len(text) + len(SAID) < LONGEST
    assert (Sealer(b"k" * KEY_BYTES).opened("said", text) or {})["text"] == said


def test_a_line_leaves_the_file_to_whom_it_belongs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "passwords"
    path.write_text("")
    path.chmod(0o640)
    given: list[tuple[int, int]] = []
    monkeypatch.setattr("os.fchown", lambda _, owner, group: given.append((owner, group)))
    before = os.umask(0o077)
    try:
        keep_line(path, line_of("ann", Role.VIEWER, "a good password"))
    finally:
        os.umask(before)
    assert path.stat().st_mode & 0o777 == 0o640, "its group reads it still"
    assert given == [(os.getuid(), path.stat().st_gid)]

    def refused(*_: object) -> None:
        raise PermissionError(1, "not permitted")

    monkeypatch.setattr("os.fchown", refused)
    with pytest.raises(ConsoleRefused, match="cannot be written"):
        keep_line(path, line_of("bob", Role.VIEWER, "a good password"))
    assert [each.name for each in tmp_path.iterdir()] == ["passwords"]
    assert list(read_accounts(path)) == ["ann"]


def test_a_new_file_that_root_makes_belongs_to_whom_its_folder_belongs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[tuple[int, int]] = []
    monkeypatch.setattr("os.fchown", lambda _, owner, group: given.append((owner, group)))
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    keep_line(tmp_path / "mine", line_of("ann", Role.VIEWER, "a good password"))
    assert given == [], "whoever is not root owns what they make"
    monkeypatch.setattr("os.geteuid", lambda: 0)
    keep_line(tmp_path / "passwords", line_of("ann", Role.VIEWER, "a good password"))
    folder = tmp_path.stat()
    assert given == [(folder.st_uid, folder.st_gid)]
    assert (tmp_path / "passwords").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    ("written", "address"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("192.0.2.7:50123", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("[::ffff:192.0.2.7]:50123", "192.0.2.7"),
        ("2001:db8::7", "2001:db8::7"),
        ("[2001:0DB8::7]:443", "2001:db8::7"),
        ("fe80::1%eth0", "fe80::1"),
        ("unknown", "unknown"),
        ("[]", "[]"),
        ("192.0.2.7:", "192.0.2.7:"),
    ],
)
def test_an_address_has_one_spelling(written: str, address: str) -> None:
    assert plain(written) == address


@pytest.mark.parametrize("spoil", ["", "x", ".", "abc.", "é.ü", "a" * 9000, "{body}.{mac}x", "{body}A.{mac}", "{mac}.{body}"])
def test_a_spoiled_cookie_is_none(spoil: str) -> None:
    sealer = Sealer(b"k" * KEY_BYTES)
    body, mac = sealer.seal("session", {"name": "ann"}, 60).split(".")
    assert sealer.opened("session", spoil.format(body=body, mac=mac)) is None
    assert sealer.opened("session", None) is None


def test_a_signed_text_that_is_no_object_is_none() -> None:
    sealer = Sealer(b"k" * KEY_BYTES)
    for body in ("W10", "bm9wZQ", "A", "8J+Y"):
        assert sealer.opened("session", f"{body}.{sealer._mac('session', body)}") is None


def test_a_token_is_of_one_session() -> None:
    sealer = Sealer(b"k" * KEY_BYTES)
    assert sealer.is_token("one", sealer.token("one"))
    assert not sealer.is_token("two", sealer.token("one"))
    assert not sealer.is_token("one", "é")


def test_the_key_is_kept_where_nobody_else_reads_it(tmp_path: Path) -> None:
    key = kept_key(tmp_path)
    assert kept_key(tmp_path) == key
    file = tmp_path / "console.key"
    assert file.stat().st_mode & 0o777 == 0o600
    file.chmod(0o644)
    assert kept_key(tmp_path) != key, "others may have read it"
    assert len(kept_key(tmp_path / "nowhere")) == KEY_BYTES


def test_a_session_that_was_signed_out_is_remembered_as_long_as_its_cookie_is_good(tmp_path: Path) -> None:
    clock, folder = Clock(), tmp_path / "ended"
    ended = Ended(folder, clock)
    ended.add("a" * 16, clock.now + 60)
    assert "a" * 16 in Ended(folder, clock)
    assert "b" * 16 not in ended
    assert folder.stat().st_mode & 0o777 == 0o700
    clock.now += 61
    ended.add("b" * 16, clock.now + 60)
    assert [each.name for each in folder.iterdir()] == ["b" * 16]


@pytest.mark.parametrize("session", ["", ".", "..", "../console.key", "A" * 16, "a" * 17])
def test_what_is_no_session_was_not_signed_out(tmp_path: Path, session: str) -> None:
    (tmp_path / "console.key").touch()
    assert session not in Ended(tmp_path / "ended")


def test_where_nothing_can_be_written_the_console_itself_remembers(tmp_path: Path) -> None:
    (tmp_path / "ended").write_text("a file is in the way")
    ended = Ended(tmp_path / "ended")
    ended.add("a" * 16, 2e9)
    assert "a" * 16 in ended


def test_a_line_holds_name_role_and_hash_and_no_password() -> None:
    line = line_of("ann", Role.OPERATOR, "s3cret: of ann")
    name, role, hashed = line.split(":")
    assert (name, role) == ("ann", "operator")
    assert "s3cret" not in line
    assert fits("s3cret: of ann", hashed)
    assert not fits("s3cret: of bob", hashed)
    assert line_of("ann", Role.OPERATOR, "s3cret: of ann") != line, "each has a salt of its own"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("ann:operator\n", "line 1 of"),
        ("# who\n\nann:king:scrypt$16$8$3$AAAA$AAAA\n", "line 3 of"),
        ("ann:viewer:md5$AAAA\n", "line 1 of"),
        (f"ann:viewer:scrypt$16$8$3$AAAA${HASH}\nann:viewer:scrypt$16$8$3$AAAA${HASH}\n", "second line for ann"),
        (f"ann:viewer:scrypt$15$8$3$AAAA${HASH}\n", "line 1 of"),
        (f"ann:viewer:scrypt$1048576$8$3$AAAA${HASH}\n", "line 1 of"),
        (f"ann:viewer:scrypt$16$8$0$AAAA${HASH}\n", "line 1 of"),
        (f"ann:viewer:scrypt$16$8$3$AAA${HASH}\n", "line 1 of"),
        ("ann:viewer:scrypt$16$8$3$AAAA$AAAA\n", "line 1 of"),
        (f"ann:viewer:scrypt$16$8$3$AAAA${HASH[:-1]}\n", "line 1 of"),
    ],
)
def test_a_faulty_password_file_is_refused_with_its_line(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "passwords"
    path.write_text(text)
    path.chmod(0o600)
    with pytest.raises(ConsoleRefused, match=words):
        read_accounts(path)


@pytest.mark.parametrize(("mode", "good"), [(0o600, True), (0o640, True), (0o644, False), (0o660, False), (0o604, False)])
def test_a_password_file_of_everybody_is_refused(tmp_path: Path, mode: int, good: bool) -> None:
    path = tmp_path / "passwords"
    path.write_text(line_of("ann", Role.VIEWER, "a good password") + "\n")
    path.chmod(mode)
    if good:
        assert set(read_accounts(path)) == {"ann"}
    else:
        with pytest.raises(ConsoleRefused, match="chmod 640"):
            read_accounts(path)


def test_a_password_file_that_is_not_there_or_no_text_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(ConsoleRefused, match="cannot be read: there is no such file"):
        read_accounts(tmp_path / "none")
    (tmp_path / "passwords").write_bytes(b"\xff\xfe")
    with pytest.raises(ConsoleRefused, match="UTF-8"):
        read_accounts(tmp_path / "passwords")
    with pytest.raises(ConsoleRefused, match="cannot be written"):
        keep_line(tmp_path / "nowhere" / "passwords", "ann:viewer:x")


def test_the_file_is_read_again_when_it_changed(tmp_path: Path) -> None:
    path = tmp_path / "passwords"
    keep_line(path, line_of("ann", Role.VIEWER, "a good password"))
    passwords = PasswordFile(path)
    assert passwords.sign_in("ann", "a good password")
    assert passwords.sign_in("ann", "another one") is None
    keep_line(path, line_of("ann", Role.APPROVER, "another one"))
    account = passwords.sign_in("ann", "another one")
    assert account is not None
    assert account.role is Role.APPROVER
    assert PasswordFile(None).account("ann") is None


def test_names_of_roles_are_forgiving_and_roles_include_those_below() -> None:
    assert role_of(" Operator ") is Role.OPERATOR
    assert role_of("root") is None
    assert Role.APPROVER > Role.OPERATOR > Role.VIEWER


def test_a_limit_lets_a_burst_through_and_then_one_every_so_often() -> None:
    clock = Clock()
    limit = Limit(3, 10.0, clock)
    for _ in range(3):
        limit.take("ann", "Too fast.")
    limit.take("bob", "Too fast.")
    with pytest.raises(TooMuch, match=r"Too fast\. Try again in 10 s\.") as refused:
        limit.take("ann", "Too fast.")
    assert refused.value.again == 10
    clock.now += 10
    limit.take("ann", "Too fast.")
    with pytest.raises(TooMuch):
        limit.take("ann", "Too fast.")
    clock.now += 1000
    for _ in range(3):
        limit.take("ann", "Too fast.")


def test_a_limit_does_not_grow_with_strangers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("console.limits.MOST", 100)
    clock = Clock()
    limit = Limit(1, 100.0, clock)
    for number in range(1000):
        limit.take(f"stranger {number}", "")
        clock.now += 0.1
    assert len(limit._full_at) <= 101
    with pytest.raises(TooMuch, match="2 minutes"):
        limit.take("stranger 999", "")
