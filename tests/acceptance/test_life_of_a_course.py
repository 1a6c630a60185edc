"""The life of a course: staged, approved, published, delivered, mirrored, exported, retired, and replaced by its tombstone.

The page tree is that of a real course, 18.06; its binary bodies are stand-ins (support.linear_algebra says which).
docs/life-of-a-course.md walks through the same steps.
"""

import hashlib
import json
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from packageslip import Kind, read_slip
from support.deployment import Deploy, Deployment, tree
from support.http_cms import Cms
from support.linear_algebra import COURSE, DEPARTMENT, IMAGES, SHORT, LinearAlgebra
from support.purge_server import PurgeServer
from support.sshd import StartSshd
from support.sword_server import ACCOUNT as DEPOSITOR
from support.sword_server import SwordServer

SITE = "https://ocw.example.edu"
PLACES = ("staging", "production")
FOLDERS = ("download", "mirror-area", "dspace", "zips", "exports", "retired", "mirror")
ACCOUNT = ("engines", "secret-of-the-cms")


@dataclass
class Life:
    """The course at its CMS, the installation, and the roots of its targets by name."""

    course: LinearAlgebra
    cms: Cms
    roots: Mapping[str, Path]
    deployment: Deployment
    purges: PurgeServer
    archive: SwordServer
    seen: int = field(default=0)

    def run(self, environment: str, url: str = COURSE, **columns: object) -> dict[str, Any]:
        """One row, as an operator inserts it, and everything that follows from it."""
        self.cms.log.clear()
        row = self.deployment.settled(self.deployment.insert(url, environment, **columns))
        assert row["status"] == "SUCCEEDED", f"{row['status']}: {row['reason']}\n{self.deployment.tail()}"
        self.deployment.quiet()
        return dict(row)

    def files(self, target: str, url: str) -> dict[str, Any]:
        """What lies below a URL on a target, but for the public slip."""
        return {path: leaf for path, leaf in tree(self.roots[target] / url.strip("/")).items() if path != "packageslip.xml"}

    def sent(self, url: str = COURSE) -> list[str]:
        """Paths of a module whose bytes the CMS sent, slips apart, in order of their names; "not modified" sends none."""
        start = url + "/"
        paths = [access.path for access in self.cms.log if access.path.startswith(start) and access.status == 200]
        return sorted(path.removeprefix(start) for path in paths if not path.endswith("packageslip.xml"))

    def counts(self) -> dict[str, int]:
        """How many files of the course lie on each target that has any."""
        found = {target: len(self.files(target, COURSE)) for target in self.roots}
        return {target: number for target, number in found.items() if number}

    def feeds(self) -> dict[str, list[str]]:
        """The titles that the department's feed lists, on each origin that has it."""
        files = {place: self.roots[place] / DEPARTMENT[1:] / "rss.xml" for place in PLACES}
        return {
            place: [str(item.findtext("title")) for item in ET.fromstring(file.read_bytes()).iter("item")]
            for place, file in files.items()
            if file.exists()
        }

    def listed(self) -> set[str]:
        """The course's pages in the sitemap, as paths in the course; index pages go by their folder."""
        file = self.roots["production"] / "sitemap.xml"
        if not file.exists():
            return set()
        found = ET.fromstring(file.read_bytes()).iter("{http://www.sitemaps.org/schemas/sitemap/0.9}loc")
        start = f"{SITE}{COURSE}/"
        return {str(location.text).removeprefix(start) for location in found if str(location.text).startswith(start)}

    def zips(self) -> list[str]:
        """The lines of the zip list."""
        file = self.roots["production"] / "zips.txt"
        return file.read_text().split() if file.exists() else []

    def purged(self) -> set[str]:
        """The surrogate keys that were purged since the last time."""
        keys = self.purges.purged_keys()
        new, self.seen = keys[self.seen :], len(keys)
        return set(new)


