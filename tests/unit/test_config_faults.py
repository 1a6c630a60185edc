"""Each fault that a configuration can have, and that all of them are found at once, with no value in any."""

from pathlib import Path

import pytest

from config import ConfigError, ConfigFault, check, load

CANARY = "canary-4711"

GOOD = """
[sources.cms]
kind = "http"
url = "https://cms.example.edu"
[targets.staging]
kind = "local"
root = "staging"
[targets.production]
kind = "local"
root = "production"
[environments.STAGING]
source = "cms"
origin = "staging"
[environments.PRODUCTION]
source = "target:staging"
origin = "production"
"""

S3 = '[targets.zips]\nkind = "s3"\nbucket = "b"\nprefix = "p/"\n'
SFTP = '[targets.origin]\nkind = "sftp"\nhost = "h"\nuser = "u"\nroot = "/srv"\nkey = "k"\n'


def faults(folder: Path, text: str, **environ: str) -> list[ConfigFault]:
    file = folder / "config.toml"
    file.write_text(text, encoding="utf-8")
    return list(check(file, environ))


def test_a_good_configuration_has_no_faults(tmp_path: Path) -> None:
    assert faults(tmp_path, GOOD) == []


# What is added to the good configuration; the key, a part of the message and the nearest name of the one fault it makes.
CASES = [
    (S3 + "access_key = 'a'", "targets.zips.secret_key", "there is an access_key", None),
    (S3 + "secret_key = { file = 'f' }", "targets.zips.access_key", "there is a secret_key", None),
    (S3 + "endpoint = 's3.example.edu'", "targets.zips.endpoint", "must be a URL", None),
    (S3 + "delete_grace = 900", "targets.zips.delete_grace", "is not for a bucket", None),
    (S3 + "area = '/'", "targets.zips.area", "must not be empty", None),
    (S3 + S3.replace("zips", "again").replace("p/", "/p"), "targets.again.prefix", "same place as targets.zips", None),
    ("[queue]\npol = 1", "queue.pol", "not a known key", "poll"),
    ("[queue]\nzzzzzz = 1", "queue.zzzzzz", "known here: batch, heartbeat", None),
    ("[quue]\npoll = 1", "quue", "not a known key", "queue"),
    ("[queue]\npoll = 'often'", "queue.poll", "must be a valid number", None),
    ("[queue]\npoll = 0", "queue.poll", "must be greater than 0", None),
    ("[queue]\npoll = nan", "queue.poll", "must be a finite number", None),
    ("[queue]\nheartbeat = 55", "queue.lease", "longer than heartbeat and margin", None),
    ("[queue]\nurl = 'postgresql://db/x'", "queue.url", "must start with mysql+pymysql", None),
    ("[queue]\nurl = 'mysql://['", "queue.url", "must start with mysql+pymysql", None),
    (f"[queue]\nurl = 'mysql+pymysql://u:{CANARY}@db/x'", "queue.url", "has a password in it", None),
    (f"[queue]\nurl = 'mysql+pymysql://u@db/x?charset=utf8mb4&password={CANARY}'", "queue.url", "has a password in it", None),
    (f"[queue]\npassword = '{CANARY}'", "queue.password", "must say where the secret is", None),
    (
        "[queue]\nurl = 'sqlite:////srv/queue.db'\npassword = { file = '/etc/slipway/queue' }",
        "queue.password",
        "is of no use for SQLite",
        None,
    ),
    ("[queue]\npassword = { file = '/etc/slipway/queue' }", "queue.password", "is of no use for SQLite", None),
    ("[queue]\npassword = {}", "queue.password", "exactly one of: file, command, credential", None),
    ("[queue]\npassword = { file = 'a', credential = 'b' }", "queue.password", "exactly one of", None),
    (
        "[queue]\nurl = 'mysql://u@db/x'\npassword = { fil = 'a', credential = 'b' }",
        "queue.password.fil",
        "not a known key",
        "file",
    ),
    ("[retry]\nbase = 10\ncap = 5", "retry.cap", "not be less than retry.base", None),
    ("[engine]\nrestart_base = 90", "engine.restart_cap", "not be less than engine.restart_base", None),
    ("[guard]\nindex_pages = 'index.htm'", "guard.index_pages", "must be a list", None),
    ("[log]\nformat = 'xml'", "log.format", "must be 'auto', 'json' or 'console'", None),
    ("[sources.new]\nkind = 'htpp'\nurl = 'https://x'", "sources.new.kind", '"http", "directory"', "http"),
    ("[sources.new]\nurl = 'https://x'", "sources.new.kind", "is missing; it is one of", None),
    ("[sources.new]\nkind = 'http'", "sources.new.url", "is missing", None),
    ("[sources.new]\nkind = 'http'\nurl = 'cms.example.edu'", "sources.new.url", "must be a URL like", None),
    (f"[sources.new]\nkind = 'http'\nurl = 'https://u:{CANARY}@x'", "sources.new.url", "has an account in it", None),
    ("[sources.new]\nkind = 'http'\nurl = 'https://x'\nusername = 'u'", "sources.new.password", "there is a username", None),
    (
        "[sources.new]\nkind = 'http'\nurl = 'https://x'\npassword = { file = 'f' }",
        "sources.new.username",
        "there is a password",
        None,
    ),
    ("[sources.new]\nkind = 'directory'\npath = 3", "sources.new.path", "must be a path in quotes", None),
    ("[sources]\nnew = 3", "sources.new", "must be a table", None),
    ("[sources.'a b']\nkind = 'directory'\npath = '.'", "sources.a b", "is no name", None),
    (SFTP, "targets.origin.known_hosts", "the server could be anybody's", None),
    (f"{SFTP}host_key = 'AAAA'", "targets.origin.host_key", "must be a type and a key", None),
    (f"{SFTP}known_hosts = 'k'\nport = 70000", "targets.origin.port", "less than or equal to 65535", None),
    ("[targets.x]\nkind = 'local'\nroot = 'x'\nreleases = '../r'", "targets.x.releases", "a folder in the root", None),
    ("[targets.x]\nkind = 'local'\nroot = 'x'\nreleases = '.slipway/r'", "targets.x.releases", "only Slipway may read", None),
    (
        "[targets.x]\nkind = 'local'\nroot = 'x'\nversioned_modules = { urls = ['/a'] }",
        "targets.x.versioned_modules",
        'is for layout = "versioned"',
        None,
    ),
    ("[targets.twin]\nkind = 'local'\nroot = 'staging/'", "targets.twin.root", "same place as targets.staging", None),
    ("[targets.web]\nkind = 'group'\nmembers = []", "targets.web.members", "at least 1 item", None),
    ("[targets.web]\nkind = 'group'\nmembers = ['stagin']", "targets.web.members[0]", "names no target", "staging"),
    ("[targets.web]\nkind = 'group'\nmembers = ['staging', 'staging']", "targets.web.members[1]", "is named twice", None),
    ("[targets.web]\nkind = 'group'\nmembers = ['staging']\nquorum = 2", "targets.web.quorum", "than the 1 members", None),
    ("[targets.web]\nkind = 'group'\nmembers = ['web']", "targets.web.members[0]", "is a group itself", None),
    ("[environments.MIRROR]\nsource = 'cms'\norigin = 'stagin'", "environments.MIRROR.origin", "names no target", "staging"),
    ("[environments.MIRROR]\nsource = 'cns'\norigin = 'staging'", "environments.MIRROR.source", "names no source", "cms"),
    (
        "[environments.MIRROR]\nsource = 'staging'\norigin = 'production'",
        "environments.MIRROR.source",
        "names a target",
        "target:staging",
    ),
    ("[environments.MIRROR]\nsource = 'target:x'\norigin = 'staging'", "environments.MIRROR.source", "names no target", None),
    (
        "[environments.MIRROR]\nsource = 'target:staging'\norigin = 'staging'",
        "environments.MIRROR.source",
        "its|own origin",
        None,
    ),
    (
        "[environments.MIRROR]\nsource = 'cms'\norigin = 'staging'\nviews = 'cmss'",
        "environments.MIRROR.views",
        "names no source",
        "cms",
    ),
    ("[environments.mirror]\nsource = 'cms'\norigin = 'staging'", "environments.mirror", "no environment's name", "MIRROR"),
    ("[environments.MIRROR]\norigin = 'staging'", "environments.MIRROR.source", "is missing", None),
    (
        "[environments.MIRROR]\nsource = 'cms'\norigin = 'staging'\nholding_areas = [{ target = 'prodution' }]",
        "environments.MIRROR.holding_areas[0].target",
        "names no target",
        "production",
    ),
    (
        "[environments.MIRROR]\nsource = 'cms'\norigin = 'staging'\nexports = { target = 'staging' }",
        "environments.MIRROR.exports.target",
        "something else of MIRROR and STAGING; exports need a target of their own",
        None,
    ),
    (
        "[environments.MIRROR]\nsource = 'cms'\norigin = 'production'\nexports = { target = 'staging' }",
        "environments.MIRROR.exports.target",
        "something else of STAGING; exports need a target of their own",
        None,
    ),
    (
        "[environments.MIRROR]\nsource = 'cms'\norigin = 'staging'\nholding_areas = [{ target = 'staging' }]",
        "environments.MIRROR.holding_areas[0].target",
        "own origin",
        None,
    ),
    (
        (
            "[targets.area]\nkind = 'local'\nroot = '/area'\n[environments.MIRROR]\nsource = 'cms'\norigin = 'staging'\n"
            "holding_areas = [{ target = 'area' }, { target = 'area', modules = { types = ['course'] } }]"
        ),
        "environments.MIRROR.holding_areas[1].target",
        "is a holding area twice",
        None,
    ),
    (
        "[environments.MIRROR]\nsource = 'cms'\norigin = 'staging'\nholding_areas = [{ target = 'production', modules = { type = [] } }]",
        "environments.MIRROR.holding_areas[0].modules.type",
        "not a known key",
        "types",
    ),
    ("[schedules.n]\ncron = '* * * *'\nenvironment = 'STAGING'", "schedules.n.cron", "4 fields instead of five", None),
    ("[schedules.n]\ncron = '61 * * * *'\nenvironment = 'STAGING'", "schedules.n.cron", "is not cron text", None),
    ("[schedules.n]\ncron = '0 0 31 2 *'\nenvironment = 'STAGING'", "schedules.n.cron", "no such day", None),
    ("[schedules.n]\ncron = '0 0 * * 8'\nenvironment = 'STAGING'", "schedules.n.cron", "day of week", None),
    ("[schedules.n]\ncron = '0 0 * * *'\nenvironment = 'STAGE'", "schedules.n.environment", "names no environment", "STAGING"),
    (
        "[schedules.n]\ncron = '0 0 * * *'\nenvironment = 'STAGING'\ntimezone = 'Berlin'",
        "schedules.n.timezone",
        "no time zone",
        None,
    ),
    ("[schedules.n]\ncron = '0 0 * * *'\nenvironment = 'STAGING'\nurl = 'x'", "schedules.n.url", "starts with /", None),
    ("[departments]\n8 = 'courses'", "departments.8", "starts with /", None),
]


