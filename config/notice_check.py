"""What must be true of notices and alerts beyond their types."""

import re
from collections.abc import Iterator
from urllib.parse import urlsplit

from config.faults import nearest
from config.notices import EmailAlert, FastlyNotice, PurgeNotice
from config.settings import Settings
from config.validate import Finding, Location

LOOPBACK = ("localhost", "127.0.0.1", "::1")
HEADER = re.compile(r"[A-Za-z0-9-]+")
MAILBOX = re.compile(r"[^@\s,<>]+@[^@\s,<>]+")


def notice_faults(settings: Settings) -> Iterator[Finding]:
    """Every contradiction in notices and alerts: URLs that cannot be asked, secrets that would not stay secret."""
    for name, notice in settings.notices.items():
        place = ("notices", name)
        key, url = ("api", notice.api) if isinstance(notice, FastlyNotice) else ("url", notice.url)
        if url is not None:
            yield from _address((*place, key), url)
        if isinstance(notice, PurgeNotice):
            yield from _purge(place, notice, settings)
    for name, alert in settings.alerts.items():
        place = ("alerts", name)
        for position, environment in enumerate(alert.environments):
            if environment and environment not in settings.environments:
                meant = nearest(environment, settings.environments)
                yield Finding((*place, "environments", position), "names no environment of this configuration", meant)
        yield from _mail(place, alert) if isinstance(alert, EmailAlert) else _address((*place, "url"), alert.url)


def _address(place: Location, url: str) -> Iterator[Finding]:
    try:
        parts = urlsplit(url)
    except ValueError:
        # An unfinished IPv6 address.
        parts = urlsplit("")
    plain = url.isascii() and url.isprintable() and " " not in url
    if url and (parts.scheme not in {"http", "https"} or not parts.hostname or not plain):
        yield Finding(place, "must be a URL like https://hooks.example.edu/slipway, with what is not ASCII encoded")
    if parts.username is not None:
        yield Finding(place, "has an account in it, which would be shown with the URL")


def _purge(place: Location, notice: PurgeNotice, settings: Settings) -> Iterator[Finding]:
    users = [name for name, environment in settings.environments.items() if place[1] in environment.notices]
    if notice.url is None:
        for name in users:
            if settings.environments[name].site is None:
                yield Finding((*place, "url"), f"is missing, and environments.{name} has no 'site' to ask instead")
    if notice.header is not None and not HEADER.fullmatch(notice.header):
        yield Finding((*place, "header"), "must be a header's name, such as X-Purge-Token")
    if (notice.header is None) != (notice.token is None):
        yield Finding((*place, "header" if notice.header is None else "token"), "is missing; header and token belong together")


def _mail(place: Location, alert: EmailAlert) -> Iterator[Finding]:
    if (alert.username is None) != (alert.password is None):
        missing = "username" if alert.username is None else "password"
        yield Finding((*place, missing), "is missing; username and password belong together")
    if alert.username is not None and alert.tls == "none" and alert.host not in LOOPBACK:
        yield Finding((*place, "tls"), "must be starttls or tls where there is a password, or anybody on the way could read it")
    for key, addresses in (("sender", (alert.sender,)), ("recipients", alert.recipients)):
        if any(address and not MAILBOX.fullmatch(address) for address in addresses):
            yield Finding((*place, key), "must be plain addresses, such as ops@example.edu")
