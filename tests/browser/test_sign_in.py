"""Getting into the console with a real browser: by a link, by a password, by what a proxy in front says; and staying out."""

import re

from playwright.sync_api import expect

from support.browser import Visits, Window


def sign_in(window: Window, name: str, password: str) -> None:
    page = window.page
    page.get_by_label("Name").fill(name)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()


def test_a_stranger_sees_only_the_sign_in_page_and_then_what_they_came_for(visit: Visits) -> None:
    window = visit(role=None)
    window.open("/?all=1")
    assert window.place.startswith("/signin")
    expect(window.page.get_by_label("Name")).to_be_focused()
    assert "STAGING" not in window.text()
    sign_in(window, "olaf", "the word of olaf")
    expect(window.page.get_by_text("olaf", exact=False).first).to_be_visible()
    assert window.place == "/?all=1"
    window.page.get_by_role("button", name="Sign out").click()
    assert window.place.startswith("/signin")
    window.open("/")
    assert window.place.startswith("/signin")


def test_a_wrong_password_says_no_more_than_that(visit: Visits) -> None:
    window = visit(role=None)
    said = []
    for name, password in (("olaf", "wrong word"), ("nobody", "wrong word")):
        window.open("/signin")
        sign_in(window, name, password)
        said.append(window.page.get_by_role("alert").inner_text())
    assert said == ["Name and password do not fit together."] * 2
    assert window.page.get_by_label("Name").input_value() == "nobody"
    assert window.page.get_by_label("Password").input_value() == ""


def test_the_cookie_of_a_session_cannot_be_read_by_scripts_nor_sent_by_other_sites(visit: Visits) -> None:
    window = visit(role=None)
    window.open("/signin")
    sign_in(window, "vera", "the word of vera")
    [cookie] = [each for each in window.page.context.cookies() if each["name"] == "slipway_session"]
    assert cookie["httpOnly"]
    assert cookie["sameSite"] == "Lax"
    assert "slipway_session" not in window.page.evaluate("document.cookie")


def test_the_name_that_a_proxy_gives_is_who_one_is(visit: Visits) -> None:
    window = visit("viewer", name="petra")
    window.open("/")
    assert re.search(r"petra\W+viewer", window.text())
    expect(window.page.get_by_role("button", name="Sign out")).to_have_count(0)
