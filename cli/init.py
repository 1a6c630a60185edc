"""`slipway init`: a configuration to start from."""

import json
import os
import re
from importlib.resources import files
from pathlib import Path

import click

from cli.exits import Exit
from cli.session import Failure, Session, in_session, open_database
from config import Secrets, candidates, load

_STATE = re.compile(r"^#state_dir = .*$", re.MULTILINE)


@click.command()
@click.option("--force", is_flag=True, help="Replace a configuration that is there.")
@click.option(
    "--state", metavar="FOLDER", help="Where the queue and the content store live; a relative path starts at the file's folder."
)
@in_session
def init(session: Session, force: bool, state: str | None) -> None:
    """Write a commented configuration, make the state directory and the embedded queue.

    Into the file of --config, else /etc/slipway/config.toml for root, else ~/.config/slipway/config.toml.
    """
    file = session.options.config or default_file()
    if file.exists() and not force:
        raise Failure(f"{file} is there already; --force replaces it", Exit.FAILED)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(sample(state))
    settings = load(file)
    open_database(settings, Secrets()).close()
    session.print(f"{file}")
    session.say(f"state and queue in {settings.state_dir}; next: edit {file}, then 'slipway config check' and 'slipway doctor'")


def sample(state: str | None) -> str:
    """The commented configuration, with the state directory that was named."""
    text = files("config").joinpath("sample.toml").read_text()
    return text if state is None else _STATE.sub(lambda _: f"state_dir = {json.dumps(state, ensure_ascii=False)}", text, count=1)


def default_file() -> Path:
    user, system = candidates(os.environ)
    return system if os.geteuid() == 0 else user