@pytest.mark.parametrize(("text", "key", "message", "nearest"), CASES, ids=[f"{case[1]}: {case[2]}" for case in CASES])
def test_each_fault_names_its_key_its_rule_and_the_nearest_name(
    tmp_path: Path, text: str, key: str, message: str, nearest: str | None
) -> None:
    (fault,) = faults(tmp_path, f"{GOOD}\n{text}")
    assert fault.file == str(tmp_path / "config.toml")
    assert fault.key == key
    assert message.rsplit("|", maxsplit=1)[-1] in fault.message
    assert fault.nearest == nearest
    assert CANARY not in str(fault)


def test_all_faults_are_found_at_once(tmp_path: Path) -> None:
    everything = """
        queue = { pol = 1, heartbeat = 100 }
        sources.cms = { kind = "htpp", url = "https://x", paralel = 1 }
        targets.staging = { host = "h", user = "u", key = "k", root = "/srv", port = "ssh" }
        environments.STAGING = { source = "cns", origin = "stagin" }
    """
    assert [fault.key for fault in faults(tmp_path, everything)] == [
        "sources.cms.kind",
        "targets.staging.kind",
        "queue.pol",
        "sources.cms.paralel",
        "targets.staging.port",
        "queue.lease",
        "targets.staging.known_hosts",
        "environments.STAGING.source",
        "environments.STAGING.origin",
    ]


