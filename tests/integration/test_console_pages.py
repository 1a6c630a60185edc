"""Every page, over a queue on each kind of database."""

from support.console import Seat, words


def test_the_overview_names_every_environment(seat: Seat) -> None:
    said = seat.text("/")
    assert all(name in said for name in ("STAGING", "PRODUCTION", "ARCHIVE"))


def test_every_answer_has_the_headers_that_keep_a_page_to_itself(sqlite_seat: Seat) -> None:
    for path in ("/", "/static/console.css", "/signin"):
        headers = sqlite_seat.get(path).headers
        assert headers["content-security-policy"].startswith("default-src 'none'; script-src 'self'")
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "same-origin"
    assert sqlite_seat.get("/").headers["cache-control"] == "no-store"


def test_an_address_that_leads_nowhere_says_so(sqlite_seat: Seat) -> None:
    assert "There is no such page." in words(sqlite_seat.get("/nowhere", 404).text)
    assert "There is no such file." in words(sqlite_seat.get("/static/vendored.toml", 404).text)
