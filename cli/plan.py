"""`slipway plan`: what publishing would do, file by file, by the planner that publishes."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import click

import archives
from answers import many, size
from cli.completing import URL
from cli.exits import Exit, code_of_name
from cli.flags import AS_JSON, TO
from cli.places import environment_of, module_url, source_of, store_of, target_of
from cli.session import Failure, Session, in_session
from cli.words import table
from config import EnvironmentSettings
from database import Action, Deposits, Leases, NewTask, Outcome, Record, Signatures, State, Task
from notices import Notifier
from sources import Web
from tasks import Reason, Tools, execute

MARKS = {"put": ">", "keep": ".", "drop": "-", "leave": "!", "stale": "~"}
SPECIAL = {Reason.NEW: "+", Reason.UNKNOWN: "?"}


@click.command()
@click.argument("url", type=URL)
@TO
@click.option("--full", is_flag=True, help="As with publish --full.")
@click.option("--all", "everything", is_flag=True, help="List the files that are the same, too.")
@AS_JSON
@in_session
def plan(session: Session, url: str, environment: str, full: bool, everything: bool, as_json: bool) -> Exit:
    """Show what publishing would do, file by file, and do nothing.

    + new, > other bytes, ? unknown until fetched, - no longer listed, ~ so but stays for a while, ! something to look at; with
    --all: . the same.
    """
    document = rehearsed(session, module_url(url), environment, full=full)
    if as_json:
        session.document({"url": module_url(url), "environment": environment, "plan": document})
        return Exit.OK
    print_plan(session, document, kept=everything)
    return Exit.OK


def rehearsed(session: Session, url: str, environment: str, *, full: bool) -> Mapping[str, Any]:
    """The plan's document, made here by reading alone: no row, no takeover."""
    parameters = {"dry_run": True, **({"mode": "full"} if full else {})}
    settings = environment_of(session, environment)
    task = Task(0, url, environment, Action.PUBLISH, State.RUNNING, settings.origin, parameters=parameters, attempts=1)
    result = execute(task, tools_of(session, settings))
    if result.outcome is not Outcome.SUCCEEDED:
        raise Failure(result.reason, code_of_name(result.error))
    made: Mapping[str, Any] = result.summary["plan"]
    return made


def tools_of(session: Session, settings: EnvironmentSettings) -> Tools:
    """What a dry run works with: everything that an engine has, but nothing to hold or to write with."""
    return Tools(
        settings=session.settings,
        environment=settings,
        source=source_of(session, settings.source),
        views=source_of(session, settings.views or settings.source),
        target=target_of(session, settings.origin),
        open_target=lambda name: target_of(session, name),
        store=store_of(session.settings),
        web=Web(session.settings.web),
        record=Record(session.database),
        proofs=Signatures(session.database),
        deposits=Deposits(session.database),
        open_archive=lambda name: archives.open_archive(name, session.settings, session.secrets),
        notifier=Notifier(session.settings.notices, session.secrets),
        claim=Bystander(session.database.queue_id, lambda: int(Leases(session.database).now().timestamp())),
        expand=lambda _task, _rows, _cursor: refuse(),
        purge=lambda _days: 0,
        report=lambda _task, _look: None,
        cancelled=lambda: False,
        released=lambda: False,
    )


def refuse(rows: Sequence[NewTask] = ()) -> None:
    raise AssertionError(f"a dry run inserts nothing: {rows}")


@dataclass(frozen=True, slots=True)
class Bystander:
    """The claim of somebody who only looks."""

    queue: str
    clock: Callable[[], int]
    fence: int = 0
    serial: int = 0
    nonce: str = "00000000"

    def renew(self, above: int) -> None:
        """Never: there is nothing to hold."""
        raise AssertionError(f"a dry run takes nothing over (above {above})")

    def check(self) -> None:
        """Always: there is no lease to lose."""

    def begins(self, target: str) -> None:
        """Never: nothing is made anywhere."""
        raise AssertionError(f"a dry run makes no area on {target}")

    def now(self) -> int:
        """By the database's clock."""
        return self.clock()


def print_plan(session: Session, document: Mapping[str, Any], *, kept: bool = False) -> None:
    """Itemise a plan, as `rsync -i` does: what moves, its size, and why."""
    for one in document.get("members", [document]):
        rows = [change_row(change) for change in one.get("changes", ()) if kept or change["change"] != "keep"]
        table(session, ["  path", "size", "reason", "it"], rows)
        for objection in one["objections"]:
            session.print(f"! {objection['sentence']}")
        if "counts" in one:
            # What is asked of a person is not always about files.
            session.say(plan_words(one))


def plan_words(plan: Mapping[str, Any]) -> str:
    """What a plan comes to, in a line; a group's members one after the other."""
    if "members" in plan:
        return "; ".join(plan_words(member) for member in plan["members"])
    counts = plan["counts"]
    unknown = sum(1 for change in plan["changes"] if change["reason"] == Reason.UNKNOWN)
    moving = f"{many(counts['put'] - unknown, 'file')} to put ({size(counts['bytes'])}), {counts['drop']} to drop"
    maybe = f", {unknown} unknown until fetched" if unknown else ""
    return f"{plan['url']} on {plan['target']}: {moving}{maybe}, {counts['keep']} the same"


def change_row(change: Mapping[str, Any]) -> tuple[str, str, str, str]:
    reason = Reason(change["reason"])
    mark = SPECIAL.get(reason, MARKS[change["change"]])
    amount = size(change["size"]) if change["size"] is not None else ""
    return (f"{mark} {change['path']}", amount, reason.value, reason.sentence)