def test_a_faulty_entry_is_still_known_to_those_that_name_it(tmp_path: Path) -> None:
    text = "[sources]\ncms = 1\n[targets]\norigin = 2\n[environments.STAGING]\nsource = 'cms'\norigin = 'origin'"
    assert [fault.key for fault in faults(tmp_path, text)] == ["sources.cms", "targets.origin"]


def test_a_syntax_error_names_its_line(tmp_path: Path) -> None:
    (fault,) = faults(tmp_path, f"[queue]\npoll = 1\nurl = '{CANARY}\n")
    assert "is not TOML" in fault.message
    assert "line 3" in fault.message
    assert CANARY not in str(fault)


@pytest.mark.parametrize(("content", "message"), [(b"\xff", "is not UTF-8 (byte 0)"), (b"{", "starts like JSON and is none")])
def test_a_file_that_is_no_text_is_a_fault(tmp_path: Path, content: bytes, message: str) -> None:
    (tmp_path / "config.toml").write_bytes(content)
    (fault,) = check(tmp_path / "config.toml", {})
    assert fault.message == message


def test_a_missing_file_that_was_asked_for_is_a_fault(tmp_path: Path) -> None:
    (fault,) = check(tmp_path / "none.toml", {})
    assert str(fault) == f"{tmp_path}/none.toml: cannot be read: No such file or directory"