@pytest.fixture
def life(
    linear_algebra: LinearAlgebra,
    tmp_path: Path,
    cms: Callable[..., Cms],
    start_sshd: StartSshd,
    mariadb_url: str,
    deploy: Deploy,
    purge_server: PurgeServer,
    sword_server: Callable[..., SwordServer],
) -> Life:
    server = cms(linear_algebra.folder, account=ACCOUNT)
    ssh = start_sshd(accounts=2)
    roots = {name: account.root for name, account in zip(PLACES, ssh.accounts, strict=True)}
    targets: dict[str, Any] = {
        name: {
            "kind": "sftp",
            "host": ssh.host,
            "port": ssh.port,
            "user": account.user,
            "key": account.key,
            "root": account.remote_root,
            "known_hosts": ssh.known_hosts,
        }
        for name, account in zip(PLACES, ssh.accounts, strict=True)
    }
    for name in FOLDERS:
        roots[name] = tmp_path / name
        roots[name].mkdir()
        targets[name] = {"kind": "local", "root": str(roots[name]), "durability": "none"}
    targets["mirror"] |= {"area": str(tmp_path / "mirror-area-of-slipway"), "public_slip": False}
    archive = sword_server(tmp_path / "archive")
    for name, secret in (("cms", ACCOUNT[1]), ("cdn", "token-of-the-cdn"), ("archive", DEPOSITOR[1])):
        (tmp_path / f"{name}.secret").write_text(secret)
    configuration = {
        "state_dir": str(tmp_path / "state"),
        "queue": {"url": mariadb_url, "poll": 0.1},
        "engine": {"linger": 60},
        "sources": {
            "cms": {
                "kind": "http",
                "url": server.url,
                "username": ACCOUNT[0],
                "password": {"file": str(tmp_path / "cms.secret")},
            }
        },
        "targets": targets,
        "packages": {"site": SITE, "shared": [IMAGES], "namespace": "edu.example.ocw"},
        "notices": {
            "cdn": {
                "kind": "fastly",
                "api": purge_server.url,
                "service": "ocw",
                "token": {"file": str(tmp_path / "cdn.secret")},
                "classes": {"courses": {"urls": ["/courses"]}, "images": {"urls": [IMAGES]}},
            }
        },
        "archives": {
            "dspace": {
                "kind": "sword2",
                "deposits": {"default": archive.collection()},
                "username": DEPOSITOR[0],
                "password": {"file": str(tmp_path / "archive.secret")},
            }
        },
        "environments": {
            "STAGING": {
                "source": "cms",
                "origin": "staging",
                "holding_areas": [
                    {"target": "download", "form": "download", "modules": {"types": ["course"], "urls": ["/terms"]}},
                    {"target": "mirror-area"},
                    {"target": "dspace", "modules": {"types": ["course"]}},
                ],
            },
            "PRODUCTION": {
                "source": "target:staging",
                "origin": "production",
                "views": "cms",
                "site": SITE,
                "notices": ["cdn"],
                "holding_areas": [{"target": "zips", "form": "download", "modules": {"types": ["course"]}}],
                "exports": {"target": "exports"},
            },
            "MIRROR": {
                "source": "target:production",
                "origin": "mirror",
                "default_action": "SNAPSHOT",
                "snapshot": {"site": [SITE], "zips": "zips"},
            },
            "DSPACE": {
                "source": "target:dspace",
                "origin": "retired",
                "views": "cms",
                "default_action": "RETIRE",
                "retire": {"archive": "dspace", "form": "imscp", "media": False, "metadata": "$url/$path.lom"},
            },
        },
        "departments": {"18": DEPARTMENT},
    }
    deployment = deploy(tmp_path / "slipway.toml", configuration)
    return Life(linear_algebra, server, roots, deployment, purge_server, archive)


def test_the_life_of_a_course(life: Life) -> None:
    life.deployment.daemon()
    _it_is_staged(life)
    _it_is_approved_and_published(life)
    _lists_of_what_is_live_show_it(life)
    _a_correction_moves_what_changed(life)
    _the_mirror_has_it(life)
    _it_is_retired(life)
    _a_tombstone_takes_its_place(life)


