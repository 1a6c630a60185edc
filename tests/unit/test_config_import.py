"""The old engines' configuration, turned into ours: every key has its place or its reason, and no password is copied."""

import re
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cli import slipway
from config import ConfigError, Fate, Imported, Settings, check, import_engines_conf, load
from config.engines_keys import ARCHIVE_KEYS, KEYS
from config.old_ini import read_old
from support.old_engines import ENGINES_CONF, LOOKUP

Import = Callable[[str], Imported]
LINES = [line for line in ENGINES_CONF.splitlines() if " = " in line]
SAMPLE = Path(__file__).parents[2] / "deploy" / "ocw.toml"


@pytest.fixture
def imported(tmp_path: Path) -> Import:
    """Import a text that lies beside the lookup of deposit URIs."""

    def run(text: str) -> Imported:
        (tmp_path / "lookup").mkdir(exist_ok=True)
        (tmp_path / "lookup/DepositURILookup.xml").write_text(LOOKUP)
        (tmp_path / "engines.conf").write_bytes(text.encode("latin-1"))
        return import_engines_conf(tmp_path / "engines.conf")

    return run


def settings_of(made: Imported, folder: Path) -> Settings:
    (folder / "slipway.toml").write_text(made.toml)
    return load(folder / "slipway.toml", {})


def fates(made: Imported) -> dict[str, Fate]:
    return {f"{key.section} {key.key}": key.fate for key in made.keys}


def test_what_is_made_has_no_fault(imported: Import, tmp_path: Path) -> None:
    (tmp_path / "slipway.toml").write_text(imported(ENGINES_CONF).toml)
    assert not check(tmp_path / "slipway.toml", {})


def test_the_sample_is_what_the_import_makes(imported: Import) -> None:
    # To make it anew: write ENGINES_CONF and its lookup to a folder, then `slipway config import engines.conf -o deploy/ocw.toml`.
    assert SAMPLE.read_text() == imported(ENGINES_CONF).toml


def test_every_key_that_is_known_is_in_the_test_and_none_is_unknown(imported: Import) -> None:
    made = imported(ENGINES_CONF)
    found = {(key.section, key.key) for key in made.keys}
    archives = {(f"{name}_Dspace_conf", key) for name in ("Test", "Production") for key in ARCHIVE_KEYS}
    assert found == {*KEYS, *archives, ("DEFAULT", "base")}
    assert Fate.UNKNOWN not in fates(made).values()
    assert all(key.sentence or key.place for key in made.keys)


def test_what_is_carried_over_is_where_the_list_says(imported: Import, tmp_path: Path) -> None:
    settings = settings_of(imported(ENGINES_CONF), tmp_path)
    shown = settings.model_dump(mode="json")
    expected = {
        "state_dir": "/mnt/engines/work/slipway",
        "queue.url": "mysql+pymysql://ocwuser@db2.example.edu/slipway",
        "sources.cms.url": "http://cms2.example.edu:8080/Plone",
        "sources.cms.username": "engine",
        "targets.staging.host": "origin-staging.example.edu",
        "targets.staging.user": "stager",
        "targets.staging.root": "/var/www/ocw",
        "environments.STAGING.site": "https://staging.example.edu",
        "targets.production.host": "origin.example.edu",
        "targets.production.user": "publisher",
        "targets.production.root": "/var/www/ocw",
        "environments.PRODUCTION.site": "https://www.example.edu",
        "packages.site": "https://www.example.edu",
        "targets.mirror.host": "mirror-origin.example.edu",
        "targets.mirror.user": "mirrorer",
        "targets.mirror.root": "/data2/prod",
        "targets.rsync.host": "mirror-origin.example.edu",
        "targets.zips.host": "netstorage.example.net",
        "targets.zips.user": "sshacs",
        "targets.zips.root": "/15436/ZipForEndUsers",
        "targets.download.root": "/mnt/engines/zips/slipway",
        "targets.mirror-staging.root": "/mnt/engines/pha/slipway/mirror-staging",
        "targets.dspace.root": "/mnt/engines/pha/slipway/dspace",
        "targets.retired.root": "/mnt/RetiredCourseZips/slipway",
        "environments.MIRROR.site": "https://mirror.example.edu",
        "environments.MIRROR.snapshot.site": ["https://www.example.edu", "http://www.example.edu"],
        "environments.MIRROR.snapshot.zips_into": "/ans15436/ZipForEndUsers",
        "schedules.zip-list.parameters.base": "https://www.example.edu/ans15436/ZipForEndUsers",
        "environments.DSPACE.retire.archive": "dspace-production",
        "archives.dspace-test.username": "ocw-test",
        "archives.dspace-production.username": "ocw",
    }
    assert {key: at(shown, key) for key in expected} == expected


def at(shown: object, key: str) -> object:
    for part in key.split("."):
        assert isinstance(shown, dict)
        shown = shown[part]
    return shown


