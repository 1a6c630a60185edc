"""`slipway package`: by hand, from what is live, from a source, from a folder."""

import io
import json
import os
import shutil
import threading
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from cli import slipway
from packageslip import build_slip, write_slip
from support.small_site import SmallSite

PAGE = '<link rel="stylesheet" href="/styles/site.css"><a href="notes/l1.pdf">1</a><a href="/about">about</a>'
PACKAGES = '[packages]\nshared = ["/styles"]\nsite = "https://knots.example.org"\n'


def run(*words: str | Path, config: Path | None = None) -> Result:
    before = ["-c", str(config)] if config else []
    return CliRunner().invoke(slipway, [*before, "package", *map(str, words)])


def fill(root: Path, module: str = "knots") -> None:
    for path, text in {f"{module}/index.htm": PAGE, f"{module}/notes/l1.pdf": "one", "styles/site.css": "a { b: c }"}.items():
        place = root / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text)


def names(package: Path) -> list[str]:
    with zipfile.ZipFile(package) as archive:
        return archive.namelist()


@pytest.fixture
def site(tmp_path: Path) -> Path:
    fill(tmp_path / "site")
    (tmp_path / "slipway.toml").write_text(PACKAGES)
    return tmp_path / "site"


def test_a_folder_becomes_a_package_that_passes_the_check(site: Path, tmp_path: Path) -> None:
    out = tmp_path / "knots.zip"
    config = tmp_path / "slipway.toml"
    result = run("build", site / "knots", "--form", "imscp", "-o", out, "--root", site, config=config)
    assert result.exit_code == 0, result.output
    assert result.stdout == ""
    assert "/knots: 2 resources, written to" in result.stderr
    assert "knots/common/styles/site.css" in names(out)
    assert "knots/contents/notes/l1.pdf.xml" in names(out)
    assert list(tmp_path.glob(".*")) == []
    checked = run("check", out)
    assert checked.exit_code == 0
    assert checked.stdout.splitlines() == [
        "warning: knots/ReadMe.txt: is in the package and not in the manifest",
        "warning: knots/START.htm: is in the package and not in the manifest",
    ]
    assert "0 failures, 2 warnings" in checked.stderr
    document = json.loads(run("check", "--json", out).stdout)
    assert document["good"] is True
    assert document["findings"][0] == {
        "outcome": "warning",
        "where": "knots/ReadMe.txt",
        "sentence": "is in the package and not in the manifest",
    }


def test_a_package_can_go_into_a_pipe_that_stays_one(site: Path, tmp_path: Path) -> None:
    pipe, read = tmp_path / "pipe", bytearray()
    os.mkfifo(pipe)
    reader = threading.Thread(target=lambda: read.extend(pipe.read_bytes()))
    reader.start()
    result = run("build", site / "knots", "--form", "download", "-o", pipe)
    reader.join(30)
    assert result.exit_code == 0, result.output
    assert result.stderr.endswith(f"written to {pipe}\n")
    assert pipe.is_fifo()
    assert zipfile.ZipFile(io.BytesIO(read)).testzip() is None
    assert run("build", site / "knots", "--form", "download", "-o", site).exit_code == 1


def test_a_shared_module_that_is_not_there_is_named(site: Path, tmp_path: Path) -> None:
    config, out = tmp_path / "slipway.toml", tmp_path / "knots.zip"
    shutil.rmtree(site / "styles")
    words = ("build", site / "knots", "--form", "download", "-o", out)
    assert "without the shared module /styles" in run(*words, "--root", site, config=config).stderr
    assert "without" not in run(*words, config=config).stderr


