"""FETCH and CALL: feeds and lists from a real server to an origin on disk."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from database import State
from support.bench import Bench, settings_of
from support.http_cms import Cms, Fault

RSS = """<?xml version="1.0" encoding="UTF-8"?>
<rss version="2.0"><channel><title>{title}</title>
{items}
</channel></rss>
"""


def rss(title: str, *items: tuple[str, str]) -> str:
    lines = [f"<item><title>{words}</title><guid>{guid}</guid></item>" for guid, words in items]
    return RSS.format(title=title, items="\n".join(lines))


@dataclass
class Feeds:
    """A CMS over HTTP for views, and the bench around it."""

    bench: Bench
    cms: Cms

    def serve(self, path: str, text: str) -> str:
        file = self.cms.folder / path.lstrip("/")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        return f"{self.cms.url}/{path.lstrip('/')}"

    def live(self, path: str) -> str | None:
        file = self.bench.target("origin") / path.lstrip("/")
        return file.read_text() if file.is_file() else None


@pytest.fixture
def feeds(tmp_path: Path, cms: Callable[..., Cms]) -> Iterator[Feeds]:
    (tmp_path / "views").mkdir()
    server = cms(tmp_path / "views")
    settings = settings_of(
        tmp_path,
        sources={
            "cms": {"kind": "directory", "path": str(tmp_path / "site")},
            "views": {"kind": "http", "url": server.url, "retries": 0, "read_timeout": 2},
        },
        web={"read_timeout": 2},
        departments={"8": "/courses/physics", "18": "/courses/mathematics"},
    )
    staging = settings.environments["STAGING"].model_copy(update={"views": "views"})
    settings = settings.model_copy(update={"environments": settings.environments | {"STAGING": staging}})
    bench = Bench(tmp_path, settings)
    yield Feeds(bench, server)
    bench.close()


@pytest.mark.parametrize("from_web", [True, False])
def test_a_feed_goes_live_and_is_asked_for_anew_only_if_it_changed(feeds: Feeds, from_web: bool) -> None:
    address = feeds.serve("/news", rss("News", ("1", "one")))
    place = address if from_web else "/news"
    feeds.bench.well("/news.xml", action="FETCH", **{"from": place})
    assert feeds.live("/news.xml") == rss("News", ("1", "one"))
    again = feeds.bench.well("/news.xml", action="FETCH", **{"from": place})
    assert again.attempts[-1].summary["unchanged"] == 1
    assert "nothing had to move" in (again.task.reason or "")
    assert [access.status for access in feeds.cms.requests("/news")] == [200, 304]
    assert len(feeds.bench.workshop("STAGING").record.history("/news.xml")) == 1
    feeds.serve("/news", rss("News", ("2", "two")))
    feeds.bench.well("/news.xml", action="FETCH", **{"from": place})
    assert feeds.live("/news.xml") == rss("News", ("2", "two"))
    whole = feeds.bench.well("/news.xml", action="FETCH", mode="full", **{"from": place})
    assert whole.attempts[-1].summary["put"] == 1


def test_the_same_bytes_under_another_etag_move_nothing(feeds: Feeds) -> None:
    place = feeds.serve("/list.json", "[1]")
    feeds.bench.well("/list.json", action="FETCH", **{"from": place})
    feeds.cms.faults["/list.json"] = Fault(200, {"ETag": '"other"'}, b"[1]")
    view = feeds.bench.well("/list.json", action="FETCH", **{"from": place})
    assert (view.attempts[-1].summary["fetched"], view.attempts[-1].summary.get("put", 0)) == (1, 0)
    assert len(feeds.bench.workshop("STAGING").record.history("/list.json")) == 1


@pytest.mark.parametrize(
    ("url", "answer", "words"),
    [
        ("/x.xml", Fault(404), "nothing at this address"),
        ("/x.xml", Fault(200, body=b" \n"), "answered with nothing"),
        ("/x.txt", Fault(200, body=b""), "answered with nothing"),
        ("/x.xml", Fault(200, body=b"<rss><channel>"), "not well-formed XML"),
        ("/x.json", Fault(200, body=b'{"a": '), "not well-formed JSON"),
        ("/x.json", Fault(200, body=b"[NaN]"), "NaN is no number"),
        ("/x.xml", Fault(200, {"Content-Type": "text/html"}, b"<html><body/></html>"), "is an HTML page"),
        ("/x.xml", Fault(200, {"Content-Type": "text/xml"}, b"<html><body/></html>"), "is an HTML page"),
        ("/x.xml", Fault(200, body=b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>'), "declares entities"),
    ],
)
def test_what_is_no_feed_fails_and_what_is_live_stays(feeds: Feeds, url: str, answer: Fault, words: str) -> None:
    good = {"/x.xml": rss("Good"), "/x.json": "[1]", "/x.txt": "good"}[url]
    place = feeds.serve("/x", good)
    feeds.bench.well(url, action="FETCH", **{"from": place})
    feeds.cms.faults["/x"] = answer
    view = feeds.bench.do(url, action="FETCH", **{"from": place})
    assert (view.task.state, words in (view.task.reason or "")) == (State.FAILED, True), view.task.reason
    assert feeds.live(url) == good


def test_an_attack_by_entities_does_no_harm(feeds: Feeds) -> None:
    levels = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 12))
    bomb = f'<!DOCTYPE a [<!ENTITY e0 "x">{levels}]><a b="&e11;">&e11;</a>'
    outside = '<!DOCTYPE a SYSTEM "http://127.0.0.1:9/dtd"><a/>'
    for text in (bomb, outside):
        view = feeds.bench.do("/x.xml", action="FETCH", **{"from": feeds.serve("/x", text)})
        assert view.task.state is (State.FAILED if text is bomb else State.SUCCEEDED)


def test_two_feeds_become_one(feeds: Feeds) -> None:
    feeds.serve("/ours", rss("Ours", ("1", "one"), ("2", "two")))
    theirs = feeds.serve("/theirs", rss("Theirs", ("2", "TWO"), ("3", "three")))
    feeds.bench.well("/all.xml", action="FETCH", **{"from": "/ours", "merge": theirs, "key": "guid"})
    expected = (
        "<?xml version='1.0' encoding='UTF-8'?>\n"
        '<rss version="2.0"><channel><title>Ours</title>\n'
        "<item><title>one</title><guid>1</guid></item>\n"
        "<item><title>two</title><guid>2</guid></item>\n"
        "<item><title>three</title><guid>3</guid></item>\n"
        "</channel></rss>\n"
    )
    assert feeds.live("/all.xml") == expected
    again = feeds.bench.well("/all.xml", action="FETCH", **{"from": "/ours", "merge": theirs, "key": "guid"})
    assert "nothing had to move" in (again.task.reason or "")
    refused = feeds.bench.do("/all.bin", action="FETCH", **{"from": "/ours", "merge": theirs})
    assert "only XML or JSON can be merged" in (refused.task.reason or "")


def test_each_department_gets_its_list(feeds: Feeds) -> None:
    for name in ("physics", "mathematics"):
        feeds.serve(f"/courses/{name}/json_for_mobile", json.dumps([name]))
    parameters = {"each": "departments", "from": "$url/json_for_mobile", "type": "json"}
    root = feeds.bench.well("/courses/$name/$name.json", action="FETCH", **parameters)
    assert root.task.reason == "2 departments have their task"
    assert [json.loads(feeds.live(f"/courses/{name}/{name}.json") or "") for name in ("physics", "mathematics")] == [
        ["physics"],
        ["mathematics"],
    ]
    assert [child.state for child in root.children] == [State.SUCCEEDED] * 2
    feeds.bench.well("/", action="FETCH", to="$url/mobile.json", **parameters)
    assert feeds.live("/courses/physics/mobile.json") == '["physics"]'
    rehearsed = feeds.bench.well("/", action="FETCH", to="$url/mobile.json", dry_run=True, **parameters)
    assert rehearsed.task.reason == "dry run: 2 departments would get their task"
    bad = feeds.bench.do("/", action="FETCH", to="$url/../x", **parameters)
    assert "the URL for department 8 cannot be used" in (bad.task.reason or "")


def test_a_list_of_departments_goes_on_where_it_broke_off(feeds: Feeds, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("physics", "mathematics"):
        feeds.serve(f"/courses/{name}/list", json.dumps([name]))
    monkeypatch.setattr("tasks.expand.CHUNK", 1)
    claims, calls = feeds.bench.workshop("STAGING").claims, 0
    insert = claims.expand

    def once(*arguments: Any) -> None:
        nonlocal calls
        calls += 1
        if calls == 2:
            raise OSError("the machine went down")
        insert(*arguments)

    monkeypatch.setattr(claims, "expand", once)
    task = feeds.bench.insert("/lists/$name.json", action="FETCH", each="departments", **{"from": "$url/list"})
    feeds.bench.run()
    assert feeds.bench.desk.show(task).task.state is State.READY
    with feeds.bench.database._change.begin() as connection:
        connection.exec_driver_sql("UPDATE publication_task_queue SET run_after = '2020-01-01 00:00:00'")
    feeds.bench.run()
    root = feeds.bench.desk.show(task)
    assert root.task.reason == "1 departments have their task (the others had theirs before)"
    assert sorted(child.url for child in root.children) == ["/lists/mathematics.json", "/lists/physics.json"]


def test_a_folder_is_never_replaced_by_a_file(feeds: Feeds) -> None:
    feeds.bench.write("/news", {"index.htm": "news"})
    feeds.bench.well("/news")
    place = feeds.serve("/x", "<rss/>")
    for url in ("/", "/news"):
        view = feeds.bench.do(url, action="FETCH", **{"from": place, "form": "xml"})
        assert f"{url} is a folder" in (view.task.reason or "")
    assert feeds.live("/news/index.htm") == "news"


def test_departments_that_would_make_one_file_are_named(feeds: Feeds) -> None:
    view = feeds.bench.do("/mobile.json", action="FETCH", each="departments", **{"from": "$url/json"})
    assert (view.task.state, view.children) == (State.FAILED, ())
    assert "the departments 8 and 18 would both make /mobile.json" in (view.task.reason or "")


def test_a_file_that_another_module_lists_is_not_taken_from_it(feeds: Feeds) -> None:
    place = feeds.serve("/news", rss("News"))
    feeds.bench.write("/courses/physics", {"index.htm": "<p>", "rss.xml": rss("Own")})
    feeds.bench.well("/courses/physics")
    view = feeds.bench.do("/courses/physics/rss.xml", action="FETCH", **{"from": place})
    assert view.task.state is State.FAILED
    assert "is a file of the module /courses/physics" in (view.task.reason or "")
    feeds.bench.well("/courses/physics/news.xml", action="FETCH", **{"from": place})
    feeds.bench.well("/courses/physics", mode="full")


def test_a_dry_run_changes_nothing(feeds: Feeds) -> None:
    place = feeds.serve("/x", "<rss/>")
    view = feeds.bench.well("/x.xml", action="FETCH", dry_run=True, **{"from": place})
    assert (view.task.reason or "").startswith("dry run: 1 files to put")
    assert feeds.live("/x.xml") is None


def test_a_feed_beside_a_department_lives_as_long_as_it(feeds: Feeds) -> None:
    feeds.bench.write("/courses/physics", {"index.htm": "physics"})
    feeds.bench.well("/courses/physics")
    feeds.bench.well("/courses/physics/rss.xml", action="FETCH", **{"from": feeds.serve("/x", "<rss/>")})
    feeds.bench.write("/courses/physics", {"index.htm": "physics 2"})
    feeds.bench.well("/courses/physics")
    assert (feeds.live("/courses/physics/rss.xml"), feeds.live("/courses/physics/index.htm")) == ("<rss/>", "physics 2")


def test_a_place_on_the_web_that_stays_away_fails_at_last(feeds: Feeds) -> None:
    place = feeds.serve("/x", "<rss/>")
    feeds.cms.stop()
    task = feeds.bench.insert("/x.xml", action="FETCH", **{"from": place})
    feeds.bench.run()
    view = feeds.bench.desk.show(task)
    assert (view.task.state, view.task.attempts) == (State.READY, 1), (
        "an alert tells of a task that failed, of a waiting one none"
    )
    assert "tried again by itself while attempts are left" in (view.task.reason or "")


def test_the_cms_is_asked_to_do_something(feeds: Feeds) -> None:
    feeds.serve("/report", "\n 17 links are broken \nmore")
    view = feeds.bench.well("/", action="CALL", path="/report")
    assert view.task.reason == "views did /report and answered with '17 links are broken'"
    feeds.serve("/silent", "\n")
    assert (feeds.bench.well("/", action="CALL", path="/silent", method="POST").task.reason or "").endswith("without a word")
    dry = feeds.bench.well("/", action="CALL", path="/report", dry_run=True)
    assert dry.task.reason == "dry run: views would be asked for /report (GET)"
    assert [access.method for access in feeds.cms.log] == ["GET", "POST"]
    nothing = feeds.bench.do("/", action="CALL", path="/none").task
    assert (nothing.state, "correct the path" in (nothing.reason or "")) == (State.FAILED, True)


def test_a_path_without_an_answer_is_not_called_a_fault_of_a_slip(feeds: Feeds) -> None:
    feeds.cms.faults["/login"] = Fault(200, {"Content-Type": "text/html"}, b"<html>who are you?</html>")
    missing = feeds.bench.do("/x.xml", action="FETCH", **{"from": "/none"}).task.reason or ""
    page = feeds.bench.do("/x.xml", action="FETCH", **{"from": "/login"}).task.reason or ""
    assert "views has nothing at /none; correct the path; what is live stays" in missing
    assert "an HTML page where a feed or JSON is asked for" in page
    assert "slip" not in (missing + page).replace("slipway", "")


def test_a_path_needs_a_source_of_views(feeds: Feeds) -> None:
    production = feeds.bench.settings.environments["PRODUCTION"].model_copy(update={"views": None})
    feeds.bench.settings.environments["PRODUCTION"] = production
    view = feeds.bench.do("/x.xml", "PRODUCTION", action="FETCH", **{"from": "/x"})
    assert "give [environments.PRODUCTION] views" in (view.task.reason or "")
    place = feeds.serve("/x", "<rss/>")
    feeds.bench.well("/x.xml", "PRODUCTION", action="FETCH", **{"from": place})


def test_what_is_too_large_for_a_list_is_none(feeds: Feeds, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tasks.fetch.MOST", 10)
    place = feeds.serve("/x", '["0123456789"]')
    assert "more than 10 bytes" in (feeds.bench.do("/x.json", action="FETCH", **{"from": place}).task.reason or "")
    assert "no feed or list" in (feeds.bench.do("/x.json", action="FETCH", **{"from": "/x"}).task.reason or "")
    feeds.bench.well("/x.bin", action="FETCH", **{"from": place})


def test_departments_that_nobody_named_are_none(bench: Bench) -> None:
    bench.settings.departments.clear()
    view = bench.do("/", action="FETCH", each="departments", to="$url/x.json", **{"from": "/x"})
    assert "[departments] names none" in (view.task.reason or "")


def test_a_folder_cannot_be_called(bench: Bench) -> None:
    view = bench.do("/", action="CALL", path="/report")
    assert "the views' source cms cannot be called" in (view.task.reason or "")
