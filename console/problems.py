"""What a script is told when it is refused: RFC 9457."""

import json
from http import HTTPStatus

from console.errors import NotUnderstood, Refused

PROBLEM = "application/problem+json"


def problem(error: Refused) -> str:
    """A refusal as a document that a person can read."""
    content: dict[str, object] = {"type": "about:blank", "title": error.title, "status": error.status, "detail": str(error)}
    if isinstance(error, NotUnderstood) and error.faults:
        content["errors"] = [dict(each) for each in error.faults]
    return json.dumps(content, ensure_ascii=False)


def unknown(status: int, path: str, allowed: str | None) -> Refused:
    """An address that is none, or not by this method."""
    if status == HTTPStatus.METHOD_NOT_ALLOWED:
        return Refused(status, "Not by this method", f"{path} takes {allowed or 'another method'}.")
    return Refused(status, HTTPStatus(status).phrase, f"There is no {path} here; /api/v1/openapi.json lists what there is.")
