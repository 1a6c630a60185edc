"""Signing in, who may do what, and what others cannot make a browser do."""

import base64
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from config import Secrets, Settings
from console import Console, Role, application, line_of, open_console
from support.console import words
from support.queue import SETTINGS, Queue

PASSWORD = "a good password"
HERE = {"Sec-Fetch-Site": "same-origin"}


class Door:
    """A console with certain settings, and browsers in front of it."""

    def __init__(self, queue: Queue, folder: Path) -> None:
        self.queue, self.folder = queue, folder
        self.passwords = folder / "passwords"
        self.console: Console | None = None
        self.browsers: list[TestClient] = []

    def people(self, **roles: Role) -> None:
        self.passwords.write_text("".join(line_of(name, role, PASSWORD) + "\n" for name, role in roles.items()))
        self.passwords.chmod(0o600)

    def open(self, **console: Any) -> "Door":
        settings = Settings.model_validate({**SETTINGS, "state_dir": self.folder, "console": console})
        self.console = open_console(settings, Secrets({}), self.queue.db)
        return self

    def browser(self, base: str = "http://localhost:8780", peer: str = "127.0.0.1") -> TestClient:
        assert self.console is not None
        client = TestClient(application(self.console), base_url=base, client=(peer, 50000), follow_redirects=False)
        self.browsers.append(client)
        return client

    def signed_in(self, name: str = "ann", **more: Any) -> TestClient:
        client = self.browser(**more)
        answer = client.post("/signin", data={"name": name, "password": PASSWORD, "back": "/queue"}, headers=HERE)
        assert (answer.status_code, answer.headers["location"]) == (303, "/queue")
        return client


@pytest.fixture
def door(sqlite_queue: Queue, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Door]:
    monkeypatch.setattr("console.passwords.COST", 16)
    monkeypatch.setattr("console.passwords.NOBODY", line_of("x", Role.VIEWER, "nobody's").split(":")[2])
    one = Door(sqlite_queue, tmp_path)
    one.people(ann=Role.OPERATOR, vic=Role.VIEWER)
    yield one
    for client in one.browsers:
        client.close()


def token_of(client: TestClient) -> str:
    html = client.get("/").text
    return html.split('name="csrf" value="')[1].split('"')[0]


def test_whoever_is_not_signed_in_is_led_there_and_back(door: Door) -> None:
    client = door.open(passwords=door.passwords).browser()
    answer = client.get("/queue?state=failed")
    assert (answer.status_code, answer.headers["location"]) == (303, "/signin?back=/queue%3Fstate%3Dfailed")
    assert 'value="/queue?state=failed"' in client.get(answer.headers["location"]).text
    # A part of a page cannot show the form: the whole page goes there.
    part = client.get("/queue", headers={"HX-Request": "true"})
    assert (part.status_code, part.headers["hx-redirect"]) == (204, "/signin")
    assert client.get("/live").status_code == 401


def test_name_and_password_sign_in_and_out(door: Door) -> None:
    client = door.open(passwords=door.passwords).signed_in()
    assert "ann operator" in words(client.get("/").text)
    cookie = client.cookies["slipway_session"]
    client.post("/signout", data={"csrf": token_of(client)}, headers=HERE)
    assert client.get("/").status_code == 303
    # Neither does a copy of the cookie work any more.
    client.cookies["slipway_session"] = cookie
    assert client.get("/").status_code == 303


def test_who_signed_out_stays_out_of_every_console_that_has_the_key(door: Door) -> None:
    ann, beside = door.open(passwords=door.passwords).signed_in(), door.open(passwords=door.passwords).browser()
    vic = door.signed_in("vic")
    beside.cookies["slipway_session"] = ann.cookies["slipway_session"]
    assert beside.get("/").status_code == 200, "several consoles share the key"
    cookie = ann.cookies["slipway_session"]
    ann.post("/signout", data={"csrf": token_of(ann)}, headers=HERE)
    assert beside.get("/").status_code == 303, "the other console was not told, and knows"
    after = door.open(passwords=door.passwords).browser()
    after.cookies["slipway_session"] = cookie
    assert after.get("/").status_code == 303, "the console was started again"
    assert vic.get("/").status_code == 200


