"""`slipway queue insert`: any action, with its parameters, refused by day and not by the queue."""

import json

from cli.exits import Exit
from support.small_site import SmallSite


def test_an_action_without_a_verb_of_its_own_is_carried_out(small_site: SmallSite) -> None:
    small_site.run("publish", "/about", "--to", "STAGING", "--now")
    done = small_site.run(
        "queue", "insert", "/links.json", "--to", "STAGING", "--action", "linkcheck", "--set", "prefix=/about", "--now", "--json"
    )
    (task,) = json.loads(done.stdout)["tasks"]
    assert (task["state"], task["action"], task["parameters"]) == ("SUCCEEDED", "LINKCHECK", {"prefix": "/about"})


def test_the_environments_own_action_is_the_default(small_site: SmallSite) -> None:
    done = small_site.run("queue", "insert", "/about", "--to", "STAGING", "--dry-run", "--json")
    (task,) = json.loads(done.stdout)["tasks"]
    assert (task["action"], task["parameters"]) == ("PUBLISH", {"dry_run": True})


def test_what_intake_would_reject_is_refused_at_once(small_site: SmallSite) -> None:
    done = small_site.run("queue", "insert", "/x.xml", "--to", "STAGING", "--action", "FETCH", "--set", "form=12")
    assert done.exit_code == Exit.USAGE
    assert "'form' must be" in done.stderr
    assert small_site.run("queue", "list").stdout.strip() == "", "nothing was inserted"


def test_a_parameter_needs_a_key_and_a_value(small_site: SmallSite) -> None:
    done = small_site.run("queue", "insert", "/about", "--to", "STAGING", "--set", "mode")
    assert done.exit_code == Exit.USAGE
    assert "'mode' is not KEY=VALUE" in done.stderr