def _it_is_staged(life: Life) -> None:
    life.run("STAGING", IMAGES)
    life.run("STAGING")
    every = life.course.count() + 1
    assert life.sent() == sorted([*life.course.leaves, "index.json"]), "each file is fetched once, whoever gets it"
    assert life.counts() == {"staging": every, "mirror-area": every, "dspace": every, "download": 1}
    assert sorted(life.files("download", COURSE)) == [f"{SHORT}.zip"]
    assert life.feeds() == {"staging": ["Linear Algebra"]}, "the department is published after its course"
    assert (life.listed(), life.zips(), life.purged()) == (set(), [], set())


def _it_is_approved_and_published(life: Life) -> None:
    life.run("PRODUCTION", IMAGES)
    assert life.purged() == {"images"}
    life.run("PRODUCTION", DEPARTMENT)
    assert life.purged() == {"mathematics", "courses"}, "the class covers the department's feed"
    life.course.publish("published_in_production")
    life.run("STAGING")
    assert life.sent() == ["index.json"], "nothing changed but the course's state"
    life.run("PRODUCTION")
    assert life.sent() == ["index.json"], "production has the bytes that were approved; only views are made anew"
    every = life.course.count() + 1
    staged = {"staging": every, "mirror-area": every, "dspace": every, "download": 1}
    assert life.counts() == staged | {"production": every, "zips": 1}
    assert life.feeds() == {"staging": ["Linear Algebra"], "production": ["Linear Algebra"]}
    assert (life.listed(), life.zips(), life.purged()) == (set(), [], {SHORT, "courses"})
    _the_zip_has_no_video(life)


def _the_zip_has_no_video(life: Life) -> None:
    with zipfile.ZipFile(life.roots["zips"] / COURSE[1:] / f"{SHORT}.zip") as package:
        names = package.namelist()
    inside = [name for name in names if name.startswith(f"{SHORT}/contents/")]
    assert len(inside) == life.course.count() - life.course.count(Kind.MEDIA)
    assert not [name for name in names if name.endswith(".mp4")], "video is never in a package by accident"
    assert len([name for name in names if "/common/images/" in name]) == len(life.course.shared)


def _lists_of_what_is_live_show_it(life: Life) -> None:
    before = life.counts()
    life.run("PRODUCTION", "/sitemap.xml", action="SITEMAP")
    life.run("PRODUCTION", "/zips.txt", action="ZIPLIST", parameters=json.dumps({"base": f"{SITE}/zips"}))
    assert life.sent() == [], "lists are made of what is known to be live"
    life.run("PRODUCTION", "/", action="EXPORT", parameters='{"all": true}')
    assert life.sent() == ["export.json"]
    assert life.counts() == before | {"exports": 1}
    assert json.loads((life.roots["exports"] / COURSE[1:] / "export.json").read_bytes())["export"] is True
    pages = {path.removesuffix("index.htm") for path, leaf in life.course.leaves.items() if leaf.resource.kind is Kind.PAGE}
    assert life.listed() == pages
    assert life.zips() == [f"{SITE}/zips{COURSE}/{SHORT}.zip"]
    assert life.feeds()["production"] == ["Linear Algebra"]
    assert life.purged() == {"sitemap.xml", "zips.txt"}


def _a_correction_moves_what_changed(life: Life) -> None:
    page, before, listed = "syllabus/index.htm", life.counts(), life.listed()
    life.course.publish("published_in_production", **{page: b"<html><body>Corrected</body></html>"})
    assert _moved(life.run("STAGING")) == (1, 0)
    assert life.sent() == ["index.json", page]
    assert _moved(life.run("PRODUCTION")) == (1, 0)
    assert life.sent() == ["index.json"]
    assert (life.roots["production"] / COURSE[1:] / page).read_bytes() == b"<html><body>Corrected</body></html>"
    assert (life.counts(), life.listed(), life.purged()) == (before, listed, {SHORT, "courses"})


def _moved(row: Mapping[str, Any]) -> tuple[int, int]:
    words = str(row["reason"]).split(": ", 1)[1].split()
    return int(words[0]), int(words[3])