@pytest.mark.parametrize(("name", "password"), [("ann", "wrong"), ("nobody", PASSWORD), ("", ""), ("vic", "")])
def test_wrong_words_are_refused_alike(door: Door, name: str, password: str) -> None:
    client = door.open(passwords=door.passwords).browser()
    answer = client.post("/signin", data={"name": name, "password": password}, headers=HERE)
    assert answer.status_code == 401
    assert "Name and password do not fit together." in words(answer.text)
    assert "slipway_session" not in client.cookies


def test_nobody_can_guess_for_long(door: Door) -> None:
    door.open(passwords=door.passwords)
    client, other = door.browser(), door.browser(peer="127.0.0.2")
    tries = [client.post("/signin", data={"name": "ann", "password": str(n)}, headers=HERE) for n in range(12)]
    assert [answer.status_code for answer in tries] == [401] * 10 + [429] * 2
    assert int(tries[-1].headers["retry-after"]) > 0
    assert "Too many sign-ins from this address." in words(tries[-1].text)
    assert client.get("/", auth=("ann", PASSWORD)).status_code == 429
    assert other.post("/signin", data={"name": "ann", "password": PASSWORD}, headers=HERE).status_code == 303


def test_who_leaves_or_changes_role_or_password_is_noticed_with_the_next_click(door: Door) -> None:
    client = door.open(passwords=door.passwords).signed_in()
    line = door.passwords.read_text().splitlines()[0]
    door.passwords.write_text(line.replace("operator", "viewer") + "\n")
    assert "ann viewer" in words(client.get("/").text)
    door.people(ann=Role.OPERATOR)
    assert client.get("/").status_code == 303, "the password was set anew"
    client = door.signed_in()
    door.people(bob=Role.OPERATOR)
    assert client.get("/").status_code == 303


def test_a_password_file_that_becomes_unsafe_lets_nobody_in(door: Door) -> None:
    client = door.open(passwords=door.passwords).signed_in()
    door.passwords.chmod(0o644)
    answer = client.get("/")
    assert answer.status_code == 500
    assert "can be read by everybody" in words(answer.text)


def test_the_cookie_is_kept_to_https_where_that_is_how_people_come(door: Door) -> None:
    door.open(passwords=door.passwords, hosts=["ops.example.edu"], proxy={"addresses": ["10.0.0.0/8"]})
    forwarded = {**HERE, "X-Forwarded-Proto": "https", "X-Forwarded-For": "192.0.2.1, 10.0.0.9"}
    fields = {"name": "ann", "password": PASSWORD}
    through = door.browser("http://ops.example.edu", peer="10.0.0.7").post("/signin", data=fields, headers=forwarded)
    assert "secure" in through.headers["set-cookie"].lower()
    assert "strict-transport-security" in through.headers
    # Anybody can say so; only a proxy of ours is believed.
    direct = door.browser("http://ops.example.edu", peer="192.0.2.7").post("/signin", data=fields, headers=forwarded)
    assert "secure" not in direct.headers["set-cookie"].lower()


def test_behind_a_proxy_the_tries_of_each_visitor_count_for_themselves(door: Door) -> None:
    door.open(passwords=door.passwords, proxy={"addresses": ["10.0.0.0/8"]})
    # A socket of both protocols names the proxy so.
    client = door.browser(peer="::ffff:10.0.0.7")

    def tries(forwarded: str) -> int:
        headers = {**HERE, "X-Forwarded-For": forwarded}
        return client.post("/signin", data={"name": "ann", "password": "x"}, headers=headers).status_code

    assert [tries(f"198.51.100.{n}, 192.0.2.1:{n}, 10.0.0.9") for n in range(11)] == [401] * 10 + [429]
    assert tries("192.0.2.2") == 401


