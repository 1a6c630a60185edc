"""`slipway queue watch`: what each environment does now, what waits there, and what ends."""

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import click
from rich.console import Group, RenderableType
from rich.live import Live
from rich.text import Text

from answers import WORKS, at, breaker_fields, many, standing, waiting_fields, when
from cli.completing import ENVIRONMENT
from cli.flags import json_or_lines
from cli.live import Events, Mover, Speeds, bars, clock_words, files_words, live, mover_fields, step_of
from cli.places import environment_of
from cli.session import Session, in_session
from cli.visible import one_line
from database import COUNTED, Breaker, Desk, Happening, Intake, Leases, Underway, Waiting

LATEST = 5
"""Tasks that ended last, as far as the picture shows them."""
COLOURS = {"SUCCEEDED": "green", "FAILED": "red", "REJECTED": "red", "HELD": "yellow"}


@dataclass(frozen=True, slots=True)
class Station:
    """One environment at one moment."""

    waiting: Waiting
    engines: int
    state: str
    """works, paused, draining or drained."""
    movers: tuple[Mover, ...]

    @property
    def name(self) -> str:
        return self.waiting.environment

    @property
    def idle(self) -> bool:
        """Whether nothing runs there, and nothing would run now."""
        return not self.movers and not self.waiting.new and not self.waiting.due and not self.waiting.running


@dataclass(frozen=True, slots=True)
class Glance:
    """The whole queue at one moment. `ended`: what came to its end since the glance before."""

    at: datetime
    stations: tuple[Station, ...]
    outages: tuple[Breaker, ...]
    ended: tuple[Happening, ...] = ()


@click.command()
@click.option("--env", "environments", multiple=True, type=ENVIRONMENT, metavar="ENV", help="Only this one; may be repeated.")
@click.option("--every", type=click.FloatRange(0.2), default=1.0, show_default=True, help="Seconds between two looks.")
@click.option("--once", is_flag=True, help="Look once and leave.")
@click.option("--until-idle", is_flag=True, help="Leave when nothing runs and nothing is due.")
@json_or_lines
@in_session
def watch(session: Session, environments: tuple[str, ...], every: float, once: bool, until_idle: bool, as_json: bool) -> None:
    """Watch what runs in each environment, with step, files and bytes done, rate and time left; Ctrl-C leaves.

    On a terminal a picture that renews itself; elsewhere a line for each step and for each task that ends. --json looks once.
    """
    for name in environments:
        environment_of(session, name)
    looks = glances(session, environments or tuple(session.settings.environments), every)
    if as_json and not session.options.lines:
        session.document(glance_fields(next(looks)))
        return
    for glance in shown(session, looks, once=once):
        if once or (until_idle and all(station.idle for station in glance.stations)):
            if session.options.lines:
                session.event("summary", glance_fields(glance))
            return


def glances(session: Session, environments: Sequence[str], every: float) -> Iterator[Glance]:
    """Look again and again; what ends between two looks is in the later one."""
    underway, speeds = Underway(session.database), Speeds()
    event, ended = underway.newest_event(), list[Happening]()
    while True:
        running = speeds.movers(underway.running(environments), time.monotonic())
        engines, pauses = Intake(session.database).poll().engines, Desk(session.database).pauses()
        stations = tuple(
            Station(
                underway.waiting(name),
                engines.get(name, 0),
                standing(pauses.get(name), engines.get(name, 0)),
                tuple(mover for mover in running if mover.moving.task.environment == name),
            )
            for name in environments
        )
        yield Glance(Leases(session.database).now(), stations, tuple(underway.outages()), tuple(ended))
        time.sleep(every)
        event, ended = underway.happened(event, environments)


def shown(session: Session, looks: Iterator[Glance], *, once: bool) -> Iterator[Glance]:
    """Each glance, when it was shown in the form that fits."""
    if session.options.lines:
        yield from as_events(session, looks)
    elif session.out.is_terminal and session.err.is_terminal and not once:
        with live(session) as picture:
            yield from as_picture(picture, looks)
    else:
        yield from as_lines(session, looks)


def as_events(session: Session, looks: Iterator[Glance]) -> Iterator[Glance]:
    events = Events(session)
    for glance in looks:
        for one in glance.ended:
            session.event("item", {"task": happening_fields(one)})
        movers = [mover for station in glance.stations for mover in station.movers]
        events.show(0, 0, movers)
        yield glance


