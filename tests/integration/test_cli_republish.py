"""`slipway republish`: in passes, and the look before it."""

from dataclasses import replace

import pytest

from packageslip import read_slip, write_slip
from support.small_site import CONFIG, SmallSite


@pytest.fixture
def passing(small_site: SmallSite) -> SmallSite:
    """The types of the small site's two modules are two passes."""
    small_site.config.write_text(CONFIG + '[republish]\npasses = [["knots"], ["about"]]\n')
    small_site.write_slips()
    return small_site


def lock(site: SmallSite, module: str, state: str) -> None:
    path = site.folder / "cms" / module / "packageslip.xml"
    path.write_bytes(write_slip(replace(read_slip(path.read_bytes(), module), state=state)))


def test_passes_are_followed_to_their_end(passing: SmallSite) -> None:
    result = passing.run("republish", "--to", "STAGING", "--passes", "--now")
    assert result.exit_code == 0, result.output
    tasks = passing.json("queue", "list", "--all")["tasks"]
    assert [task["url"] for task in reversed(tasks) if task["target"] == "staging"] == [
        "/",
        "/knots",
        "/republish/pass-2",
        "/about",
    ]
    assert {task["state"] for task in tasks} == {"SUCCEEDED"}
    assert (passing.folder / "staging/about/index.html").exists()


def test_a_dry_run_counts_each_pass(passing: SmallSite) -> None:
    result = passing.run("republish", "--to", "STAGING", "--passes", "--dry-run", "--now")
    assert result.stdout.splitlines() == ["/knots", "/about"]
    assert "pass 1: 1 module (knots)\npass 2: 1 module (about)\n" in result.stderr


def test_without_passes_in_the_configuration_the_verb_says_so(small_site: SmallSite) -> None:
    result = small_site.run("republish", "--to", "STAGING", "--passes")
    assert result.exit_code == 4
    assert "no passes are configured" in result.stderr


def test_modules_that_somebody_works_on_are_listed(passing: SmallSite) -> None:
    lock(passing, "knots", "in_process")
    result = passing.run("republish", "--to", "STAGING", "--check")
    assert result.exit_code == 1
    assert result.stdout == "/knots\tknots\tin_process\n"
    assert "cms: 1 module in one of the states in_process, unlocked_for_editing, locked" in result.stderr
    document = passing.json("republish", "--to", "STAGING", "--check")
    assert document["locked"] == [{"url": "/knots", "type": "knots", "state": "in_process"}]
    assert not passing.json("queue", "list", "--all")["tasks"]


def test_if_nobody_works_on_anything_the_check_is_content(passing: SmallSite) -> None:
    assert passing.run("republish", "--to", "STAGING", "--check").exit_code == 0


def test_an_environment_that_promotes_is_checked_at_the_source_of_its_views(passing: SmallSite) -> None:
    passing.config.write_text(
        passing.config.read_text().replace('source = "target:staging"', 'source = "target:staging"\nviews = "cms"')
    )
    lock(passing, "about", "locked")
    assert passing.run("republish", "--to", "PRODUCTION", "--check").stdout == "/about\tabout\tlocked\n"
