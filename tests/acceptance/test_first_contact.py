"""An origin that somebody else filled: equal files are adopted, different ones wait for a person, who approves by SQL."""

import hashlib
import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa

from packageslip import build_slip, write_slip
from support.deployment import Deploy, Deployment, digests, tree
from support.sshd import Sshd, StartSshd

URL = "/courses/physics/8-01"


@pytest.fixture
def origin(start_sshd: StartSshd) -> Sshd:
    return start_sshd(logged=True)


@pytest.fixture
def deployment(tmp_path: Path, origin: Sshd, mariadb_url: str, deploy: Deploy) -> Deployment:
    module = tmp_path / "cms" / URL[1:]
    module.mkdir(parents=True)
    for name in ("index.htm", "syllabus.htm", "notes.pdf"):
        (module / name).write_text(f"new {name}", encoding="utf-8")
    (module / "packageslip.xml").write_bytes(write_slip(build_slip(module, URL)))
    account = origin.accounts[0]
    configuration = {
        "state_dir": str(tmp_path / "state"),
        "queue": {"url": mariadb_url},
        "sources": {"cms": {"kind": "directory", "path": str(tmp_path / "cms")}},
        "targets": {
            "origin": {
                "kind": "sftp",
                "host": origin.host,
                "port": origin.port,
                "user": account.user,
                "key": account.key,
                "root": account.remote_root,
                "known_hosts": origin.known_hosts,
            },
        },
        "environments": {"STAGING": {"source": "cms", "origin": "origin"}},
    }
    return deploy(tmp_path / "slipway.toml", configuration)


def _give(origin: Sshd, path: str, content: str) -> None:
    """A file that lay on the origin before, owned by the account."""
    file = origin.accounts[0].root / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(content, encoding="utf-8")
    owner = origin.accounts[0].root.stat()
    for place in (file, *file.parents):
        if place == origin.accounts[0].root:
            break
        os.chown(place, owner.st_uid, owner.st_gid)


def test_equal_files_are_adopted_and_different_ones_wait_for_a_person(
    deployment: Deployment, origin: Sshd, operator_url: Callable[[str], str], tmp_path: Path
) -> None:
    root = origin.accounts[0].root
    module = URL[1:]
    _give(origin, f"{module}/index.htm", "new index.htm")
    _give(origin, f"{module}/syllabus.htm", "somebody else's")
    _give(origin, f"{module}/old-stuff.txt", "not in any slip")
    deployment.daemon()

    task = deployment.insert(URL, "STAGING")
    row = deployment.settled(task)
    assert row["status"] == "HELD", f"{row['status']} {row['reason']}\n{deployment.tail()}"
    assert "syllabus.htm" in row["reason"]
    assert digests(tree(root)) == _as_text(module, index="new index.htm", syllabus="somebody else's")

    with sa.create_engine(operator_url(deployment.url), poolclass=sa.NullPool).begin() as operator:
        plan = operator.execute(sa.text("SELECT digest FROM plan WHERE task = :task"), {"task": task}).scalar_one()
        approval = json.dumps({"task": task, "plan": plan, "adopt": True})
        operator.execute(
            sa.text(
                "INSERT INTO publication_task_queue (url, environment, action, parameters, requested_by)"
                " VALUES (:url, 'STAGING', 'APPROVE', :parameters, 'night operator')",
            ),
            {"url": URL, "parameters": approval},
        )
    deployment.quiet()
    row = deployment.task(task)
    assert row["status"] == "SUCCEEDED", f"{row['status']} {row['reason']}\n{deployment.tail()}"
    live = digests(tree(root))
    wanted = {f"{module}/{path}": digest for path, digest in digests(tree(tmp_path / "cms" / module)).items()}
    assert {path: live[path] for path in wanted} == wanted
    assert (root / module / "old-stuff.txt").read_text(encoding="utf-8") == "not in any slip"
    into = [line.split('"')[3] for line in origin.log.splitlines() if "rename " in line and line.count('"') >= 4]
    assert f"{root}/{module}/index.htm" not in into, "equal bytes are adopted, not sent again"


def _as_text(module: str, *, index: str, syllabus: str) -> dict[str, str]:
    texts = {"index.htm": index, "syllabus.htm": syllabus, "old-stuff.txt": "not in any slip"}
    return {f"{module}/{name}": hashlib.sha256(text.encode()).hexdigest() for name, text in texts.items()}