def test_a_proxy_says_who_somebody_is_and_which_role_they_have(door: Door) -> None:
    proxy = {"addresses": ["10.0.0.7"], "user_header": "X-User", "role_header": "X-Role", "roles": {"bob": "operator"}}
    door.open(proxy=proxy)
    client = door.browser(peer="10.0.0.7")

    def seen(**headers: str) -> str:
        return words(client.get("/", headers={name.replace("_", "-"): value for name, value in headers.items()}).text)

    assert "eve viewer" in seen(X_User="eve")
    assert "bob operator" in seen(X_User="bob")
    # The proxy's own HTTP Basic, handed on.
    assert "bob operator" in seen(X_User="bob", Authorization="Basic Ym9iOng=")
    assert "bob approver" in seen(X_User="bob", X_Role="Approver")
    assert client.get("/").status_code == 303
    assert "did not say who you are" in words(client.get("/signin").text)
    assert client.get("/", headers={"X-User": "eve", "X-Role": "king"}).status_code == 303
    assert client.get("/", headers={"X-User": "e" * 256}).status_code == 303
    for doubled in ([("X-User", "eve"), ("X-User", "ann")], [("X-User", "ann"), ("X-Role", "approver"), ("X-Role", "viewer")]):
        assert client.get("/", headers=doubled).status_code == 303
    stranger = door.browser(peer="10.0.0.8")
    assert stranger.get("/", headers={"X-User": "eve"}).status_code == 303


def test_without_a_default_role_only_those_with_one_come_in(door: Door) -> None:
    settings = {"addresses": ["10.0.0.7"], "user_header": "X-User", "roles": {"bob": "viewer"}, "default_role": None}
    client = door.open(proxy=settings).browser(peer="10.0.0.7")
    assert client.get("/", headers={"X-User": "eve"}).status_code == 303
    assert client.get("/", headers={"X-User": "bob"}).status_code == 200


@pytest.mark.parametrize(
    ("headers", "fields"),
    [
        ({"Sec-Fetch-Site": "cross-site"}, {}),
        ({"Sec-Fetch-Site": "same-site"}, {}),
        ({"Origin": "https://evil.example"}, {}),
        ({"Origin": "null"}, {}),
        ({"Origin": "http://["}, {}),
        ({"Origin": "http://localhost:3000"}, {}),
        (HERE, {"csrf": ""}),
        (HERE, {"csrf": "0" * 64}),
        ({}, {"csrf": "é"}),
    ],
)
def test_a_forged_change_is_refused_and_changes_nothing(door: Door, headers: dict[str, str], fields: dict[str, str]) -> None:
    client = door.open(passwords=door.passwords).signed_in()
    sent = {"do": "pause", "csrf": token_of(client)} | fields
    answer = client.post("/environment/STAGING", data=sent, headers=headers)
    assert answer.status_code == 403
    assert "another site" in words(answer.text) or "not of this session" in words(answer.text)
    assert door.queue.desk.find() == []


