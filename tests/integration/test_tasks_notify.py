"""What caches and webhooks are told after a module changed: through the queue, to a real HTTP server."""

import hashlib
import hmac
import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from config import Settings
from database import State, TaskView
from packageslip import ITSELF, View, ViewKind
from support.bench import Bench, settings_of
from support.purge_server import PurgeServer

A, PHYSICS, IMAGES = "/courses/physics/a", "/courses/physics", "/images"
SITE = "https://www.example.edu"


def told_settings(root: Path, server: PurgeServer) -> Settings:
    """The usual installation, with a CDN, a cache and a webhook behind the origin of STAGING."""
    (root / "token").write_text("s3cret-token\n")
    token = {"file": str(root / "token")}
    plain = settings_of(root)
    staging = plain.environments["STAGING"].model_dump()
    classes = {
        "courses": {"types": ["course", "department"]},
        "images": {"urls": ["/images"]},
        "styles": {"urls": ["/styles"]},
    }
    return settings_of(
        root,
        retry={"base": 0.05, "breaker": 0.05, "cap": 0.2},
        environments={"STAGING": {**staging, "site": SITE, "notices": ["cdn", "cache", "hook"]}},
        notices={
            "cdn": {"kind": "fastly", "api": f"{server.url}/api", "service": "SU1", "token": token, "classes": classes},
            "cache": {
                "kind": "purge",
                "url": f"{server.url}/cache",
                "header": "X-Purge-Token",
                "token": token,
                "modules": {"types": ["course"]},
            },
            "hook": {"kind": "webhook", "url": f"{server.url}/hook?x=1", "secret": token, "timeout": 2},
        },
    )


@pytest.fixture
def told(tmp_path: Path, purge_server: PurgeServer) -> Iterator[Bench]:
    made = Bench(tmp_path, told_settings(tmp_path, purge_server))
    yield made
    made.close()


def course(bench: Bench, **files: str) -> None:
    named = {name.replace("_", "."): text for name, text in (files or {"index_htm": "one"}).items()}
    bench.write(A, named, module_type="course", title="A")


def only(views: list[TaskView], action: str) -> list[TaskView]:
    return [view for view in views if view.task.action == action]


def publish(bench: Bench, url: str = A, **parameters: Any) -> list[TaskView]:
    bench.insert(url, **parameters)
    views = bench.run()
    assert {view.task.state for view in views} == {State.SUCCEEDED}, [view.task.reason for view in views]
    return views


def test_each_notice_that_takes_the_module_gets_a_row_of_its_own(told: Bench) -> None:
    course(told)
    views = only(publish(told), "NOTIFY")
    assert {view.task.target for view in views} == {"notice:cdn", "notice:cache", "notice:hook"}
    assert {view.task.url for view in views} == {A}


def test_a_course_is_purged_by_its_own_key_and_its_class(told: Bench, purge_server: PurgeServer) -> None:
    course(told)
    publish(told)
    assert purge_server.purged_keys() == ["a", "courses"]
    (purge,) = [asked for asked in purge_server.asked if asked.path.endswith("/purge")]
    assert (purge.method, purge.path) == ("POST", "/api/service/SU1/purge")
    assert (purge.headers["Fastly-Key"], purge.headers["Fastly-Soft-Purge"]) == ("s3cret-token", "1")


def test_a_department_with_feeds_is_purged_with_the_class_that_its_feeds_carry(told: Bench, purge_server: PurgeServer) -> None:
    slip = told.write(PHYSICS, {"index.htm": "p", "rss.xml": "<rss/>"}, module_type="department")
    pages = tuple(each for each in slip.resources if each.path != "rss.xml")
    told.put_slip(replace(slip, resources=pages, views=(View("rss.xml", ViewKind.FEED),)))
    publish(told, PHYSICS)
    assert purge_server.purged_keys() == ["physics", "courses"]
    assert purge_server.urls() == []
    assert purge_server.events()[0]["paths"] == ["index.htm", "rss.xml"]


@pytest.mark.parametrize("url", ["/images", "/styles", "/"])
def test_shared_modules_are_purged_by_their_own_keys(told: Bench, purge_server: PurgeServer, url: str) -> None:
    told.write(url, {"x.css": "x"}, module_type="global")
    publish(told, url)
    assert purge_server.purged_keys() == [url.strip("/") or "home"]


