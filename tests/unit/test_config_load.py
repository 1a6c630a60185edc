"""Where settings come from, which layer wins, and what paths mean."""

import re
from pathlib import Path

import pytest

from config import LocalTarget, Settings, SftpTarget, check, find_file, load, queue_url, snapshot, state_dir
from config.places import DirectorySource, HttpSource

SAMPLE = Path(__file__).parents[2] / "config" / "sample.toml"


@pytest.fixture
def no_system_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a machine without /etc/slipway, whatever this machine has."""
    monkeypatch.setattr("config.find.SYSTEM_FILE", tmp_path / "none.toml")


def written(folder: Path, text: str) -> Path:
    file = folder / "config.toml"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")
    return file


def test_a_flag_wins_over_a_variable_over_the_file_over_the_default(tmp_path: Path) -> None:
    file = written(tmp_path, "[queue]\npoll = 1\nbatch = 8\nlease = 100\n")
    environ = {"SLIPWAY_QUEUE__POLL": "2", "SLIPWAY_QUEUE__BATCH": "16"}
    settings = load(file, environ, flags={"queue.poll": 3, "log.level": "debug"})
    assert (settings.queue.poll, settings.queue.batch, settings.queue.lease, settings.queue.margin) == (3, 16, 100, 5)
    assert settings.log.level == "debug"


def test_variables_reach_entries_whatever_their_case(tmp_path: Path) -> None:
    text = "[targets.my-host]\nkind='local'\nroot='/a'\n[sources.s]\nkind='directory'\npath='/s'\n[environments.STAGING]\nsource='s'\norigin='my-host'"
    environ = {"slipway_environments__staging__engines": "3", "SLIPWAY_TARGETS__MY_HOST__ROOT": "/b", "SLIPWAY_RETRY__CAP": ""}
    settings = load(written(tmp_path, text), environ)
    assert settings.environments["STAGING"].engines == 3
    target = settings.targets["my-host"]
    assert isinstance(target, LocalTarget)
    assert target.root == "/b"
    assert settings.retry.cap == 3600


def test_variables_alone_make_a_configuration(tmp_path: Path, no_system_file: None) -> None:
    environ = {
        "HOME": str(tmp_path),
        "SLIPWAY_SOURCES__CMS__KIND": "directory",
        "SLIPWAY_SOURCES__CMS__PATH": str(tmp_path),
        "SLIPWAY_TARGETS__WWW__KIND": "local",
        "SLIPWAY_TARGETS__WWW__ROOT": "/srv",
        "SLIPWAY_ENVIRONMENTS__STAGING": '{"source": "cms", "origin": "www"}',
        "SLIPWAY_GUARD__INDEX_PAGES": '["a.htm"]',
    }
    settings = load(None, environ)
    assert settings.environments["STAGING"].origin == "www"
    assert settings.guard.index_pages == ("a.htm",)


def test_the_tests_own_variable_is_no_setting() -> None:
    assert check(SAMPLE, {"SLIPWAY_REAL_DATA": "/data"}) == ()


def test_the_first_file_found_is_the_only_one_read(tmp_path: Path) -> None:
    file = written(tmp_path / "slipway", "[queue]\npoll = 1\n")
    assert find_file(None, {"XDG_CONFIG_HOME": str(tmp_path)}) == file
    assert find_file(Path("other.toml"), {"XDG_CONFIG_HOME": str(tmp_path)}) == Path("other.toml")
    assert load(None, {"XDG_CONFIG_HOME": str(tmp_path)}).queue.poll == 1


def test_the_home_folder_is_searched_without_xdg(tmp_path: Path) -> None:
    file = written(tmp_path / ".config" / "slipway", "")
    assert find_file(None, {"HOME": str(tmp_path), "XDG_CONFIG_HOME": "relative/is/ignored"}) == file


@pytest.mark.parametrize(
    ("environ", "root", "expected"),
    [
        ({"STATE_DIRECTORY": "/var/lib/x:/var/lib/y", "XDG_STATE_HOME": "/xdg"}, True, "/var/lib/x"),
        ({"XDG_STATE_HOME": "/xdg"}, True, "/xdg/slipway"),
        ({"HOME": "/home/x"}, True, "/var/lib/slipway"),
        ({"HOME": "/home/x"}, False, "/home/x/.local/state/slipway"),
    ],
)
def test_state_goes_where_the_service_manager_or_the_account_has_room(environ: dict[str, str], root: bool, expected: str) -> None:
    assert state_dir(environ, root=root) == Path(expected)


def test_the_queue_is_sqlite_in_the_state_directory_unless_configured(tmp_path: Path) -> None:
    settings = load(written(tmp_path, ""), {"STATE_DIRECTORY": "/state"})
    assert queue_url(settings) == "sqlite:////state/queue.db"
    assert queue_url(load(written(tmp_path, "[queue]\nurl = 'mysql://u@db/x'"), {})) == "mysql://u@db/x"


def test_relative_paths_start_at_the_files_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir("/")
    monkeypatch.setenv("HOME", "/home/x")
    text = """
        state_dir = "state"
        queue = { url = "sqlite:///queue.db" }
        store = { path = "store" }
        sources.s = { kind = "directory", path = "../site" }
        sources.cms = { kind = "http", url = "https://cms", username = "u", password = { command = ["bin/secret", "a/b"] } }
        targets.l = { kind = "local", root = "www" }
        targets.s = { kind = "sftp", host = "h", user = "u", root = "www", key = "~/key", known_hosts = "known" }
        environments.STAGING = { source = "s", origin = "l", holding_areas = [{ target = "s" }] }
    """
    settings = load(written(tmp_path, text), {"SLIPWAY_STORE__PATH": "store"})
    source, local, sftp = settings.sources["s"], settings.targets["l"], settings.targets["s"]
    assert isinstance(source, DirectorySource)
    assert isinstance(local, LocalTarget)
    assert isinstance(sftp, SftpTarget)
    assert settings.state_dir == tmp_path / "state"
    assert settings.queue.url == f"sqlite:///{tmp_path}/queue.db"
    cms = settings.sources["cms"]
    assert isinstance(cms, HttpSource)
    assert cms.password is not None
    assert cms.password.command == (str(tmp_path / "bin/secret"), "a/b")
    assert settings.store.path == Path("/store"), "a variable's path starts where the process does"
    assert source.path == tmp_path / "../site"
    assert local.root == str(tmp_path / "www")
    assert (sftp.root, sftp.key, sftp.known_hosts) == ("www", Path("/home/x/key"), tmp_path / "known")


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:", "sqlite:////abs/q.db", "mysql://u@db/x"])
def test_other_addresses_stay_as_they_are(tmp_path: Path, url: str) -> None:
    assert load(written(tmp_path, f"[queue]\nurl = '{url}'"), {}).queue.url == url


def test_a_snapshot_loads_to_the_same_settings(tmp_path: Path) -> None:
    settings = load(SAMPLE, {})
    (tmp_path / "snapshot").write_text(snapshot(settings), encoding="utf-8")
    assert load(tmp_path / "snapshot", {}) == settings


def test_the_sample_is_good_as_it_is_and_with_every_example_switched_on(tmp_path: Path) -> None:
    assert check(SAMPLE, {}) == ()
    everything = re.sub(r"(?m)^#(?=[a-z0-9\[])", "", SAMPLE.read_text(encoding="utf-8"))
    assert check(written(tmp_path, everything), {}) == ()


def test_the_samples_disabled_settings_are_the_defaults(tmp_path: Path) -> None:
    text = SAMPLE.read_text(encoding="utf-8")
    plain = (
        text[: text.index("# ---- Where modules come from")].replace('#url = "mysql', "# ").replace("#password = { cred", "# ")
    )
    everything = load(written(tmp_path, re.sub(r"(?m)^#(?=[a-z])", "", plain)), {})
    assert everything == Settings()


def test_no_file_at_all_gives_the_defaults(tmp_path: Path, no_system_file: None) -> None:
    settings = load(None, {"HOME": str(tmp_path), "STATE_DIRECTORY": "/var/lib/slipway"})
    assert settings == Settings()
    assert settings.model_fields_set == set()
