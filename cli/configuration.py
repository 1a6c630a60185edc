"""`slipway config`: what is configured, and what is wrong with it."""

import json

import click

from cli.exits import Exit
from cli.flags import AS_JSON
from cli.session import Session, in_session
from config import ConfigFault, describe, find_file
from config import check as check_config


@click.group()
def config() -> None:
    """Check and show the configuration."""


@config.command()
@AS_JSON
@in_session
def check(session: Session, as_json: bool) -> Exit:
    """Name every fault at once, with the nearest known key."""
    faults = check_config(session.options.config)
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
