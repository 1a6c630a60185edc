"""Every small task by the real daemon's schedules: its output is what another program finds or what is written here by hand."""

import json
import signal
import subprocess
import xml.etree.ElementTree as ET
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest

from database import Database, Intake, NewTask
from packageslip import build_slip, write_slip
from support.deployment import Deploy, Deployment, eventually
from support.http_cms import Cms
from support.sshd import Account, Sshd

SITE = "https://ocw.example.edu"
COURSES = ("/courses/physics/8-01", "/courses/mathematics/18-06")
MODULES: dict[str, dict[str, str]] = {
    COURSES[0]: {"index.htm": '<a href="notes/l1.pdf">1</a><a href="gone.htm">?</a>', "notes/l1.pdf": "pdf"},
    COURSES[1]: {"index.htm": '<a href="/courses/physics/8-01/">8.01</a>', "week 1.htm": "<p>", "q&a.htm": "<p>"},
    "/about": {"index.htm": "about"},
}
RSS = '<rss version="2.0"><channel><title>News</title>{}</channel></rss>'
SCHEDULES: dict[str, dict[str, Any]] = {
    "news": {"action": "FETCH", "url": "/news.xml", "parameters": {"from": "/ours.xml", "merge": "/theirs.xml", "key": "guid"}},
    "lists": {
        "action": "FETCH",
        "url": "/courses/$name/$name.json",
        "parameters": {"each": "departments", "from": "$url/json_for_mobile"},
    },
    "sitemap": {"action": "SITEMAP", "url": "/sitemap.xml"},
    "zips": {"action": "ZIPLIST", "url": "/zips.txt", "parameters": {"base": "/ans15436/ZipForEndUsers"}},
    "redirects": {"action": "REDIRECTS", "url": "/redirects.map"},
    "links": {"action": "LINKCHECK", "url": "/links.json"},
    "exports": {"action": "EXPORT", "url": "/", "parameters": {"all": True}},
    "purge": {"action": "PURGE", "url": "/purge", "parameters": {"store": True}},
    "verify": {"action": "VERIFY", "url": "/courses", "parameters": {"all": True}},
}


MINUTELY = {
    "cron": "* * * * *",
    "environment": "PRODUCTION",
    "action": "CALL",
    "parameters": {"path": "/report"},
}
"""Fires while the others are at work."""


def item(number: int, words: str) -> str:
    return f"<item><title>{words}</title><guid>{number}</guid></item>"


def write(folder: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)


@pytest.fixture
def views(tmp_path: Path, cms: Callable[..., Cms]) -> Cms:
    folder = tmp_path / "views"
    write(
        folder,
        {
            "ours.xml": RSS.format(item(1, "one") + item(2, "two")),
            "theirs.xml": RSS.format(item(2, "zwei") + item(3, "three")),
            "courses/physics/json_for_mobile": '["physics"]',
            "report": "2 links are broken",
            **{f"{url[1:]}/export.json": json.dumps({"url": url}) for url in COURSES},
        },
    )
    return cms(folder, account=("engine", "word"))


@pytest.fixture
def origin(sshd: Sshd) -> Account:
    return sshd.fresh_site()


@pytest.fixture
def deployment(tmp_path: Path, views: Cms, sshd: Sshd, origin: Account, mariadb_url: str, deploy: Deploy) -> Deployment:
    for url, files in MODULES.items():
        folder = tmp_path / "cms" / url[1:]
        write(folder, files)
        kind = "course" if url in COURSES else "page"
        slip = build_slip(folder, url, module_type=kind, module_short_id=url.rpartition("/")[2])
        (folder / "packageslip.xml").write_bytes(write_slip(slip))
    write(tmp_path, {"secret": "word\n"})
    for name in ("downloads", "exports"):
        (tmp_path / name).mkdir()
    area = {"target": "downloads", "form": "download", "modules": {"types": ["course"]}}
    settings = sshd.settings().model_dump(exclude_unset=True)
    configuration = {
        "state_dir": str(tmp_path / "state"),
        "queue": {"url": mariadb_url, "poll": 0.1},
        "departments": {"8": "/courses/physics"},
        "sources": {
            "cms": {"kind": "directory", "path": str(tmp_path / "cms")},
            "views": {"kind": "http", "url": views.url, "username": "engine", "password": {"file": str(tmp_path / "secret")}},
        },
        "targets": {
            "origin": {name: value for name, value in settings.items() if value is not None} | {"root": origin.remote_root},
            **{name: {"kind": "local", "root": str(tmp_path / name)} for name in ("downloads", "exports")},
        },
        "environments": {
            "PRODUCTION": {
                "source": "cms",
                "views": "views",
                "origin": "origin",
                "site": SITE,
                "exports": {"target": "exports"},
                "holding_areas": [area],
            }
        },
        "schedules": {"report": MINUTELY},
    }
    return deploy(tmp_path / "slipway.toml", configuration)


