"""The verbs, by name. Each verb's module is imported when it is used, so that `slipway --help` answers at once."""

import importlib
import signal
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from types import FrameType

import click

VERBS = {
    "demo": ("cli.demo:demo", "Run the main job on a sample site, all of it, here."),
    "init": ("cli.init:init", "Write a commented configuration and make the queue."),
    "run": ("cli.run:run", "Run the daemon: intake, schedules, engines."),
    "console": ("cli.console:console", "Serve the web console; make lines of its password file."),
    "publish": ("cli.publish:publish", "Publish modules."),
    "unpublish": ("cli.publish:unpublish", "Remove modules from an environment."),
    "rollback": ("cli.rollback:rollback", "Go back to what was live before."),
    "takedown": ("cli.takedown:takedown", "Remove modules from everywhere, at once, and keep them away."),
    "republish": ("cli.publish:republish", "Publish many modules: all that a catalogue lists, or some."),
    "plan": ("cli.plan:plan", "Show what publishing would do, file by file, and do nothing."),
    "why": ("cli.why:why", "Say what is live, since when, and what stands in the way."),
    "queue": ("cli.queue:queue", "Look at the queue and change what waits in it."),
    "schedule": ("cli.schedule:schedule", "List what comes back by the clock; run it now."),
    "history": ("cli.history:history", "List a module's publications, or what changed between two."),
    "verify": ("cli.publish:verify", "Compare a target with its own slips; repair it."),
    "slip": ("cli.slip:slip", "Build, check, compare and sign packageslips."),
    "package": ("cli.package:package", "Build and check course packages."),
    "audit": ("cli.audit:audit", "See what was done, by whom; check that the log is whole."),
    "store": ("cli.store:store", "Look after the content store."),
    "target": ("cli.target:target", "Test a target, or take over what it holds."),
    "notice": ("cli.notice:notice", "Try out who is told when a module changed."),
    "alert": ("cli.notice:alert", "Try out who is told when a task fails."),
    "config": ("cli.configuration:config", "Check and show the configuration."),
    "db": ("cli.db:db", "Make or check the queue's schema; go on after a restore."),
    "doctor": ("cli.doctor:doctor", "Check everything that Slipway stands on."),
    "completion": ("cli.completion:completion", "Print the script by which a shell completes what is typed."),
    "man": ("cli.man:man", "Write the manual pages."),
}


@dataclass(frozen=True, slots=True)
class Options:
    """What was said before the verb."""

    config: Path | None = None
    verbosity: int = 0
    quiet: bool = False
    lines: bool = False
    """--json-lines: events on stdout, one a line."""


class Verbs(click.Group):
    """A group that imports a verb's module when the verb is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click's signature
        if cmd_name not in VERBS:
            return None
        # First of all: see config.lean.
        importlib.import_module("config")
        module, name = VERBS[cmd_name][0].split(":")
        command = getattr(importlib.import_module(module), name)
        assert isinstance(command, click.Command)
        allow_loudness(command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - click's signature
        """List the verbs without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, short) for name, (_, short) in VERBS.items()])


def allow_loudness(command: click.Command) -> None:
    """Let -v and -q also stand behind the verb, where people type them."""
    if isinstance(command, click.Group):
        for inner in command.commands.values():
            allow_loudness(inner)
    elif not any(parameter.name == "loudness" for parameter in command.params):
        verbose = click.Option(["--verbose", "-v", "loudness"], count=True, expose_value=False, hidden=True, callback=louder)
        quiet = click.Option(["--quiet", "-q", "silence"], is_flag=True, expose_value=False, hidden=True, callback=quieter)
        command.params += [verbose, quiet]


def louder(ctx: click.Context, _parameter: click.Parameter, count: int) -> None:
    root = ctx.find_root()
    root.obj = replace(root.obj or Options(), verbosity=(root.obj or Options()).verbosity + count)


def quieter(ctx: click.Context, _parameter: click.Parameter, quiet: bool) -> None:
    root = ctx.find_root()
    root.obj = replace(root.obj or Options(), quiet=(root.obj or Options()).quiet or quiet)


EPILOG = (
    "Exit codes: 0 done, 1 failed, 2 usage, 3 partly done, 4 configuration, 5 slip, 6 target, 7 source, "
    "8 try again later, 25 held for a person, 75 locked; docs/command.md says more."
)


@click.group(cls=Verbs, epilog=EPILOG, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 120})
@click.option("--config", "-c", type=click.Path(path_type=Path), help="The configuration file, instead of the first one found.")
@click.option("--verbose", "-v", count=True, help="Say more; twice: with logs and tracebacks.")
@click.option("--quiet", "-q", is_flag=True, help="Say only what was asked for, and errors.")
@click.version_option(package_name="slipway", message="slipway %(version)s")
@click.pass_context
def slipway(ctx: click.Context, config: Path | None, verbose: int, quiet: bool) -> None:
    """Slipway publishes: it makes every target hold exactly what a packageslip says, completely and in order, or not at all.

    Try it: slipway demo
    """
    ctx.obj = Options(config, verbose, quiet)


class Terminated(BaseException):
    """SIGTERM arrived."""


def terminate(number: int, frame: FrameType | None) -> None:  # noqa: ARG001 - a signal handler's signature
    raise Terminated


def main() -> None:
    """Run the command line; the process ends with one of the documented exit codes."""
    signal.signal(signal.SIGTERM, terminate)
    try:
        slipway.main(prog_name="slipway")
    except Terminated:
        click.echo("slipway: terminated", err=True)
        sys.exit(128 + signal.SIGTERM)
