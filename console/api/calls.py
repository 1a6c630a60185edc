"""What one call of the API is: what it takes, what it gives, and how a request becomes it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError
from starlette.responses import Response

from console.asked import Asked
from console.errors import NotUnderstood, Refused
from console.people import Role

ROOT = "/api/v1"
JSON = "application/json"


class Strict(BaseModel):
    """What somebody sends: a field that is not known is a mistake, and is said to be one."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Nothing(Strict):
    """No fields at all."""


@dataclass(frozen=True, slots=True)
class Made:
    """Something new, and below which path of the API it is to be seen."""

    content: Mapping[str, object]
    path: str


Given = Mapping[str, object] | Made


@dataclass(frozen=True, slots=True)
class Call:
    """One line of the API. `does` gets the request, then the query and the body where there are models of them."""

    method: str
    path: str
    does: Callable[..., Given]
    gives: type[BaseModel]
    summary: str
    role: Role = Role.VIEWER
    query: type[Strict] = Nothing
    body: type[Strict] | None = None
    status: int = 200

    def answer(self, asked: Asked) -> Response:
        """Check what came, do it, and check what goes. Raises Refused."""
        taken: list[Strict] = [read_query(self.query, asked)]
        if self.query is Nothing:
            taken.clear()
        if self.body is not None:
            taken.append(read_body(self.body, asked))
        return self._said(asked, self.does(asked, *taken))

    def _said(self, asked: Asked, found: Given) -> Response:
        content, headers = found, dict[str, str]()
        if isinstance(found, Made):
            content, headers = found.content, {"Location": asked.url(ROOT + found.path)}
        text = self.gives.model_validate(content).model_dump_json()
        return Response(asked.console.secrets.masked(text), self.status, headers, media_type=JSON)


def read_query(model: type[Strict], asked: Asked) -> Strict:
    """The query as the model has it; a field that is a list may be named several times. Raises NotUnderstood."""
    several = {name for name, field in model.model_fields.items() if getattr(field.annotation, "__origin__", None) is tuple}
    found: dict[str, Any] = {}
    for name in asked.query:
        values = asked.query.getlist(name)
        if len(values) > 1 and name not in several:
            raise NotUnderstood("This is said twice.", [fault("query", name, "may be given once")])
        found[name] = values if name in several else values[0]
    return _validated(model, "query", lambda: model.model_validate(found))


def read_body(model: type[Strict], asked: Asked) -> Strict:
    """The body as the model has it; none at all counts as an empty object. Raises Refused."""
    kind = asked.request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if asked.body and kind != JSON:
        raise Refused(415, "Not JSON", f"The body must be {JSON}, and say so in Content-Type.")
    return _validated(model, "body", lambda: model.model_validate_json(asked.body or b"{}", strict=True))


def _validated(model: type[Strict], part: str, read: Callable[[], Strict]) -> Strict:
    try:
        return read()
    except ValidationError as error:
        # What was sent is not repeated: it may be a secret that somebody put into the wrong field.
        found = error.errors(include_url=False, include_input=False, include_context=False)
        faults = [fault(part, ".".join(map(str, each["loc"])), each["msg"]) for each in found]
        known = ", ".join(model.model_fields) or "nothing"
        raise NotUnderstood(f"The {part} is not what this call takes ({known}).", faults) from error


def fault(part: str, field: str, message: str) -> dict[str, str]:
    """One thing that is wrong with what was sent."""
    return {"in": part, "field": field, "message": message}
