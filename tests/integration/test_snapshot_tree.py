"""A whole mirror against one that was written by hand, on a folder and over SSH."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from support import expected_mirror
from support.link_checker import broken_links
from support.mirrored_site import MirroredSite, StartSite
from support.sshd import IS_ROOT, Sshd

SCRIPT = Path(expected_mirror.__file__)


def build_expected(folder: Path, out: str) -> Path:
    """By a process of its own, in which nothing of ours can be imported."""
    subprocess.run([sys.executable, "-I", str(SCRIPT), str(folder), out], check=True, cwd="/", env={})
    return folder


def differences(expected: Path, there: str, *options: str) -> str:
    """What rsync would do to make them equal, reading every byte. Times of folders are nobody's (-O)."""
    command = ["rsync", "-n", "-a", "-i", "-c", "-O", "--delete", *options, f"{expected}/", there]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=dict(os.environ))
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.skipif(shutil.which("rsync") is None, reason="no rsync here: apt-get install rsync")
def test_the_mirror_is_the_one_that_was_written_by_hand(mirrored_site: MirroredSite, tmp_path: Path) -> None:
    mirrored_site.bench.well("/", "MIRROR")
    mirror = mirrored_site.mirror
    found = {path.relative_to(mirror).as_posix(): path.read_bytes() for path in mirror.rglob("*") if path.is_file()}
    wanted = {path: content for path, (content, _) in mirrored_site.expected.items()}
    assert sorted(found) == sorted(wanted)
    for path, content in wanted.items():
        assert found[path].split(b"\n") == content.split(b"\n"), path
    expected = build_expected(tmp_path / "expected", mirrored_site.outside.url)
    assert differences(expected, f"{mirror}/") == ""
    assert list(broken_links(mirror)) == []


@pytest.mark.skipif(shutil.which("rsync") is None, reason="no rsync here: apt-get install rsync")
def test_it_is_the_same_over_ssh(tmp_path: Path, start_mirrored_site: StartSite, sshd: Sshd) -> None:
    home = sshd.fresh_site()
    for folder in ("public", "area"):
        (home.root / folder).mkdir()
        if IS_ROOT:
            shutil.chown(home.root / folder, home.user, home.user)
    settings = sshd.settings(root=f"{home.remote_root}/public", area=f"{home.remote_root}/area", public_slip=False)
    made = start_mirrored_site(settings.model_dump(mode="json"))
    made.bench.well("/", "MIRROR")
    expected = build_expected(tmp_path / "expected", made.outside.url)
    for path in [expected, *expected.rglob("*")] if IS_ROOT else []:
        shutil.chown(path, home.user, home.user)
    remote = f"ssh -p {sshd.port} -i {home.key} -o UserKnownHostsFile={sshd.known_hosts} -o BatchMode=yes"
    assert differences(expected, f"{home.user}@{sshd.host}:{home.remote_root}/public/", "-e", remote) == ""


def test_the_checks_would_see_a_difference(mirrored_site: MirroredSite, tmp_path: Path) -> None:
    mirrored_site.bench.well("/", "MIRROR")
    expected = build_expected(tmp_path / "expected", mirrored_site.outside.url)
    page = mirrored_site.mirror / "courses/physics/8-02/index.htm"
    page.write_bytes(page.read_bytes().replace(b"8-01/index.htm", b"8-01/INDEX.htm"))
    assert "courses/physics/8-02/index.htm" in differences(expected, f"{mirrored_site.mirror}/")
    assert list(broken_links(mirrored_site.mirror)) == [("courses/physics/8-02/index.htm", "../8-01/INDEX.htm")]