def test_the_lookup_of_deposit_uris_becomes_the_archives_own(imported: Import, tmp_path: Path) -> None:
    made = imported(ENGINES_CONF)
    archives = settings_of(made, tmp_path).archives
    prefix = "https://dspace.example.edu/sword/deposit/1721.1"
    assert archives["dspace-production"].deposits == {
        "6": f"{prefix}/33971",
        "18": f"{prefix}/33972",
        "supplemental-resource": f"{prefix}/5",
        "default": f"{prefix}/39118",
    }
    assert archives["dspace-test"].deposits == {"default": "http://dspace-test.example.edu:8080/sword/deposit/FILL-IN"}
    [remark] = [remark for remark in made.remarks if "lookup" in remark]
    assert "DepositURILookup-test.xml" in remark
    assert "fill in archives.dspace-test.deposits" in remark


@pytest.mark.parametrize(
    ("content", "why"),
    [("<lookup><entry", "no XML"), ("<lookup/>", "no name with an address"), ('<!DOCTYPE x SYSTEM "x"><x/>', "no name")],
)
def test_a_lookup_that_cannot_be_read_is_a_gap_with_its_reason(imported: Import, tmp_path: Path, content: str, why: str) -> None:
    imported(ENGINES_CONF)
    (tmp_path / "lookup/DepositURILookup.xml").write_text(content)
    made = import_engines_conf(tmp_path / "engines.conf")
    assert any(why in remark for remark in made.remarks)
    assert settings_of(made, tmp_path).archives["dspace-production"].deposits.keys() == {"default"}


def test_a_lookup_at_no_possible_path_is_a_gap(imported: Import) -> None:
    made = imported(ENGINES_CONF.replace("deposit_uri_lookup_file_path = ", "deposit_uri_lookup_file_path = a\0"))
    assert any("null" in remark for remark in made.remarks)


def test_no_password_is_copied_or_shown(imported: Import, tmp_path: Path) -> None:
    made = imported(ENGINES_CONF.replace("http://cms2", "http://engine:kept-to-itself-5@cms2"))
    shown = CliRunner().invoke(slipway, ["config", "import", str(tmp_path / "engines.conf"), "--json"]).stdout
    assert "kept-to-itself" in (tmp_path / "engines.conf").read_text()
    assert "kept-to-itself" not in made.toml + repr(made) + shown
    assert [key.place for key in made.keys if key.fate is Fate.FILL_IN] == [
        "queue.password",
        "sources.cms.password",
        "archives.dspace-test.password",
        "archives.dspace-production.password",
    ]
    assert any("[CMS] has an account in its URL" in remark for remark in made.remarks)


def test_no_password_is_copied_out_of_the_lookup_either(imported: Import, tmp_path: Path) -> None:
    imported(ENGINES_CONF)
    (tmp_path / "lookup/DepositURILookup.xml").write_text(LOOKUP.replace("https://", "https://ocw:kept-to-itself@"))
    made = import_engines_conf(tmp_path / "engines.conf")
    assert "kept-to-itself" not in made.toml + repr(made)
    assert len(settings_of(made, tmp_path).archives["dspace-production"].deposits) == 4


def test_what_the_old_reader_did_is_done(imported: Import, tmp_path: Path) -> None:
    old = read_old(
        "\ufeffstray\n[A]\nName : one ; two\nREM no\nremote = x\nURL=http://h:1/;p\nlong = a\n  b\nname = last\n"
        'empty = ""\nnested = %(inner)s\ninner = <%(URL)s>\nlost = %(nobody)s\npercent = 5%\n[A]\nmore = 1\n'
    )
    assert dict(old.section("A")) == {
        "remote": "x",
        "url": "http://h:1/;p",
        "long": "a\nb",
        "name": "last",
        "empty": "",
        "nested": "<http://h:1/;p>",
        "inner": "<http://h:1/;p>",
        "lost": "FILL-IN-nobody",
        "percent": "5%",
        "more": "1",
    }
    assert [(remark.line, remark.sentence.split(",")[0]) for remark in old.remarks] == [
        (1, "is neither a section"),
        (9, "[A] name stands here again"),
        (13, "[A] lost refers to nobody"),
    ]


def test_unknown_keys_and_sections_are_listed_without_their_values(imported: Import) -> None:
    made = imported(ENGINES_CONF + "dspace_prot = kept-to-itself\n[Extra]\nthing = kept-to-itself\n")
    unknown = {f"{key.section} {key.key}": key.sentence for key in made.keys if key.fate is Fate.UNKNOWN}
    assert unknown.keys() == {"Production_Dspace_conf dspace_prot", "Extra thing"}
    assert "kept-to-itself" not in repr(made)


def test_a_misspelt_key_is_named_with_the_likely_one(imported: Import) -> None:
    made = imported(ENGINES_CONF.replace("rootdirectory = /data2/prod", "rootdirectori = /data2/prod"))
    [key] = [key for key in made.keys if key.fate is Fate.UNKNOWN]
    assert "did you mean rootdirectory?" in key.sentence


