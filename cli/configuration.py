"""`slipway config`: what is configured, and what is wrong with it."""

import json
from pathlib import Path

import click

from cli.exits import Exit
from cli.flags import AS_JSON, EXISTING, FILE
from cli.schedule import schedule_faults
from cli.session import Failure, Session, in_session
from config import ConfigFault, Fate, Imported, OldSetting, describe, find_file, import_engines_conf
from config import check as check_config


@click.group()
def config() -> None:
    """Check and show the configuration."""


@config.command()
@AS_JSON
@in_session
def check(session: Session, as_json: bool) -> Exit:
    """Name every fault at once, with the nearest known key."""
    # Only a whole configuration can be asked what its rows would come to.
    faults = list(check_config(session.options.config)) or list(schedule_faults(session.settings, file_name(session) or ""))
    if as_json:
        session.document({"file": file_name(session), "faults": [fault_fields(fault) for fault in faults]})
    else:
        for fault in faults:
            session.print(str(fault))
    session.say(
        f"{len(faults)} faults"
        if len(faults) > 1
        else "1 fault"
        if faults
        else f"{file_name(session) or 'the defaults'}: no fault"
    )
    return Exit.CONFIGURATION if faults else Exit.OK


def file_name(session: Session) -> str | None:
    found = find_file(session.options.config)
    return str(found) if found else None


def fault_fields(fault: ConfigFault) -> dict[str, object]:
    return {"file": fault.file, "key": fault.key, "message": fault.message, "nearest": fault.nearest}


@config.command()
@AS_JSON
@in_session
def show(session: Session, as_json: bool) -> None:
    """Show every setting that is in force; secrets are masked."""
    settings = session.settings
    described = describe(settings)
    if as_json:
        rows = [{"key": one.key, "value": one.value, "default": one.default, "doc": one.doc} for one in described]
        session.document({"file": file_name(session), "settings": rows})
        return
    session.say(f"# from {file_name(session) or 'the defaults alone'}; what is set there is marked *")
    for one in described:
        session.print(f"{' ' if one.default else '*'} {one.key} = {json.dumps(one.value, ensure_ascii=False, default=str)}")


@config.command("import")
@click.argument("old", type=EXISTING, metavar="ENGINES.CONF")
@click.option("-o", "--output", type=FILE, metavar="FILE", help="Where to write the new configuration, instead of to stdout.")
@click.option("--force", is_flag=True, help="Replace FILE if it is there.")
@AS_JSON
@in_session
def import_(session: Session, old: Path, output: Path | None, force: bool, as_json: bool) -> None:
    """Turn an engines.conf of the old engines into a configuration, and say what became of each of its keys.

    Passwords are neither copied nor shown: the new configuration says which file to put each into.
    """
    made = import_engines_conf(old)
    if output is not None:
        write_new(output, made.toml, force=force)
    if as_json:
        keys = [{**key_fields(key), "sentence": key.sentence} for key in made.keys]
        session.document(
            {"file": str(output) if output else None, "toml": made.toml, "keys": keys, "remarks": list(made.remarks)}
        )
        return
    if output is None:
        session.print(made.toml.rstrip("\n"))
    tell_fates(session, made)
    next_step = f"'slipway -c {output} config check'" if output else "write it to a file with -o"
    session.say(f"next: fill in what is marked FILL IN, then {next_step}; docs/switching-over.md has the whole way")


def write_new(file: Path, text: str, *, force: bool) -> None:
    if file.exists() and not force:
        raise Failure(f"{file} is there already; --force replaces it", Exit.FAILED)
    file.write_text(text, encoding="utf-8")


def key_fields(key: OldSetting) -> dict[str, object]:
    return {"section": key.section, "key": key.key, "line": key.line, "fate": key.fate.value, "place": key.place}


def tell_fates(session: Session, made: Imported) -> None:
    """Each old key in a line, by what became of it; then what else there is to know of the file."""
    for fate in Fate:
        for key in (key for key in made.keys if key.fate is fate):
            place = f" -> {key.place}" if key.place else ""
            session.say(f"{fate.value}: [{key.section}] {key.key}{place}" + (f": {key.sentence}" if key.sentence else ""))
    for remark in made.remarks:
        session.say(f"note: {remark}")
