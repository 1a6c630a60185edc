"""`slipway demo`: the whole of the main job, by real processes, as a newcomer sees it."""

import os
import signal
import subprocess
import sys
import time
from filecmp import dircmp
from pathlib import Path

import pytest

SLIPWAY = Path(sys.executable).with_name("slipway")
Run = subprocess.CompletedProcess[str]
Played = tuple[Path, list[Run], list[float]]
KNOTS = "courses/seamanship/s-02-knots-fall-2024"
HANGS = 120
"""Seconds after which a command counts as hanging, also on a machine that is busy otherwise."""


def demo(folder: Path, *, cwd: Path) -> Run:
    return subprocess.run([SLIPWAY, "demo", "--dir", folder], cwd=cwd, capture_output=True, text=True, timeout=HANGS, check=False)


def slipway(folder: Path, *words: str) -> Run:
    command = [str(SLIPWAY), "-c", str(folder / "slipway.toml"), *words]
    return subprocess.run(command, capture_output=True, text=True, timeout=HANGS, check=False)


def processes_of(folder: Path) -> list[str]:
    """Command lines of daemons and engines that work for this demo."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            line = entry.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if str(folder) in line and ("scheduler" in line or "engines" in line):
            found.append(line)
    return found


def differences(left: Path, right: Path) -> list[str]:
    """Names that differ between two trees, without what is Slipway's own; file by file, by their bytes."""
    compared = dircmp(left, right, ignore=[".slipway", "packageslip.xml"], hide=[])
    found = [*compared.left_only, *compared.right_only, *compared.funny_files]
    found += [name for name in compared.common_files if (left / name).read_bytes() != (right / name).read_bytes()]
    for folder in compared.common_dirs:
        found += [f"{folder}/{name}" for name in differences(left / folder, right / folder)]
    return found


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Played:
    """Three runs in one folder: the first, one with nothing to do, one after a page was changed."""
    folder = tmp_path_factory.mktemp("demo") / "play"
    runs, seconds = [], []
    for change in (False, False, True):
        if change:
            with (folder / "cms" / KNOTS / "index.html").open("a") as page:
                page.write("<!-- changed -->\n")
        began = time.monotonic()
        runs.append(demo(folder, cwd=folder.parent))
        seconds.append(time.monotonic() - began)
    return folder, runs, seconds


def test_every_run_succeeds(played: Played) -> None:
    _, runs, seconds = played
    print("seconds:", *(f"{took:.1f}" for took in seconds))
    assert [run.returncode for run in runs] == [0, 0, 0], [run.stderr for run in runs]


def test_staging_and_production_hold_exactly_what_the_cms_has(
    played: Played,
) -> None:
    folder, _, _ = played
    assert differences(folder / "cms", folder / "staging") == []
    assert differences(folder / "cms", folder / "production") == []


def test_the_holding_area_holds_courses_supplements_and_terms_alone(
    played: Played,
) -> None:
    folder, _, _ = played
    held = {slip.parent.relative_to(folder / "download").as_posix() for slip in (folder / "download").rglob("packageslip.xml")}
    courses = {
        path.parent.relative_to(folder / "cms").as_posix() for path in (folder / "cms").glob("courses/*/*/packageslip.xml")
    }
    assert held == courses | {"resources/glossary", "terms"}
    assert differences(folder / "cms" / KNOTS, folder / "download" / KNOTS) == []


def test_the_first_run_says_what_was_published_where(
    played: Played,
) -> None:
    _, runs, _ = played
    for target in ("staging", "download", "production"):
        line = next(line for line in runs[0].stdout.splitlines() if line.strip().startswith(target))
        assert "modules" in line
        assert "files" in line
        assert "kB" in line
        assert f"play/{target}" in line
    assert "Try next:" in runs[0].stdout


def test_the_second_run_says_that_nothing_had_to_move(
    played: Played,
) -> None:
    _, runs, _ = played
    assert "Nothing had to move" in runs[1].stdout
    assert "files put" not in runs[1].stderr


def test_the_third_run_shows_just_what_changed(
    played: Played,
) -> None:
    _, runs, _ = played
    lines = runs[2].stdout.splitlines()
    shown = lines[lines.index("Since the run before:") + 1 : lines.index("Try next:")]
    assert shown == [f"  {target}: /{KNOTS}/index.html changed" for target in ("staging", "download", "production")]


def test_nothing_is_left_running(played: Played) -> None:
    folder, _, _ = played
    assert processes_of(folder) == []


def test_what_it_says_to_try_next_works_as_typed(
    played: Played,
) -> None:
    folder, runs, _ = played
    lines = runs[2].stdout.splitlines()
    commands = [line.strip() for line in lines[lines.index("Try next:") + 1 :]]
    path = f"{SLIPWAY.parent}:{os.environ['PATH']}"
    assert len(commands) == 8
    with subprocess.Popen(
        ["/bin/sh", "-c", f"exec {commands[1]} --bind 127.0.0.1:0"],
        cwd=folder.parent,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PATH": path},
    ) as console:
        assert console.stderr is not None
        assert "console at http://127.0.0.1:" in console.stderr.readline()
        console.terminate()
    # These two serve until they are told to end.
    for command in commands[2:]:
        done = subprocess.run(
            command,
            shell=True,
            cwd=folder.parent,
            capture_output=True,
            text=True,
            timeout=HANGS,
            check=False,
            env={**os.environ, "PATH": path},
        )
        assert done.returncode == 0, (command, done.stderr)


def test_verify_agrees(played: Played) -> None:
    folder, _, _ = played
    done = slipway(folder, "verify", "PRODUCTION", "--now")
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_stops_everything(tmp_path: Path, number: signal.Signals, code: int) -> None:
    folder = tmp_path / "play"
    with subprocess.Popen([SLIPWAY, "demo", "--dir", folder], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as running:
        until = time.monotonic() + 30
        while not processes_of(folder) and time.monotonic() < until:
            time.sleep(0.05)
        running.send_signal(number)
        _, said = running.communicate(timeout=40)
    assert running.returncode == code, said
    assert b"Traceback" not in said
    until = time.monotonic() + 15
    while processes_of(folder) and time.monotonic() < until:
        time.sleep(0.1)
    assert processes_of(folder) == []


def test_a_demo_that_failed_says_why_and_does_not_end_with_0(played: Played) -> None:
    """The last that is done to what was played: a page is missing from then on."""
    folder, _, _ = played
    (folder / "cms" / "about" / "people.html").unlink()
    done = demo(folder, cwd=folder.parent)
    assert done.returncode == 3, done.stderr
    assert "/about: FAILED" in done.stderr
    assert "people.html" in done.stderr


def test_two_demos_in_one_folder_are_one_too_many(tmp_path: Path) -> None:
    folder = tmp_path / "play"
    with subprocess.Popen([SLIPWAY, "demo", "--dir", folder], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as running:
        until = time.monotonic() + 30
        while not processes_of(folder) and time.monotonic() < until:
            time.sleep(0.05)
        second = demo(folder, cwd=tmp_path)
        running.send_signal(signal.SIGINT)
        running.wait(40)
    assert second.returncode == 75
    assert "another demo" in second.stderr
