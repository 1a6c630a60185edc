"""`slipway man`: the manual pages slipway(1), slipway.toml(5) and slipway(8), made of the program itself."""

import json
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

import click

from cli import roff
from cli.exits import MEANINGS
from cli.flags import FILE
from cli.session import Session, in_session
from config import Documented, candidates, reference, state_dir


@click.command()
@click.argument("folder", type=FILE)
@in_session
def man(session: Session, folder: Path) -> None:
    """Write the manual pages below FOLDER, such as /usr/local/share/man."""
    root = click.get_current_context().find_root()
    pages = {"man1/slipway.1": command(root), "man5/slipway.toml.5": configuration(), "man8/slipway.8": service()}
    for place, text in pages.items():
        path = folder / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        session.print(str(path))


def command(root: click.Context) -> str:
    """slipway(1): every verb with its options."""
    return roff.page("slipway", 1, "User commands", version("slipway"), _command(root))


def configuration() -> str:
    """slipway.toml(5): every key."""
    return roff.page("slipway.toml", 5, "File formats", version("slipway"), _configuration())


def service() -> str:
    """slipway(8): the daemon and the engines."""
    return roff.page("slipway", 8, "System administration", version("slipway"), _service())


def _command(root: click.Context) -> Iterator[str]:
    yield roff.section("NAME")
    yield "slipway \\- publish static sites from packageslips"
    yield roff.section("SYNOPSIS")
    yield f".B slipway\n{roff.escaped('[-c FILE] [-v | -vv] [-q] VERB ...')}"
    yield roff.section("DESCRIPTION")
    yield from roff.paragraphs(root.command.help or "")
    yield roff.section("OPTIONS")
    yield from _options(root)
    yield roff.section("VERBS")
    yield from _verbs(root)
    yield roff.section("EXIT STATUS")
    yield roff.paragraph("The codes never change their meaning. A script must read a code that it does not know as failure.")
    yield from (roff.term(str(int(code)), meaning) for code, meaning in MEANINGS.items())
    yield from _files()
    yield roff.section("SEE ALSO")
    yield ".BR slipway.toml (5),\n.BR slipway (8)"


def _verbs(parent: click.Context) -> Iterator[str]:
    """Each verb, and those below it, in the order of the help."""
    assert isinstance(parent.command, click.Group)
    for name in parent.command.list_commands(parent):
        inner = parent.command.get_command(parent, name)
        assert inner is not None
        if inner.hidden:
            continue
        context = click.Context(inner, info_name=name, parent=parent)
        if not isinstance(inner, click.Group) or inner.invoke_without_command:
            yield roff.subsection(" ".join((context.command_path, *inner.collect_usage_pieces(context))))
            yield from roff.paragraphs(inner.help or "")
            yield from _options(context)
            yield from roff.paragraphs(inner.epilog or "")
        if isinstance(inner, click.Group):
            yield from _verbs(context)


def _options(context: click.Context) -> Iterator[str]:
    records = (parameter.get_help_record(context) for parameter in context.command.get_params(context))
    # Each verb has --help, as slipway itself has it.
    for names, text in filter(None, records):
        if text and (context.parent is None or "--help" not in names):
            yield roff.term(names, text)


def _configuration() -> Iterator[str]:
    yield roff.section("NAME")
    yield "slipway.toml \\- the configuration of Slipway"
    yield roff.section("DESCRIPTION")
    yield roff.paragraph(
        "One TOML file; paths in it are relative to its folder. A flag goes over a variable, that over the file, that over the "
        "default. The variable of a key is its name in capitals with __ between tables, such as SLIPWAY_QUEUE__URL. A key or a "
        "variable that Slipway does not know is a fault. NAME stands for a name of your own."
    )
    yield roff.paragraph("'slipway config check' names every fault at once; 'slipway config show' prints what is in force.")
    yield roff.section("KEYS")
    table = None
    for key in reference():
        if (above := key.key.rpartition(".")[0]) != table:
            table = above
            yield roff.subsection(f"[{table}]" if table else "At the top")
        yield roff.term(key.key.rpartition(".")[2], f"{_shape(key)}. {key.doc}")
    yield from _files()
    yield roff.section("SEE ALSO")
    yield ".BR slipway (1),\n.BR slipway (8)"


def _shape(key: Documented) -> str:
    """Its type, for which kind of table it is, and what it is when nobody says anything."""
    kind = f" (kind {key.kind})" if key.kind else ""
    if key.required:
        return f"{key.type}{kind}, required"
    default = "" if key.default in (None, [], {}, "") else f", default {json.dumps(key.default)}"
    return f"{key.type}{kind}{default}"


def _service() -> Iterator[str]:
    yield roff.section("NAME")
    yield "slipway \\- the publishing daemon and its engines"
    yield roff.section("SYNOPSIS")
    yield f".B slipway run\n.br\n.B {roff.escaped('python -P -m engines ENVIRONMENT [--until-idle]')}"
    yield roff.section("DESCRIPTION")
    yield roff.paragraph(
        "The daemon judges the rows that people insert into publication_task_queue, fires the schedules, and starts an engine "
        "for each environment that has something to do. Engines are processes of their own: they outlive the daemon, and each "
        "owns what it works on by a lease in the database. Any number of daemons, on any number of servers, may serve one queue."
    )
    yield roff.paragraph(
        "An engine can be run by hand, or from cron with --until-idle. Its environment is named, or given as the number that is "
        "its code in the configuration. Exit codes: 0 idle or stopped, 1 a fault of the program, 4 the configuration or the "
        "schema must be corrected, 8 the database does not answer, 75 the lease was lost."
    )
    yield roff.section("SIGNALS")
    yield roff.term(
        "SIGTERM, SIGINT", "No new task is begun; running ones get engine.stop_grace seconds to finish. Again: at once."
    )
    yield roff.term("SIGHUP", "The daemon reads its configuration anew. A faulty one is told, and the old one stays in force.")
    yield roff.section("SERVICE MANAGER")
    yield roff.paragraph(
        "The daemon tells systemd when it is ready and that it lives (Type=notify, WatchdogSec); slipway.service in the folder "
        "deploy of the sources is a hardened unit."
    )
    yield from _files()
    yield roff.section("SEE ALSO")
    yield ".BR slipway (1),\n.BR slipway.toml (5)"


def _files() -> Iterator[str]:
    yield roff.section("FILES")
    places = " or ".join(str(path) for path in candidates({"HOME": "~"}))
    yield roff.term(places, "The configuration, where -c names none: the first that exists.")
    yield roff.term(str(state_dir({}, root=True)), "The embedded queue and the content store, where state_dir says nothing else.")