def add_schedules(deployment: Deployment) -> None:
    """Schedules of which each missed a moment, so that the daemon, once it has read them, fires all of them at once."""
    lines = []
    database = Database.connect(deployment.url)
    for name, row in SCHEDULES.items():
        parameters = ", ".join(f"{key} = {json.dumps(value)}" for key, value in row.get("parameters", {}).items())
        lines += [
            f"[schedules.{name}]",
            'cron = "0 * * * *"\ncatch_up = true\nenvironment = "PRODUCTION"',
            f'action = "{row["action"]}"\nurl = "{row["url"]}"\nparameters = {{ {parameters} }}',
        ]
        earlier = NewTask("/about", "NOWHERE")
        Intake(database).fire(name, datetime.now(UTC) - timedelta(hours=5), earlier)
    database.close()
    deployment.config.write_text(deployment.config.read_text() + "\n".join(lines) + "\n")


def scheduled(deployment: Deployment) -> dict[str, Mapping[str, Any]]:
    """The first row of each schedule."""
    rows = deployment.rows("SELECT * FROM publication_task_queue WHERE requested_by LIKE 'schedule %' ORDER BY id DESC")
    return {row["requested_by"].removeprefix("schedule "): row for row in rows}


def files_of(root: Path, pattern: str) -> set[str]:
    """What `find` finds, less Slipway's own."""
    found = subprocess.run(
        ["find", root, "-name", ".slipway", "-prune", "-o", "-type", "f", "-name", pattern, "-printf", "/%P\\n"],
        capture_output=True,
        text=True,
        check=True,
    )
    return set(found.stdout.splitlines())


def test_every_small_task_runs_from_a_schedule(deployment: Deployment, origin: Account, views: Cms, tmp_path: Path) -> None:
    daemon = deployment.daemon()
    for url in MODULES:
        deployment.insert(url, "PRODUCTION")
    deployment.quiet()
    add_schedules(deployment)
    assert deployment.command("config", "check").returncode == 0
    daemon.send_signal(signal.SIGHUP)
    eventually(lambda: scheduled(deployment).keys() == {*SCHEDULES, "report"}, 120, "the schedules' rows")
    deployment.quiet()
    done = scheduled(deployment)
    assert {name: row["status"] for name, row in done.items()} == dict.fromkeys([*SCHEDULES, "report"], "SUCCEEDED"), (
        {name: row["reason"] for name, row in done.items()},
        deployment.tail(),
    )

    merged = RSS.format(item(1, "one") + item(2, "two") + item(3, "three"))
    assert (origin.root / "news.xml").read_text() == f"<?xml version='1.0' encoding='UTF-8'?>\n{merged}\n"
    assert (origin.root / "courses/physics/physics.json").read_text() == '["physics"]'
    assert done["report"]["reason"] == "views did /report and answered with '2 links are broken'"
    assert views.requests("/report")
    listed = [
        unquote(each.text or "") for each in ET.parse(origin.root / "sitemap.xml").getroot().iter() if each.tag.endswith("}loc")
    ]
    assert sorted(listed) == sorted(f"{SITE}{path.removesuffix('index.htm')}" for path in files_of(origin.root, "*.htm"))
    zips = files_of(tmp_path / "downloads", "*.zip")
    assert len(zips) == len(COURSES)
    assert (origin.root / "zips.txt").read_text() == "".join(sorted(f"/ans15436/ZipForEndUsers{path}\n" for path in zips))
    assert (origin.root / "redirects.map").read_text().count("map $uri") == 2
    report = json.loads((origin.root / "links.json").read_text())
    assert [(each["page"], [link["link"] for link in each["links"]]) for each in report["findings"]] == [
        (f"{COURSES[0]}/", ["gone.htm"])
    ]
    exported = files_of(tmp_path / "exports", "export.json")
    assert {path: json.loads((tmp_path / "exports" / path[1:]).read_text()) for path in exported} == {
        f"{url}/export.json": {"url": url} for url in COURSES
    }
    assert "rows and" in done["purge"]["reason"]
    verified = deployment.rows("SELECT url, status FROM publication_task_queue WHERE action = 'VERIFY' AND parent IS NOT NULL")
    assert {row["status"] for row in verified} == {"SUCCEEDED"}
    assert {row["url"] for row in verified} >= set(COURSES)
    listing = json.loads(deployment.command("schedule", "list", "--json").stdout)["schedules"]
    assert all(one["last_fired"] and one["next"] for one in listing)
