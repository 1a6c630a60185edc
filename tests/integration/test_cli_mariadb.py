"""The command on a queue that is a server's: its schema is changed only when somebody says so."""

from support.mariadb import Server
from support.small_site import SmallSite


def on(server: Server, site: SmallSite) -> SmallSite:
    url = server.url(server.new_database())
    site.config.write_text(f'queue = {{ url = "{url}" }}\n' + site.config.read_text())
    return site


def test_an_empty_database_says_what_to_run_and_nothing_is_made(mariadb_server: Server, small_site: SmallSite) -> None:
    site = on(mariadb_server, small_site)
    result = site.run("publish", "/about", "--to", "STAGING")
    assert result.exit_code == 4
    assert "slipway db upgrade" in result.stderr
    assert site.run("db", "check").exit_code == 4
    assert site.run("doctor").exit_code == 1


def test_after_the_upgrade_everything_works_as_on_the_embedded_queue(mariadb_server: Server, small_site: SmallSite) -> None:
    site = on(mariadb_server, small_site)
    assert site.run("db", "upgrade").exit_code == 0
    assert site.run("db", "check").exit_code == 0
    assert site.run("publish", "/about", "--to", "STAGING", "--now").exit_code == 0
    assert "live since" in site.run("why", "/about").stdout
    assert "mysql" in site.run("doctor").stdout
    assert "CREATE TABLE publication_task_queue" in site.run("db", "upgrade", "--sql").stdout


def test_a_server_that_is_away_is_temporary(small_site: SmallSite) -> None:
    text = small_site.config.read_text()
    small_site.config.write_text('queue = { url = "mysql+pymysql://nobody@127.0.0.1:9/none" }\n' + text)
    result = small_site.run("queue", "list")
    assert result.exit_code == 8
    assert "Traceback" not in result.output