@pytest.mark.parametrize(
    ("variable", "nearest"),
    [
        ("SLIPWAY_QUEUE_URL", "SLIPWAY_QUEUE__URL"),
        ("SLIPWAY_QUEUE__ULR", "SLIPWAY_QUEUE__URL"),
        ("SLIPWAY_ENVIRONMENTS__STAGING__ORIGN", "SLIPWAY_ENVIRONMENTS__STAGING__ORIGIN"),
        ("SLIPWAY_TARGETS__STAGING__ROT", "SLIPWAY_TARGETS__STAGING__ROOT"),
        ("SLIPWAY_", None),
    ],
)
def test_an_unknown_variable_is_a_fault_with_the_nearest_one(tmp_path: Path, variable: str, nearest: str | None) -> None:
    (fault,) = faults(tmp_path, GOOD, **{variable: CANARY})
    assert fault.file == f"${variable}"
    assert fault.nearest == nearest
    assert CANARY not in str(fault)


def test_a_fault_in_a_variable_names_the_variable(tmp_path: Path) -> None:
    found = faults(
        tmp_path,
        GOOD,
        SLIPWAY_ENGINE__LINGER=CANARY,
        SLIPWAY_GUARD__INDEX_PAGES=CANARY,
        SLIPWAY_ENVIRONMENTS__STAGING__ORIGIN="x",
    )
    assert [(fault.file, fault.key) for fault in found] == [
        ("$SLIPWAY_GUARD__INDEX_PAGES", "guard.index_pages"),
        ("$SLIPWAY_ENGINE__LINGER", "engine.linger"),
        ("$SLIPWAY_ENVIRONMENTS__STAGING__ORIGIN", "environments.STAGING.origin"),
    ]
    assert CANARY not in str(ConfigError(found))


def test_the_error_lists_every_fault(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text("[queue]\npol = 1\npoll = 0\n", encoding="utf-8")
    with pytest.raises(ConfigError) as raised:
        load(tmp_path / "config.toml", {})
    assert str(raised.value).splitlines() == [
        "the configuration has 2 faults:",
        f"  {tmp_path}/config.toml: queue.poll: must be greater than 0",
        f"  {tmp_path}/config.toml: queue.pol: is not a known key; did you mean poll?",
    ]


def test_an_archive_without_collections_hides_no_other_fault(tmp_path: Path) -> None:
    found = faults(
        tmp_path, GOOD + "[archives.dspace]\nkind = 'sword1'\n[environments.MIRROR]\nsource = 'cms'\norigin = 'stagin'\n"
    )
    assert [fault.key for fault in found] == ["archives.dspace.deposits", "environments.MIRROR.origin"]


def test_two_environments_cannot_export_to_one_place(tmp_path: Path) -> None:
    exporting = "".join(
        f"[environments.{name}]\nsource = 'cms'\norigin = 'staging'\nexports = {{ target = 'out' }}\n" for name in ("A", "B")
    )
    found = faults(tmp_path, GOOD + "[targets.out]\nkind = 'local'\nroot = 'out'\n" + exporting)
    assert [fault.key for fault in found] == ["environments.A.exports.target", "environments.B.exports.target"]