def test_missing_sections_are_gaps_that_are_named(imported: Import, tmp_path: Path) -> None:
    made = imported("[Staging]\nhost = origin\n")
    settings_of(made, tmp_path)
    missing = {match[1] for remark in made.remarks if (match := re.match(r"\[(\w+)\] is missing", remark))}
    assert missing == {"engine", "database", "CMS", "Production", "Mirror", "NetStorage", "DSpace"}
    assert "fill-in.invalid" in made.toml


def test_two_servers_get_two_names(imported: Import, tmp_path: Path) -> None:
    made = imported(ENGINES_CONF + ENGINES_CONF[ENGINES_CONF.index("[Test_Dspace_conf]") :].replace("_Dspace_", "_dspace_"))
    names = settings_of(made, tmp_path).archives
    assert set(names) == {"dspace-production", "dspace-test", "dspace-test-2", "dspace-production-2"}


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.sampled_from(LINES), st.text(st.characters(codec="latin-1"), max_size=20)), max_size=4))
def test_whatever_the_old_values_are_the_new_file_is_toml(imported: Import, changes: list[tuple[str, str]]) -> None:
    text = ENGINES_CONF
    for line, value in changes:
        text = text.replace(line, f"{line.partition('=')[0]}= {value}")
    made = imported(text)
    tomllib.loads(made.toml)
    assert len(made.keys) >= len(KEYS) - len(changes)


@pytest.mark.parametrize("port", ["\u00b9", "9" * 6, "9" * 5000, "eighty"])
def test_a_port_that_is_no_number_is_left_out_of_the_address(imported: Import, port: str) -> None:
    made = imported(ENGINES_CONF.replace("port = 8080", f"port = {port}"))
    assert "dspace" in made.toml
    assert port not in "".join(line for line in made.toml.splitlines() if "http" in line)


@pytest.mark.parametrize("url", ["http://[", "cms", "http://[::1]:8080/x", "//host"])
def test_any_url_can_stand_in_the_old_file(imported: Import, url: str) -> None:
    text = ENGINES_CONF.replace("engine_url = http://cms2.example.edu:8080/Plone", f"engine_url = {url}")
    assert tomllib.loads(imported(text).toml)["sources"]["cms"]["url"]


def test_an_archive_that_is_not_there_is_named(imported: Import) -> None:
    made = imported("[DSpace]\ncurrent_environment = Gone\n[CMS]\nurl = cms.example.edu\n")
    assert "[DSpace] current_environment names [Gone], which is not there" in made.remarks
    assert "[CMS] engine_url is missing: sources.cms.url is the editors' url" in made.remarks
    assert fates(made)["CMS url"] is Fate.CARRIED


@pytest.mark.parametrize("text", ["", "[nothing]\na = b\n", "no ini at all"])
def test_a_file_of_something_else_is_refused(imported: Import, text: str) -> None:
    with pytest.raises(ConfigError, match="none of the sections of the old engines"):
        imported(text)


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        import_engines_conf(tmp_path / "none")


def test_values_that_name_each_other_again_and_again_fill_no_memory() -> None:
    lines = "".join(f"k{n}: {f'%(k{n - 1})s' * 10}\n" for n in range(1, 12))
    section = read_old(f"[SERVER]\nk0: {'ha' * 50}\n{lines}").section("SERVER")
    assert section["k1"] == "ha" * 500
    assert max(map(len, section.values())) <= 10_000


@pytest.mark.parametrize("line", ["key" + " " * 100_000 + "x", "key: " + "%(" * 50_000, "key: x" + " ;" * 50_000, "[" * 100_000])
def test_no_line_takes_long(line: str) -> None:
    """Not measured: with patterns that try every way, one of these would not be done within the suite's patience."""
    assert read_old(f"[SERVER]\n{line}\n").section("SERVER").keys() <= {"key"}


def test_a_file_larger_than_any_is_refused(imported: Import) -> None:
    with pytest.raises(ConfigError, match="larger"):
        imported(ENGINES_CONF + "#" * 200_000)


def test_letters_of_old_encodings_are_read(imported: Import) -> None:
    assert "Bücher" in imported(ENGINES_CONF.replace("/data2/prod", "/data2/Bücher")).toml


def test_the_command_writes_a_file_once_and_lists_every_key(imported: Import, tmp_path: Path) -> None:
    made = imported(ENGINES_CONF)
    old, new = str(tmp_path / "engines.conf"), tmp_path / "new.toml"
    first = CliRunner().invoke(slipway, ["config", "import", old, "-o", str(new)])
    assert first.exit_code == 0
    assert new.read_text() == made.toml
    assert all(f"[{key.section}] {key.key}" in first.stderr for key in made.keys)
    again = CliRunner().invoke(slipway, ["config", "import", old, "-o", str(new)])
    assert again.exit_code == 1
    assert "--force replaces it" in again.stderr
    assert CliRunner().invoke(slipway, ["config", "import", old]).stdout == made.toml
