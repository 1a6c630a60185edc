"""`slipway rollback`."""

from support.small_site import SmallSite


def publish(site: SmallSite, text: str) -> None:
    (site.folder / "cms" / "about" / "index.html").write_text(text)
    assert site.run("publish", "/about", "--to", "STAGING", "--now").exit_code == 0


def page(site: SmallSite) -> str:
    return (site.folder / "staging" / "about" / "index.html").read_text()


def test_the_history_says_what_going_back_would_change(small_site: SmallSite) -> None:
    publish(small_site, "one")
    publish(small_site, "two")
    listed = small_site.json("rollback", "/about", "--in", "STAGING", "--list")
    newest, first = listed["publications"]
    assert (newest["until"], newest["put"], newest["drop"]) == (None, 0, 0)
    assert (first["put"], first["drop"], first["not_in_store"], first["slip_kept"]) == (1, 0, 0, True)
    lines = small_site.run("rollback", "/about", "--in", "STAGING", "--list").stdout.splitlines()
    assert [line.split("\t")[5] for line in lines] == ["0 to put, 0 to drop", "1 to put, 0 to drop"]


def test_it_goes_back_here_and_now(small_site: SmallSite) -> None:
    publish(small_site, "one")
    publish(small_site, "two")
    dry = small_site.run("rollback", "/about", "--in", "STAGING", "--dry-run", "--now")
    assert (dry.exit_code, page(small_site)) == (0, "two")
    done = small_site.run("rollback", "/about", "--in", "STAGING", "--now")
    assert (done.exit_code, page(small_site)) == (0, "one")
    [first] = [one["id"] for one in small_site.json("rollback", "/about", "--in", "STAGING", "--list")["publications"]][-1:]
    again = small_site.run("rollback", "/about", "--in", "STAGING", "--to", str(first), "--now")
    assert (again.exit_code, page(small_site)) == (0, "one")


def test_a_usage_error_names_what_is_wrong(small_site: SmallSite) -> None:
    unknown = small_site.run("rollback", "/about", "--in", "STAGING", "--to", "999")
    assert (unknown.exit_code, unknown.stdout) == (1, "")
    assert "999 is no publication of /about on staging; --list shows what there was" in unknown.stderr
    both = small_site.run("rollback", "/about", "--in", "STAGING", "--to", "1", "--version", "ab")
    assert (both.exit_code, "choose one" in both.output) == (2, True)
    unknown = small_site.run("rollback", "/about", "--in", "STAGIN", "--list")
    assert (unknown.exit_code, "did you mean STAGING?" in unknown.output) == (2, True)
    nothing = small_site.run("rollback", "/about", "--in", "STAGING", "--now")
    assert nothing.exit_code == 1
