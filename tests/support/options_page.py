"""The page of the manual with every verb and option, made of the command itself. `python -m support.options_page FILE` writes it."""

import sys
from collections.abc import Iterator
from inspect import cleandoc
from pathlib import Path

import click

from cli import slipway

INTRODUCTION = """\
# Every verb and option

Made of the command itself: the same text as `slipway VERB --help` and slipway(1). What the verbs are for, `--json` and the exit codes are
[here](command.md).
"""


def page(command: click.Command) -> str:
    """The whole page."""
    context = click.Context(command, info_name="slipway")
    return "".join((INTRODUCTION, "\n## slipway\n", *_options(context), *_verbs(context)))


def _verbs(parent: click.Context) -> Iterator[str]:
    """Each verb, and those below it, in the order of the help."""
    assert isinstance(parent.command, click.Group)
    for name in parent.command.list_commands(parent):
        inner = parent.command.get_command(parent, name)
        assert inner is not None
        context = click.Context(inner, info_name=name, parent=parent)
        if not inner.hidden and (not isinstance(inner, click.Group) or inner.invoke_without_command):
            yield from _verb(context)
        if isinstance(inner, click.Group):
            yield from _verbs(context)


def _verb(context: click.Context) -> Iterator[str]:
    usage = " ".join((context.command_path, *context.command.collect_usage_pieces(context)))
    yield f"\n## {context.command_path}\n\n```\n{usage}\n```\n\n{_prose(context.command.help)}\n"
    yield from _options(context)
    yield f"\n{_prose(context.command.epilog)}\n" if context.command.epilog else ""


def _options(context: click.Context) -> Iterator[str]:
    records = (parameter.get_help_record(context) for parameter in context.command.get_params(context))
    # Each verb has --help, as slipway itself has it.
    rows = [(names, text) for names, text in filter(None, records) if text and (context.parent is None or "--help" not in names)]
    if rows:
        yield "\n| option | |\n|---|---|\n"
    for names, text in rows:
        yield f"| `{names.replace('|', chr(92) + '|')}` | {text.replace('|', chr(92) + '|')} |\n"


def _prose(text: str | None) -> str:
    """Paragraphs as they are; what click would not wrap stays as it is laid out."""
    blocks = [block.strip("\n") for block in cleandoc(text or "").split("\n\n")]
    return "\n\n".join(f"```\n{block[1:].strip(chr(10))}\n```" if block.startswith("\b") else block for block in blocks)


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(page(slipway), encoding="utf-8")
