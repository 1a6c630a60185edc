"""The alert rules, tried by Prometheus' own tool: each fires when it must and is silent otherwise, and its remedy can be typed."""

import re
import shutil
import subprocess
from pathlib import Path

from click.testing import CliRunner

from cli import slipway
from support.mariadb import missing

FOLDER = Path(__file__).parents[2] / "deploy/prometheus"
RULES = (FOLDER / "alerts.yml").read_text()
TRIALS = (FOLDER / "alerts.test.yml").read_text()


def promtool(*words: str) -> str:
    program = shutil.which("promtool")
    if program is None:
        missing("promtool is not installed: apt-get install prometheus")
    done = subprocess.run([program, *words], cwd=FOLDER, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_prometheus_reads_the_rules_and_each_fires_when_it_must() -> None:
    assert "rules found" in promtool("check", "rules", "alerts.yml")
    assert "SUCCESS" in promtool("test", "rules", "alerts.test.yml")


def test_each_alert_is_tried_both_ways() -> None:
    silent = set(re.findall(r"\{alertname: (\w+), .*exp_alerts: \[\]\}", TRIALS))
    fires = set(re.findall(r"- alertname: (\w+)\n.*\n +exp_alerts:\n +- exp_labels", TRIALS))
    assert silent == fires == set(re.findall(r"- alert: (\w+)", RULES))


def test_every_remedy_can_be_typed() -> None:
    remedies = "; ".join(re.findall(r"remedy: (.*)", RULES)).split("; ")
    commands = [remedy.split()[1:] for remedy in remedies if remedy.startswith("slipway")]
    assert len(commands) > len(remedies) / 2
    for words in commands:
        # The command line is read as far as its options; nothing of it runs.
        shown = CliRunner().invoke(slipway, [*words, "--help"])
        assert shown.exit_code == 0, (words, shown.output)
