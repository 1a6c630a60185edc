"""One run of the command: where its words go, what it has opened, and how it ends."""

import functools
import json
import sys
import traceback
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from types import TracebackType
from typing import Concatenate, ParamSpec, Self

import click
import structlog
from rich.console import Console

from cli.exits import Exit, code_of
from cli.main import Options
from cli.visible import visible
from config import Secrets, Settings, configure_logging, load, queue_url
from database import Database, DatabaseUnavailable, upgrade

DOCUMENT_VERSION = 1
"""The `version` of every --json document and of every event; it rises when a field changes its meaning or goes."""

P = ParamSpec("P")


class Failure(Exception):
    """The verb could not do it; the message is one sentence, the code one of the documented ones."""

    def __init__(self, message: str, code: Exit) -> None:
        self.code = code
        super().__init__(message)


class Session:
    """What the verbs share. Data goes to `out` (stdout), everything else to `err` (stderr)."""

    def __init__(self, options: Options, environ: Mapping[str, str] | None = None) -> None:
        self.options = options
        self._environ = environ
        self.out = Console(soft_wrap=True, highlight=False, emoji=False, markup=False)
        self.err = Console(stderr=True, soft_wrap=True, highlight=False, emoji=False, markup=False)
        self._open = ExitStack()
        self._database: Database | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._open.close()

    @functools.cached_property
    def settings(self) -> Settings:
        """The configuration; logs follow it, but stay silent unless they were asked for."""
        settings = load(self.options.config, self._environ)
        level = "debug" if self.options.verbosity > 1 else "info" if self.options.verbosity else "error"
        configure_logging(settings.log.model_copy(update={"level": level}), sys.stderr, self.secrets)
        return settings

    @functools.cached_property
    def secrets(self) -> Secrets:
        return Secrets(self._environ)

    @property
    def database(self) -> Database:
        """The queue's database, its schema checked. An embedded one is made or upgraded on first use."""
        if self._database is None:
            self._database = open_database(self.settings, self.secrets)
            self._open.callback(self._database.close)
        return self._database

    @property
    def waiting_database(self) -> Database:
        """The same for a service: that the database is down is told on every page, and is no reason not to start."""
        try:
            return self.database
        except DatabaseUnavailable as error:
            structlog.get_logger(__name__).warning("database unavailable", reason=str(error))
        url, password = queue_url(self.settings), self.settings.queue.password
        self._database = Database.connect(url, self.secrets.read(password) if password else None)
        self._open.callback(self._database.close)
        return self._database

    def keep(self, close: Callable[[], object]) -> None:
        """Call this when the verb ends."""
        self._open.callback(close)

    @property
    def terminal(self) -> bool:
        """Whether a person may be asked: both ends are a terminal."""
        return sys.stdin.isatty() and self.err.is_terminal

    def say(self, text: str) -> None:
        """Tell a person, on stderr, unless asked to be quiet."""
        if not self.options.quiet:
            self.err.print(visible(self.secrets.masked(text)))

    def print(self, text: str) -> None:
        """A line of what was asked for, on stdout."""
        masked = self.secrets.masked(text)
        click.echo(visible(masked) if self.out.is_terminal else masked)

    def document(self, content: Mapping[str, object]) -> None:
        """The one JSON document of --json, on stdout; of --json-lines, the last event."""
        if self.options.lines:
            self.event("summary", content)
            return
        click.echo(self.secrets.masked(json.dumps({"version": DOCUMENT_VERSION, **content}, ensure_ascii=False, indent=2)))

    def event(self, kind: str, content: Mapping[str, object]) -> None:
        """One event of --json-lines, on stdout. `kind`: plan, progress, item, error or summary."""
        click.echo(self.secrets.masked(event_line(kind, content)))

    def listing(self, things: str, thing: str, entries: Sequence[object], **rest: object) -> None:
        """A list as JSON: one document, or one event for each entry and a summary that counts them."""
        if not self.options.lines:
            self.document({**rest, things: entries})
            return
        for entry in entries:
            self.event("item", {thing: entry})
        self.event("summary", {**rest, "count": len(entries)})

    def confirm(self, question: str, *, yes: bool) -> None:
        """Ask before something that cannot be taken back; without a terminal, -y must have been given."""
        if yes:
            return
        if not self.terminal:
            raise click.UsageError(f"{question} Say so with -y.")
        if not click.confirm(question, err=True):
            raise Failure("nothing was done", Exit.FAILED)


def open_database(settings: Settings, secrets: Secrets) -> Database:
    """Connect; an embedded SQLite queue gets its schema by itself, a server's is changed only by 'slipway db upgrade'."""
    url = queue_url(settings)
    password = secrets.read(settings.queue.password) if settings.queue.password else None
    if url.startswith("sqlite"):
        upgrade(url, password)
    database = Database.connect(url, password)
    database.check_schema()
    return database


def in_session(verb: Callable[Concatenate[Session, P], Exit | None]) -> Callable[P, None]:
    """Run a verb in a session and turn what it returns or raises into an exit code and one sentence."""

    @functools.wraps(verb)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        context = click.get_current_context()
        options: Options = context.find_root().obj
        session: Session | None = None
        try:
            with Session(options) as session:
                code = verb(session, *args, **kwargs) or Exit.OK
        except KeyboardInterrupt:
            code = complain("interrupted", Exit.INTERRUPTED, options)
        except click.UsageError as error:
            tell_scripts(error.format_message(), Exit.USAGE, options)
            raise
        except (click.ClickException, click.exceptions.Exit, click.Abort, BrokenPipeError):
            # Of these click knows what to do; a reader that has seen enough is no fault.
            raise
        except Failure as failure:
            message = session.secrets.masked(str(failure)) if session is not None else str(failure)
            code = complain(message, failure.code, options)
        except Exception as error:  # noqa: BLE001 - whatever it is, the person hears of it, and no secret with it
            secrets = session.secrets if session is not None else Secrets({})
            if options.verbosity > 1:
                click.echo(secrets.masked(traceback.format_exc()), err=True, nl=False)
            code = complain(secrets.masked(sentence(error)), code_of(type(error)), options)
        context.exit(int(code))

    return run


def complain(message: str, code: Exit, options: Options) -> Exit:
    """One sentence on stderr."""
    click.echo(f"slipway: {visible(message)}", err=True)
    tell_scripts(message, code, options)
    return code


def tell_scripts(message: str, code: Exit, options: Options) -> None:
    """Who reads events hears of the end there, too."""
    if options.lines:
        click.echo(event_line("error", {"message": message, "exit": int(code)}))


def event_line(kind: str, content: Mapping[str, object]) -> str:
    """One event: its version and its type come first."""
    return json.dumps({"version": DOCUMENT_VERSION, "type": kind, **content}, ensure_ascii=False)


def sentence(error: Exception) -> str:
    """What to tell a person. Our own errors are sentences already; a stranger's kind is named."""
    text = str(error).strip()
    if code_of(type(error)) is not Exit.FAILED or type(error).__module__.split(".")[0] in (
        "store",
        "database",
        "tasks",
        "notices",
        "engines",
    ):
        return text or type(error).__name__
    if isinstance(error, OSError) and error.filename is not None:
        return f"{error.filename}: {error.strerror}"
    return f"{type(error).__name__}: {text} (this is a fault of Slipway; 'slipway -vv ...' shows where)"
