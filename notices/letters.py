"""The requests that tell something: what is sent where, with which headers. Pure, so that a test reads every byte."""

import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlsplit

from config import FastlyNotice, NoticeSettings, PurgeNotice, WebhookNotice
from notices.errors import NoticeRefused

SOFT = {"Fastly-Soft-Purge": "1"}
PREFIX = "Slipway-Purge-Prefix"
"""The header of a purge that is meant for everything below a URL."""
HARMLESS = "/slipway-notice-test"
"""A module that no site has: its key and its URL are purged in vain."""
MOST_KEYS = 256
"""Keys in one request, as the API allows."""
USER_AGENT = "slipway"


@dataclass(frozen=True, slots=True)
class Letter:
    """One HTTP request. `base`: scheme, host and port; `path`: what follows, encoded."""

    base: str
    path: str
    method: str = "POST"
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    missing_is_well: bool = False
    """A cache that says 404 does not hold it, which was wanted."""


def letters(name: str, notice: NoticeSettings, order: Mapping[str, Any], secret: str | None, now: float) -> list[Letter]:
    """What a NOTIFY row asks to send. `secret`: the notice's token or key; `now`: seconds since the epoch.

    Raises NoticeRefused for a row that lacks something.
    """
    try:
        match notice:
            case PurgeNotice():
                return _purges(name, notice, order, secret)
            case FastlyNotice():
                return _by_keys(notice, order, secret or "")
            case WebhookNotice():
                return [posted(notice.url, _told(order), order["event"], order["id"], secret, now)]
    except KeyError as error:
        raise NoticeRefused(
            f"notice {name}: the row does not say {error}, perhaps because the notice is of another kind by now; "
            "publish the module again with mode full"
        ) from error


def secret_of(notice: NoticeSettings) -> Any:  # noqa: ANN401 - a config.Secret or None; the kinds call it by two names
    """Where the notice's token or key is."""
    return notice.secret if isinstance(notice, WebhookNotice) else notice.token


def _purges(name: str, notice: PurgeNotice, order: Mapping[str, Any], token: str | None) -> list[Letter]:
    site: str | None = order["site"]
    base, folder = split(notice.url or site or "")
    if not base:
        raise NoticeRefused(f"notice {name}: nobody says which host to ask: give it 'url', or the environment a 'site'")
    headers = {"Host": urlsplit(site).netloc.rpartition("@")[2]} if site else {}
    headers |= _softly(notice, order)
    headers |= {notice.header: token} if notice.header and token else {}
    # Once is enough for a cache that knows it; one that does not is asked for the front page at least.
    first = {PREFIX: folder + order["prefix"]} if "prefix" in order else {}
    return [
        Letter(base, folder + url, "PURGE", headers if number else headers | first, missing_is_well=True)
        for number, url in enumerate(order["urls"])
    ]


def _by_keys(notice: FastlyNotice, order: Mapping[str, Any], token: str) -> list[Letter]:
    keys: list[str] = order["keys"]
    base, folder = split(notice.api)
    path = f"{folder}/service/{quote(notice.service, safe='')}/purge"
    headers = {"Fastly-Key": token, "Accept": "application/json", "Content-Type": "application/json"}
    headers |= _softly(notice, order)
    bodies = [encoded({"surrogate_keys": keys[first : first + MOST_KEYS]}) for first in range(0, len(keys), MOST_KEYS)]
    return [Letter(base, path, headers=headers, body=body) for body in bodies]


def _softly(notice: PurgeNotice | FastlyNotice, order: Mapping[str, Any]) -> dict[str, str]:
    """A stale copy may be served for a while still, which is never meant of what was taken down."""
    return SOFT if notice.soft and not order.get("hard") else {}


def harmless(name: str, notice: NoticeSettings, order: Mapping[str, Any], secret: str | None, now: float) -> list[Letter]:
    """A letter of the same kind that changes nothing, to see whether others are taken; none for what would be told something."""
    if isinstance(notice, WebhookNotice):
        return []
    plain = {"site": order.get("site"), "urls": [HARMLESS], "keys": [HARMLESS.removeprefix("/")]}
    return letters(name, notice, plain, secret, now)


def _told(order: Mapping[str, Any]) -> dict[str, Any]:
    """What a webhook says of an event: no more than the names below, whatever else a row has."""
    names = ("event", "id", "environment", "url", "site", "type", "title", "version", "serial", "paths", "whole")
    return {name: order[name] for name in names}


def posted(url: str, content: Mapping[str, Any], event: str, id_: str, secret: str | None, now: float) -> Letter:
    """A POST of JSON, signed with `secret` where there is one."""
    base, parts = split(url)[0], urlsplit(url)
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    body, timestamp = encoded(content), str(int(now))
    headers = {"Content-Type": "application/json", "Slipway-Event": event, "Slipway-Id": id_, "Slipway-Timestamp": timestamp}
    if secret is not None:
        headers["Slipway-Signature"] = f"sha256={signature(secret, timestamp, body)}"
    return Letter(base, path, headers=headers, body=body)


def signature(secret: str, timestamp: str, body: bytes) -> str:
    """Hex HMAC-SHA256 over the timestamp, a dot, and the body."""
    return hmac.new(secret.encode(), timestamp.encode() + b"." + body, hashlib.sha256).hexdigest()


def encoded(content: Mapping[str, Any]) -> bytes:
    return json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()


def split(url: str) -> tuple[str, str]:
    """Scheme, host and port; and the folder, without a slash at its end."""
    parts = urlsplit(url)
    base = f"{parts.scheme}://{parts.netloc}" if parts.netloc else ""
    return base, parts.path.rstrip("/")