def test_a_folders_own_slip_gives_url_titles_and_order(site: Path, tmp_path: Path) -> None:
    folder = site / "knots"
    (folder / "a.txt").write_text("a")
    (folder / "a.txt.xml").write_text("<lom><general><title><string>A</string></title></general></lom>")
    slip = build_slip(folder, "/courses/knots", title="Knots", module_short_id="knots-2026")
    order = {"a.txt": 9, "notes/l1.pdf": 1}
    resources = [
        replace(each, order=order.get(each.path), title=f"T {each.path}") for each in slip.resources if "xml" not in each.path
    ]
    (folder / "packageslip.xml").write_bytes(write_slip(replace(slip, resources=tuple(resources))))
    out = tmp_path / "knots.zip"
    assert run("build", folder, "--form", "imscp", "-o", out, "--media").exit_code == 0
    with zipfile.ZipFile(out) as archive:
        manifest = archive.read("imsmanifest.xml").decode()
        assert archive.read("knots-2026/contents/a.txt.xml").startswith(b"<lom><general>"), "a sidecar of the folder is one"
        assert "knots-2026/contents/a.txt.xml.xml" not in archive.namelist()
    assert "T a.txt" in manifest
    assert "urn_org.example_knots" in manifest
    assert run("build", folder, "--form", "download", "-o", out, "--url", "/other/name").exit_code == 0


def test_a_folder_alone_is_named_after_itself(site: Path, tmp_path: Path) -> None:
    out = tmp_path / "knots.zip"
    assert run("build", site / "knots", "--form", "download", "-o", out).exit_code == 0
    assert "knots/START.htm" in names(out)
    assert run("build", site, "--root", site, "--form", "download", "-o", out).exit_code == 0


@pytest.mark.parametrize("form", ["mets", "saf", "bagit"])
def test_other_forms_are_built_too(site: Path, tmp_path: Path, form: str) -> None:
    out = tmp_path / "knots.zip"
    assert run("build", site / "knots", "--form", form, "-o", out).exit_code == 0
    assert zipfile.is_zipfile(out)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["nowhere", "--form", "imscp"], "name the environment with --from"),
        ([".", "--form", "other"], "'other' is not one of"),
        ([".", "--form", "imscp", "--source"], "--source asks the source of an environment"),
        (["/x", "--form", "imscp", "--from", "LIVE", "--url", "/y"], "choose one"),
        (["/x", "--form", "imscp", "--from", "LIVE"], "there is no environment LIVE"),
        (["/", "--form", "imscp", "--root", "ROOT"], "does not lie below"),
    ],
)
def test_what_cannot_be_meant_is_a_usage_error(site: Path, tmp_path: Path, words: list[str], said: str) -> None:
    words = [str(site) if word == "ROOT" else word for word in words]
    result = run("build", *words, "-o", tmp_path / "x.zip", config=tmp_path / "slipway.toml")
    assert result.exit_code == 2
    assert said in result.stderr


def test_what_cannot_be_packed_leaves_no_file(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    out = tmp_path / "x.zip"
    out.write_text("before")
    result = run("build", tmp_path / "empty", "--form", "imscp", "-o", out)
    assert result.exit_code == 1
    assert "nothing to pack" in result.stderr
    assert out.read_text() == "before"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["empty", "x.zip"]


def test_a_bad_package_fails_the_check(tmp_path: Path) -> None:
    (tmp_path / "x.zip").write_text("no zip")
    result = run("check", tmp_path / "x.zip")
    assert result.exit_code == 1
    assert result.stdout.startswith("failure: x.zip: is no readable zip")
    assert run("check", tmp_path / "none.zip").exit_code == 2


def test_what_is_live_is_packed_and_what_the_source_has(small_site: SmallSite, tmp_path: Path) -> None:
    fill(small_site.folder / "cms", "rope")
    small_site.config.write_text(small_site.config.read_text() + PACKAGES)
    out = tmp_path / "rope.zip"
    build = ["package", "build", "/rope", "--form", "download", "-o", str(out), "--from", "STAGING"]
    result = small_site.run(*build)
    assert result.exit_code == 1
    assert "/rope is not published in STAGING" in result.stderr
    assert small_site.run("publish", "/rope", "/styles", "--to", "STAGING", "--now").exit_code == 0
    result = small_site.run(*build)
    assert result.exit_code == 0, result.output
    assert "rope/common/styles/site.css" in names(out)
    live = out.read_bytes()
    (small_site.folder / "cms/rope/notes/l1.pdf").write_text("two")
    shutil.rmtree(small_site.folder / "state/store")
    assert small_site.run(*build).exit_code == 0, "the origin has what the store lacks"
    assert out.read_bytes() == live
    assert small_site.run(*build, "--source").exit_code == 0
    assert out.read_bytes() != live