def _the_mirror_has_it(life: Life) -> None:
    before = life.counts()
    life.run("MIRROR", "/")
    assert life.sent() == [], "the mirror is made of what production published"
    assert life.counts() == before | {"mirror": life.course.count() + 1}
    assert len(life.files("mirror", IMAGES)) == len(life.course.shared)
    assert (life.roots["mirror"] / f"zips{COURSE}/{SHORT}.zip").exists()
    assert life.purged() == set()


def _it_is_retired(life: Life) -> None:
    before = life.counts()
    life.course.publish("retired")
    life.run("STAGING")
    life.run("PRODUCTION")
    assert life.purged() == {SHORT, "courses"}
    refused = life.deployment.settled(life.deployment.insert(COURSE, "PRODUCTION", action="UNPUBLISH"))
    assert refused["status"] == "FAILED"
    assert "no deposit of it is known" in refused["reason"]
    life.run("DSPACE")
    packed = [path for path, leaf in life.course.leaves.items() if leaf.resource.kind is not Kind.MEDIA]
    assert life.sent() == sorted([*(f"{path}.lom" for path in packed), "set_dspace_handle"])
    (told,) = [access for access in life.cms.log if access.path.endswith("/set_dspace_handle")]
    assert told.headers["Authorization"].startswith("Basic ")
    (item,) = life.archive.items
    package = life.roots["retired"] / COURSE[1:] / f"{SHORT}.zip"
    assert item.md5 == hashlib.md5(package.read_bytes()).hexdigest()
    assert life.deployment.rows("SELECT handle FROM deposit")[0]["handle"] == item.handle
    retired = {path for path in life.files("retired", COURSE) if not path.startswith("tombstone/")}
    assert retired == {f"{SHORT}.zip", "receipt.xml", "deposit.json"}
    assert life.counts() == before | {"retired": len(life.files("retired", COURSE))}, "retiring removes nothing"
    assert life.purged() == set()


def _a_tombstone_takes_its_place(life: Life) -> None:
    life.course.listed = False
    life.course.write()
    for environment in ("PRODUCTION", "STAGING"):
        life.run(environment, action="UNPUBLISH")
    assert life.sent() == []
    assert life.purged() == {SHORT, "courses", "mathematics"}
    for place in PLACES:
        _a_page_says_where_it_is(life, place)
    left = {"staging": 2, "production": 2, "download": 1, "zips": 1}
    assert {target: number for target, number in life.counts().items() if target not in {"retired", "mirror", "exports"}} == left
    life.run("STAGING", DEPARTMENT)
    life.run("PRODUCTION", DEPARTMENT)
    assert life.feeds() == {"staging": [], "production": []}
    life.run("PRODUCTION", "/sitemap.xml", action="SITEMAP")
    assert life.listed() == {""}, "the tombstone's page"
    _a_person_lets_the_mirror_shrink(life)
    assert sorted(life.files("mirror", COURSE)) == [f"{SHORT}.zip", "index.htm"]
    assert len(life.archive.items) == 1


def _a_page_says_where_it_is(life: Life, place: str) -> None:
    assert sorted(life.files(place, COURSE)) == [f"{SHORT}.zip", "index.htm"]
    (item,) = life.archive.items
    assert str(item.handle) in (life.roots[place] / COURSE[1:] / "index.htm").read_text()
    slip = read_slip((life.roots[place] / COURSE[1:] / "packageslip.xml").read_bytes(), place)
    assert slip.module_type == "tombstone"


def _a_person_lets_the_mirror_shrink(life: Life) -> None:
    """A mirror that would lose most of its files asks first, as every publish does."""
    number = life.deployment.insert("/", "MIRROR")
    held = life.deployment.settled(number)
    assert held["status"] == "HELD", held["reason"]
    assert "would drop 256 of its" in held["reason"]
    life.deployment.command("queue", "approve", str(number), "--yes")
    life.deployment.quiet()
    assert life.deployment.task(number)["status"] == "SUCCEEDED", life.deployment.task(number)["reason"]
