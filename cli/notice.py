"""`slipway notice` and `slipway alert`: try one out, without any module being changed."""

import time
from collections.abc import Iterator
from urllib.parse import urlsplit

import click

from cli.completing import ALERT, ENVIRONMENT, NOTICE
from cli.places import nearest
from cli.session import Session, in_session
from config import AlertSettings, EmailAlert, FastlyNotice, NoticeSettings, PurgeNotice, Secret, WebhookNotice, this_host
from notices import HARMLESS, Alerter, Event, Notifier, Seen, order
from targets import Check


@click.group()
def notice() -> None:
    """Try out who is told when a module changed."""


@notice.command("test")
@click.argument("name", type=NOTICE)
@click.option("--env", "environment", type=ENVIRONMENT, help="Whose site is meant, where several name this notice.")
@in_session
def try_notice(session: Session, name: str, environment: str | None) -> None:
    """Send a harmless notice: a purge of something that does not exist, or a webhook with the event "test"."""
    settings = session.settings
    if name not in settings.notices:
        raise click.UsageError(f"there is no notice {name}: {nearest(name, settings.notices)}")
    users = users_of(session, name)
    if environment is not None and environment not in users:
        raise click.UsageError(f"{environment} does not name the notice {name}: {nearest(environment, users)}")
    user = environment or next(iter(users), "")
    seen = Seen(settings.environments[user].site) if user else Seen()
    event = Event("test", f"test-{int(time.time())}", user, HARMLESS, paths=(".",))
    row = order(settings.notices[name], event, seen, lambda _modules: False)
    session.print(f"{name}: {Notifier(settings.notices, session.secrets).send(name, row)}")


@click.group()
def alert() -> None:
    """Try out who is told when a task fails."""


@alert.command("test")
@click.argument("name", type=ALERT)
@in_session
def try_alert(session: Session, name: str) -> None:
    """Send an alert that says it is a test."""
    alerts = session.settings.alerts
    if name not in alerts:
        raise click.UsageError(f"there is no alert {name}: {nearest(name, alerts)}")
    went = Alerter(alerts, session.secrets, this_host()[0]).test(name)
    session.print(f"{name}: sent to {went}")


def users_of(session: Session, name: str) -> list[str]:
    """The environments that tell this notice."""
    return [environment for environment, of in session.settings.environments.items() if name in of.notices]


def notice_checks(session: Session, name: str) -> Iterator[Check]:
    """What `doctor` says of a notice. Nothing is sent."""
    chosen, users = session.settings.notices[name], users_of(session, name)
    secret = chosen.secret if isinstance(chosen, WebhookNotice) else chosen.token
    readable(session, secret)
    words = f"notice {name}: {notice_words(chosen)}"
    remedy = "" if users else f'nobody tells it: add notices = ["{name}"] to an environment'
    yield Check("warning" if remedy else "ok", words, remedy)


def alert_checks(session: Session, name: str) -> Iterator[Check]:
    """What `doctor` says of an alert. Nothing is sent."""
    chosen = session.settings.alerts[name]
    readable(session, chosen.password if isinstance(chosen, EmailAlert) else chosen.secret)
    yield Check("ok", f"alert {name}: {alert_words(chosen)}")


def readable(session: Session, secret: Secret | None) -> None:
    """Raises SecretError."""
    if secret is not None:
        session.secrets.read(secret)


def notice_words(chosen: NoticeSettings) -> str:
    """What a notice does; of its URL only what is no secret."""
    match chosen:
        case PurgeNotice():
            return "purges by URL at " + (host_of(chosen.url) if chosen.url else "its environment's site")
        case FastlyNotice():
            return f"purges by key at {host_of(chosen.api)}, service {chosen.service}"
        case _:
            return f"posts to {host_of(chosen.url)}"


def alert_words(chosen: AlertSettings) -> str:
    """Whom an alert tells, of what."""
    if isinstance(chosen, EmailAlert):
        return f"{', '.join(chosen.on)} by mail to {', '.join(chosen.recipients)}, by {chosen.host}:{chosen.port}"
    return f"{', '.join(chosen.on)} to {host_of(chosen.url)}"


def host_of(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