def test_only_the_urls_that_changed_are_purged(told: Bench, purge_server: PurgeServer) -> None:
    course(told, index_htm="one", l_pdf="pdf", old_htm="old")
    publish(told)
    purge_server.asked.clear()
    course(told, index_htm="two", l_pdf="pdf")
    publish(told)
    below = "/cache/courses/physics/a"
    assert purge_server.urls() == [below, f"{below}/", f"{below}/index.htm", f"{below}/old.htm", f"{below}/packageslip.xml"]
    purge = next(asked for asked in purge_server.asked if asked.method == "PURGE")
    assert (purge.headers["Host"], purge.headers["X-Purge-Token"]) == ("www.example.edu", "s3cret-token")
    assert "Fastly-Soft-Purge" not in purge.headers


def test_a_publish_that_changes_nothing_tells_nobody(told: Bench, purge_server: PurgeServer) -> None:
    course(told)
    publish(told)
    purge_server.asked.clear()
    assert not only(publish(told), "NOTIFY")
    assert not purge_server.asked


def test_a_slip_that_changed_alone_is_told_with_no_paths(told: Bench, purge_server: PurgeServer) -> None:
    course(told)
    publish(told)
    purge_server.asked.clear()
    told.write(A, {"index.htm": "one"}, module_type="course", title="Another title")
    publish(told)
    assert purge_server.urls() == ["/cache/courses/physics/a/packageslip.xml"]
    assert [(event["title"], event["paths"]) for event in purge_server.events()] == [("Another title", [])]


def test_an_unpublish_purges_all_that_went(told: Bench, purge_server: PurgeServer) -> None:
    course(told, index_htm="one", l_pdf="pdf")
    publish(told)
    purge_server.asked.clear()
    publish(told, action="UNPUBLISH")
    below = "/cache/courses/physics/a"
    assert purge_server.purged_keys() == ["a", "courses"]
    assert purge_server.urls() == [below, f"{below}/", f"{below}/index.htm", f"{below}/l.pdf", f"{below}/packageslip.xml"]
    (event,) = purge_server.events()
    assert (event["event"], event["version"], event["paths"], event["type"]) == (
        "unpublished",
        None,
        ["index.htm", "l.pdf"],
        "course",
    )


def test_a_file_at_a_url_of_its_own_is_purged_there(told: Bench, purge_server: PurgeServer) -> None:
    slip = told.write("/sitemap.xml", {"x": "<urlset/>"}, module_type="course")
    (told.root / "site" / "sitemap.xml" / "x").rename(told.root / "site" / "sitemap.xml" / "keep")
    told.put_slip(replace(slip, resources=(replace(slip.resources[0], path=ITSELF, href="/sitemap.xml/keep"),)))
    publish(told, "/sitemap.xml")
    assert purge_server.urls() == ["/cache/sitemap.xml"]
    assert purge_server.purged_keys() == ["sitemap.xml", "courses"]


def test_a_file_that_a_task_made_is_told_like_any_other(told: Bench, purge_server: PurgeServer) -> None:
    publish(told, "/sitemap.xml", action="SITEMAP")
    assert purge_server.purged_keys() == ["sitemap.xml"]
    assert [(event["url"], event["paths"]) for event in purge_server.events()] == [("/sitemap.xml", ["."])]


def test_a_webhook_is_signed_over_its_time_and_its_bytes(told: Bench, purge_server: PurgeServer) -> None:
    course(told)
    publish(told)
    (asked,) = [asked for asked in purge_server.asked if "Slipway-Event" in asked.headers]
    message = asked.headers["Slipway-Timestamp"].encode() + b"." + asked.body
    # RFC 2104, by hand: not the code under test.
    key = b"s3cret-token".ljust(64, b"\0")
    inner = hashlib.sha256(bytes(byte ^ 0x36 for byte in key) + message).digest()
    outer = hashlib.sha256(bytes(byte ^ 0x5C for byte in key) + inner).hexdigest()
    assert asked.headers["Slipway-Signature"] == f"sha256={outer}"
    assert outer == hmac.new(b"s3cret-token", message, "sha256").hexdigest()
    assert asked.path == "/hook?x=1"
    assert asked.json["url"] == A
    assert asked.headers["Slipway-Id"] == asked.json["id"]


