"""`slipway takedown`, and what the other verbs say of it."""

from support.small_site import SmallSite


def test_it_takes_down_says_so_and_lifts(small_site: SmallSite) -> None:
    for environment in ("STAGING", "PRODUCTION"):
        assert small_site.run("publish", "/knots", "--to", environment, "--now").exit_code == 0
    folders = [small_site.folder / target / "knots" for target in ("staging", "production", "download")]
    assert all(folder.exists() for folder in folders)
    assert small_site.run("takedown", "/knots").exit_code == 2, "without a terminal it wants a -y"
    done = small_site.run("takedown", "/knots/", "--because", "a complaint", "--now", "-y")
    assert done.exit_code == 0, done.output
    assert "Gone from all 3 targets: download, production, staging." in done.output
    assert not any(folder.exists() for folder in folders)
    [listed] = small_site.json("takedown", "--list")["takedowns"]
    assert (listed["url"], listed["why"], listed["lifted_at"]) == ("/knots", "a complaint", None)
    assert listed["how_far"].startswith("SUCCEEDED: Gone from all 3 targets")
    why = small_site.run("why", "/knots").stdout
    assert "/knots was taken down on" in why
    assert "(a complaint): it is not published before 'slipway takedown /knots --lift'" in why
    refused = small_site.run("publish", "/knots", "--to", "STAGING", "--now")
    assert refused.exit_code == 1
    assert "taken down" in refused.output
    assert small_site.run("takedown", "/knots", "--lift", "--now").exit_code == 0
    assert small_site.json("takedown", "--list")["takedowns"] == []
    [past] = small_site.json("takedown", "--list", "--all")["takedowns"]
    assert past["lifted_by"] is not None
    assert small_site.run("publish", "/knots", "--to", "STAGING", "--now").exit_code == 0
    assert folders[0].exists()


def test_usage_errors_say_what_to_do(small_site: SmallSite) -> None:
    assert "name the modules" in small_site.run("takedown").output
    assert "choose one" in small_site.run("takedown", "/a", "--now", "--wait", "-y").output
    assert small_site.run("takedown", "/a", "--lift", "--below").exit_code == 2
    assert "nothing is taken down" in small_site.run("takedown", "--list").output
    assert small_site.run("takedown", "/a", "--lift", "--now").exit_code == 1
