"""`slipway slip`."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from cli import slipway
from packageslip import read_catalogue, read_slip

SITE = Path(__file__).resolve().parents[2] / "demo" / "site"


def run(*words: str) -> Result:
    return CliRunner().invoke(slipway, ["slip", *words])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place = tmp_path / "course"
    (place / "notes").mkdir(parents=True)
    (place / "index.html").write_text("<h1>Knots</h1>")
    (place / "notes" / "l1.txt").write_text("bowline")
    return place


def test_build_writes_a_slip_that_check_accepts(folder: Path, tmp_path: Path) -> None:
    slip = tmp_path / "slip.xml"
    result = run("build", str(folder), "--url", "/knots", "-o", str(slip), "--type", "course", "--title", "Knots")
    assert result.exit_code == 0, result.output
    assert "2 resources" in result.stderr
    made = read_slip(slip.read_bytes(), "slip", url="/knots")
    assert [resource.path for resource in made.resources] == ["index.html", "notes/l1.txt"]
    assert (made.module_type, made.title) == ("course", "Knots")
    assert run("check", str(slip)).exit_code == 0


def test_build_writes_to_stdout_and_talks_on_stderr(folder: Path) -> None:
    result = run("build", str(folder), "--url", "/knots")
    assert result.stdout.startswith("<?xml")
    assert result.stdout.rstrip().endswith("</packageslip>")


def test_build_keeps_what_the_previous_slip_says(folder: Path, tmp_path: Path) -> None:
    slip = tmp_path / "slip.xml"
    run("build", str(folder), "--url", "/knots", "-o", str(slip), "--title", "Knots")
    (folder / "new.txt").write_text("new")
    again = run("build", str(folder), "--url", "/knots", "--previous", str(slip))
    assert read_slip(again.stdout_bytes, "again").title == "Knots"


def test_build_refuses_a_bad_url(folder: Path) -> None:
    result = run("build", str(folder), "--url", "knots/")
    assert result.exit_code == 5
    assert result.stdout == ""
    assert "Traceback" not in result.stderr


def test_a_catalogue_lists_each_folder_with_a_slip(folder: Path, tmp_path: Path) -> None:
    run("build", str(folder), "--url", "/course", "-o", str(folder / "packageslip.xml"), "--type", "course")
    (tmp_path / "empty").mkdir()
    listed = run("catalogue", str(tmp_path), "-o", str(tmp_path / "packageslips.xml"))
    assert (listed.exit_code, listed.stderr) == (0, f"1 module, written to {tmp_path}/packageslips.xml\n")
    assert run("catalogue", str(tmp_path)).stdout_bytes == (tmp_path / "packageslips.xml").read_bytes()
    [entry] = read_catalogue((tmp_path / "packageslips.xml").read_bytes(), "catalogue")
    assert (entry.url, entry.module_type) == ("/course", "course")


def test_check_names_line_and_rule_of_every_fault(tmp_path: Path) -> None:
    bad = tmp_path / "bad.xml"
    bad.write_text(
        '<packageslip xmlns="urn:slipway:packageslip:1" url="/knots">\n<resources count="2">\n'
        '<resource path="../up.html"/>\n<resource path="a//b"/>\n</resources>\n</packageslip>\n'
    )
    result = run("check", str(bad))
    assert result.exit_code == 5
    assert "line 3" in result.stdout
    assert "line 4" in result.stdout
    document = json.loads(run("check", "--json", str(bad)).stdout)
    assert document["version"] == 1
    assert {fault["line"] for fault in document["files"][str(bad)]} >= {3, 4}


def test_check_of_a_missing_file_is_a_usage_error(tmp_path: Path) -> None:
    assert run("check", str(tmp_path / "none.xml")).exit_code == 2


def test_diff_tells_what_publishing_would_do(folder: Path, tmp_path: Path) -> None:
    old, new = tmp_path / "old.xml", tmp_path / "new.xml"
    run("build", str(folder), "--url", "/knots", "-o", str(old))
    (folder / "index.html").write_text("<h1>More knots</h1>")
    (folder / "notes" / "l1.txt").rename(folder / "notes" / "bowline.txt")
    (folder / "l2.txt").write_text("sheet bend")
    run("build", str(folder), "--url", "/knots", "-o", str(new))
    result = run("diff", str(old), str(new))
    assert result.exit_code == 0
    assert set(result.stdout.splitlines()) == {"~ index.html", "+ l2.txt", "> notes/l1.txt -> notes/bowline.txt"}
    document = json.loads(run("diff", "--json", str(old), str(new)).stdout)
    assert document["changed"] == ["index.html"]
    assert document["renamed"] == [["notes/l1.txt", "notes/bowline.txt"]]


def test_diff_of_something_else_than_a_slip_says_so(folder: Path) -> None:
    result = run("diff", str(folder / "index.html"), str(folder / "index.html"))
    assert result.exit_code == 5
    assert "index.html" in result.stderr


def test_every_slip_of_the_sample_site_is_valid() -> None:
    slips = sorted(SITE.rglob("packageslip.xml"))
    assert len(slips) == 12
    result = run("check", *map(str, slips))
    assert result.exit_code == 0, result.stdout