@pytest.mark.parametrize("headers", [{}, {"Origin": "http://localhost:8780"}, HERE, {"X-CSRF-Token": "token"}])
def test_a_change_from_a_page_of_ours_is_done(door: Door, headers: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("console.pages.overview.PATIENCE", 0.0)
    client = door.open(passwords=door.passwords).signed_in()
    token = token_of(client)
    sent = {"do": "pause"} | ({} if "X-CSRF-Token" in headers else {"csrf": token})
    given = {name: token if value == "token" else value for name, value in headers.items()}
    assert client.post("/environment/STAGING", data=sent, headers=given).status_code == 303
    assert [task.requested_by for task in door.queue.desk.find()] == ["ann"]


def test_the_token_of_one_session_is_none_of_anothers(door: Door) -> None:
    door.open(passwords=door.passwords)
    ann, vic = door.signed_in(), door.signed_in("vic")
    assert ann.post("/environment/STAGING", data={"do": "pause", "csrf": token_of(vic)}, headers=HERE).status_code == 403


def test_changes_are_limited_for_each_person(door: Door) -> None:
    client = door.open(passwords=door.passwords).signed_in()
    token = token_of(client)
    taken, began = 0, time.monotonic()
    # Two more are allowed every second: on a slow machine the limit is not come by at the 61st.
    while (status := client.post("/environment/STAGING", data={"do": "x", "csrf": token}, headers=HERE).status_code) == 400:
        taken += 1
        assert taken < 300, "no change is refused, however many there are"
    assert status == 429
    assert 60 <= taken <= 61 + 2 * (time.monotonic() - began)


def test_scripts_say_with_each_request_who_they_are(door: Door) -> None:
    client = door.open(passwords=door.passwords).browser()
    assert "ann operator" in words(client.get("/", auth=("ann", PASSWORD)).text)
    assert client.get("/", auth=("ann", PASSWORD)).status_code == 200
    assert client.get("/", auth=("ann", "wrong")).status_code == 401
    for header in ("Basic !", "Basic " + base64.b64encode(b"\xff:").decode(), "Bearer nothing", "Negotiate abc", "Basic"):
        assert client.get("/", headers={"Authorization": header}).status_code == 401, header
    # No browser sends that from another site by itself, unless it remembers it: then it says where it comes from.
    assert client.get("/signin", auth=("somebody", "else's")).status_code == 200
    changed = client.post("/environment/STAGING", data={"do": "run"}, auth=("ann", PASSWORD))
    assert changed.status_code == 303
    forged = client.post(
        "/environment/STAGING", data={"do": "run"}, auth=("ann", PASSWORD), headers={"Sec-Fetch-Site": "cross-site"}
    )
    assert forged.status_code == 403


def test_the_link_and_the_token_of_a_local_try(door: Door) -> None:
    door.open()
    assert door.console is not None
    link, bearer = door.console.access.link, door.console.access.bearer
    assert link != bearer
    client = door.browser()
    assert "Open the link" in words(client.get("/signin").text)
    assert client.get("/signin?token=guess").status_code == 401
    assert client.head(f"/signin?token={link}").status_code == 200, "who only looks where it leads uses nothing up"
    assert client.get(f"/signin?token={link}").headers["location"] == "/"
    assert client.head("/live").status_code == 200, "and ends"
    assert "local approver" in words(client.get("/").text)
    assert door.browser().get(f"/signin?token={link}").status_code == 401
    assert door.browser().get("/", headers={"Authorization": f"Bearer {bearer}"}).status_code == 200
    # With the next start both are others, and the session is over.
    cookie = client.cookies["slipway_session"]
    again = door.open().browser()
    again.cookies["slipway_session"] = cookie
    assert again.get("/").status_code == 303
    assert again.get("/", headers={"Authorization": f"Bearer {bearer}"}).status_code == 401


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8780", "localhost.evil.example", ""])
def test_a_strangers_name_for_this_address_is_refused(door: Door, host: str) -> None:
    client = door.open(passwords=door.passwords).browser()
    answer = client.get("/signin", headers={"Host": host})
    assert answer.status_code == 421
    assert "console.hosts" in words(answer.text)


def test_no_name_that_a_request_brings_is_led_to(door: Door) -> None:
    client = door.open(passwords=door.passwords, prefix="/slipway").browser()
    assert client.get("/slipway/signin/", headers={"Host": "evil.example"}).status_code == 421
    assert client.get("/slipway/signin//").status_code == 200
    assert client.get("/slipway/queue/").headers["location"] == "/slipway/signin?back=/queue"


@pytest.mark.parametrize("path", ["/task/", "/api/v1/tasks/"])
def test_an_address_that_is_too_long_is_none(door: Door, path: str) -> None:
    # More digits than Python makes a number of.
    answer = door.open(passwords=door.passwords).browser().get(path + "9" * 5000)
    assert (answer.status_code, answer.headers["x-frame-options"]) == (414, "DENY")


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1:8780", "[::1]:8780", "OPS.example.edu"])
def test_its_own_names_are_answered(door: Door, host: str) -> None:
    client = door.open(passwords=door.passwords, hosts=["ops.example.edu"]).browser()
    assert client.get("/signin", headers={"Host": host}).status_code == 200


def test_a_prefix_is_in_every_link_and_taken_off_every_request(door: Door) -> None:
    client = door.open(passwords=door.passwords, prefix="/slipway").browser()
    assert client.get("/slipway/").headers["location"] == "/slipway/signin"
    assert client.get("/slipway").headers["location"] == "/slipway/"
    fields = {"name": "ann", "password": PASSWORD, "back": "/queue"}
    answer = client.post("/slipway/signin", data=fields, headers=HERE)
    assert answer.headers["location"] == "/slipway/queue"
    assert "Path=/slipway/" in answer.headers["set-cookie"]
    html = client.get("/slipway/queue").text
    links = [part.split('"')[0] for mark in ('href="', 'src="', 'action="', 'hx-get="') for part in html.split(mark)[1:]]
    assert [link for link in links if not link.startswith(("/slipway/", "#"))] == []
    # A proxy may also hand the path on without it.
    assert client.get("/static/console.css").status_code == 200


@pytest.mark.parametrize(
    "back",
    [
        "//evil.example",
        "///evil.example",
        "//[",
        "/\t/evil.example",
        "https://evil.example/",
        "/\\evil.example",
        "javascript:alert(1)",
        "\x01",
    ],
)
def test_nobody_is_led_to_another_site(door: Door, back: str) -> None:
    client = door.open(passwords=door.passwords).browser()
    answer = client.post("/signin", data={"name": "ann", "password": PASSWORD, "back": back}, headers=HERE)
    assert answer.headers["location"] == "/"


def test_the_choice_of_colours_is_kept(door: Door) -> None:
    client = door.open(passwords=door.passwords).browser()
    client.post("/theme", data={"theme": "dark", "back": "/signin"}, headers=HERE)
    assert 'data-theme="dark"' in client.get("/signin").text
    client.post("/theme", data={"theme": "<script>"}, headers=HERE)
    assert 'data-theme="auto"' in client.get("/signin").text


def test_too_long_or_malformed_requests_are_refused(door: Door) -> None:
    client = door.open(passwords=door.passwords).signed_in()
    assert client.post("/theme", content=b"x" * (2 << 20), headers=HERE).status_code == 413
    form = {"Content-Type": "application/x-www-form-urlencoded", **HERE}
    assert client.post("/theme", content=b"&".join([b"a=1"] * 3000), headers=form).status_code == 400
    assert client.post("/theme", content=b"theme=\xff", headers=form).status_code == 400
    assert "does not take that" in words(client.post("/", headers=HERE).text)


def test_what_goes_wrong_inside_tells_nobody_how(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("the secret is in here")

    client = door.open(passwords=door.passwords).signed_in()
    monkeypatch.setattr("console.pages.overview.overview", broken)
    answer = client.get("/")
    assert answer.status_code == 500
    assert "A fault of Slipway RuntimeError. The console's log says where." in words(answer.text)
    assert "secret" not in answer.text


def test_no_secret_that_was_read_is_on_a_page(door: Door) -> None:
    client = door.open(passwords=door.passwords).signed_in()
    assert door.console is not None
    door.console.secrets.hide("hunter&2")
    door.queue.ready("/a", note="the password is hunter&2", requested_by="hunter&2")
    html = client.get("/queue").text
    assert "***" in html
    assert "hunter" not in html