def as_picture(picture: Live, looks: Iterator[Glance]) -> Iterator[Glance]:
    latest: tuple[Happening, ...] = ()
    for glance in looks:
        latest = (*latest, *glance.ended)[-LATEST:]
        picture.update(drawn(glance, latest, picture.console.height))
        yield glance


def as_lines(session: Session, looks: Iterator[Glance]) -> Iterator[Glance]:
    """On stdout: how each environment is when that changes, each step of each task, and how it ended."""
    heads: dict[str, tuple[object, ...]] = {}
    steps: dict[int, str] = {}
    for glance in looks:
        for one in glance.ended:
            which = f"{one.environment}\t{one.task}\t{one.action} {one_line(one.url)}"
            session.print(f"{when(one.at)}\t{which}\t{one.state}: {one_line(one.reason or '')}")
        for station in glance.stations:
            head = (station.engines, station.state)
            if heads.get(station.name) != head:
                heads[station.name] = head
                session.print(f"{when(glance.at)}\t{station.name}\t\t\t{station_words(station, glance.at)}")
            for mover in station.movers:
                told = steps.get(mover.moving.task.id)
                if told != step_of(mover):
                    steps[mover.moving.task.id] = step_of(mover)
                    session.print(mover_line(mover, glance.at))
        yield glance


def mover_line(mover: Mover, at: datetime) -> str:
    task = mover.moving.task
    files = files_words(mover)
    return f"{when(at)}\t{task.environment}\t{task.id}\t{task.action} {task.url}\t{step_of(mover)}" + (
        f" {files}" if files else ""
    )


def station_words(station: Station, at: datetime) -> str:
    """How an environment is, in a line."""
    waiting = station.waiting
    said = ["" if station.state == WORKS else station.state, many(station.engines, "engine") if station.engines else "no engine"]
    oldest = f", the oldest since {clock_words((at - waiting.oldest_due).total_seconds())}" if waiting.oldest_due else ""
    counts = {"new": waiting.new, f"due{oldest}": waiting.due, "later": waiting.later, "on hold": waiting.on_hold}
    said += [f"{counted(number)} {word}" for word, number in counts.items() if number]
    said += [f"{counted(waiting.held)} held for a person"] if waiting.held else []
    return "; ".join(word for word in said if word)


def counted(number: int) -> str:
    return f"{number:,}" + ("+" if number >= COUNTED else "")


def drawn(glance: Glance, latest: Sequence[Happening], height: int) -> RenderableType:
    """The picture: a head and the running tasks of each environment, what is down, what ended last."""
    room = height - 2 * len(glance.stations) - len(glance.outages) - len(latest) - 3
    each = max(1, room // max(1, len(glance.stations)))
    parts: list[RenderableType] = []
    for station in glance.stations:
        parts.append(Text.assemble((station.name, "bold"), "  ", station_words(station, glance.at)))
        if station.movers:
            parts.append(bars(station.movers, each))
    parts += [
        Text(
            one_line(f"{one.name} has not answered since {at(one.since, glance.at)}: {one.reason}"),
            style="red",
            no_wrap=True,
            overflow="ellipsis",
        )
        for one in glance.outages
    ]
    parts += [ended_text(one) for one in latest]
    return Group(*parts)


def ended_text(one: Happening) -> Text:
    which = one_line(f"{one.at:%H:%M:%S}  {one.task}  {one.environment}  {one.action} {one.url}  ")
    text = Text(which, no_wrap=True, overflow="ellipsis")
    return text.append(one.state, COLOURS.get(one.state, "")).append(one_line(f"  {one.reason}"))


def glance_fields(glance: Glance) -> Mapping[str, object]:
    """A glance as JSON. A count that is `counted_up_to` means: so many or more."""
    return {
        "at": when(glance.at),
        "counted_up_to": COUNTED,
        "environments": [station_fields(station) for station in glance.stations],
        "breakers": [breaker_fields(breaker) for breaker in glance.outages],
    }


def station_fields(station: Station) -> dict[str, object]:
    return {
        "environment": station.name,
        "engines": station.engines,
        "state": station.state,
        "paused": station.state != WORKS,
        **waiting_fields(station.waiting),
        "running": [mover_fields(mover) for mover in station.movers],
    }


def happening_fields(one: Happening) -> dict[str, object]:
    return {
        "id": one.task,
        "url": one.url,
        "environment": one.environment,
        "action": one.action,
        "target": one.target or None,
        "state": one.state,
        "reason": one.reason,
        "at": when(one.at),
    }