def test_the_receiver_in_the_manual_takes_ours_and_nothing_else(told: Bench, purge_server: PurgeServer) -> None:
    course(told)
    publish(told)
    manual = (Path(__file__).parents[2] / "docs/notices.md").read_text()
    names: dict[str, Any] = {"hmac": hmac, "time": time, "Mapping": Mapping}
    exec(manual.split("```python\n")[1].split("```")[0], names)
    is_ours = names["is_ours"]
    (asked,) = [asked for asked in purge_server.asked if "Slipway-Event" in asked.headers]
    assert is_ours(b"s3cret-token", asked.headers, asked.body)
    assert not is_ours(b"another key", asked.headers, asked.body)
    assert not is_ours(b"s3cret-token", asked.headers, asked.body + b" ")
    later = {**asked.headers, "Slipway-Timestamp": str(int(asked.headers["Slipway-Timestamp"]) + 1)}
    assert not is_ours(b"s3cret-token", later, asked.body)
    old = str(int(time.time()) - 3600)
    recorded = hmac.new(b"s3cret-token", old.encode() + b"." + asked.body, "sha256").hexdigest()
    assert not is_ours(b"s3cret-token", {"Slipway-Timestamp": old, "Slipway-Signature": f"sha256={recorded}"}, asked.body)


def test_a_holding_area_tells_nobody(told: Bench, purge_server: PurgeServer) -> None:
    course(told)
    views = publish(told)
    assert len(only(views, "DELIVER")) == 1
    assert len(purge_server.events()) == 1


def test_a_module_whose_type_changed_is_still_told_to_who_knew_it(told: Bench, purge_server: PurgeServer) -> None:
    course(told)
    publish(told)
    purge_server.asked.clear()
    told.write(A, {"index.htm": "one"}, module_type="page")
    publish(told)
    assert "courses" in purge_server.purged_keys()


def test_with_hundreds_of_changes_a_module_is_purged_as_a_whole(told: Bench, purge_server: PurgeServer) -> None:
    told.write(A, {"index.htm": "x"} | {f"p{number}.htm": "x" for number in range(400)}, module_type="course")
    publish(told)
    below = "/cache/courses/physics/a"
    assert f"{below}/" in purge_server.urls()
    assert not any("p1.htm" in url for url in purge_server.urls())
    prefixes = [asked.headers.get("Slipway-Purge-Prefix") for asked in purge_server.asked if asked.method == "PURGE"]
    assert [prefix for prefix in prefixes if prefix] == [f"{below}/"]
    (event,) = purge_server.events()
    assert (event["paths"], event["whole"]) == ([], True)


def test_a_dead_cdn_delays_nothing_and_gets_every_key_when_it_is_back(told: Bench, purge_server: PurgeServer) -> None:
    purge_server.stop()
    urls = [f"/courses/physics/{name}" for name in "abc"]
    for url in urls:
        told.write(url, {"index.htm": url}, module_type="course")
        told.insert(url)
    views = told.run()
    assert {view.task.state for view in only(views, "PUBLISH") + only(views, "DELIVER")} == {State.SUCCEEDED}
    open_now = [breaker.name for breaker in told.desk.breakers() if breaker.open]
    assert open_now == ["notice:cache", "notice:cdn", "notice:hook"]
    course(told, index_htm="again")
    told.insert(A)
    views = told.run()
    assert [view.task.state for view in only(views, "PUBLISH")] == [State.SUCCEEDED]
    purge_server.start()
    wait_until_told(told)
    assert sorted(purge_server.purged_keys()) == sorted(["a", "a", "b", "c", *["courses"] * 4])
    notifies = told.desk.find(action="NOTIFY")
    assert {task.state for task in notifies} == {State.SUCCEEDED}
    assert {task.attempts for task in notifies} == {1}
    assert not [breaker for breaker in told.desk.breakers() if breaker.open]


def wait_until_told(bench: Bench) -> None:
    for _ in range(400):
        bench.run()
        if all(task.state is State.SUCCEEDED for task in bench.desk.find(action="NOTIFY")):
            return
        time.sleep(0.02)
    raise AssertionError([(task.state, task.reason) for task in bench.desk.find(action="NOTIFY")])
