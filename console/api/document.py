"""The OpenAPI 3.1 document: made of the table of calls and of the models that check what comes and what goes."""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from http import HTTPStatus
from importlib.metadata import version
from typing import Any

from pydantic.json_schema import models_json_schema
from starlette.responses import Response

from console.access import COOKIE
from console.api.asks import NewTask, Rollback
from console.api.calls import JSON, ROOT, Call, Nothing
from console.api.things import Problem
from console.asked import Asked
from console.people import Role
from console.problems import PROBLEM
from console.wanted import LARGEST

REFERENCE = "#/components/schemas/{model}"
DESCRIPTION = """What the console's pages show and do, for programs.

Errors are problem documents (RFC 9457) whose `detail` is a sentence for a person. A GET changes nothing. A POST takes JSON (no
body is an empty object), is limited in its rate (429 with Retry-After), and is audited with who asked and the `note`. Lists end
with `next`: the address of what comes after, or null. Fields are never taken away and keep their meaning; new ones may come."""
SECURITY: dict[str, Any] = {
    "basic": {"type": "http", "scheme": "basic", "description": "A name and password of console.passwords."},
    "bearer": {"type": "http", "scheme": "bearer", "description": "The token that the console printed when it started."},
    "session": {
        "type": "apiKey",
        "in": "cookie",
        "name": COOKIE,
        "description": "A session of the pages; a POST then needs the header X-CSRF-Token, which the pages have.",
    },
}
PARTS = {
    "id:int": {"type": "integer", "minimum": 0, "maximum": LARGEST},
    "name": {"type": "string", "minLength": 1, "pattern": "^[^/]+$"},
}
"""What can stand in a path."""


@dataclass(frozen=True, slots=True)
class Names:
    """What this installation's configuration has: what can be named."""

    environments: tuple[str, ...] = ()
    schedules: tuple[str, ...] = ()
    targets: tuple[str, ...] = ()


def serve(calls: Sequence[Call], asked: Asked) -> Response:
    """The document, as this console is reached."""
    settings = asked.settings
    names = Names(tuple(settings.environments), tuple(settings.schedules), tuple(settings.targets))
    content = {**document(tuple(calls), names), "servers": [{"url": asked.url(ROOT)}]}
    return Response(json.dumps(content, ensure_ascii=False, indent=1), media_type=JSON)


@cache
def document(calls: tuple[Call, ...], names: Names = Names()) -> dict[str, Any]:
    """Without the server's address."""
    inputs = [(model, "validation") for call in calls for model in (call.query, call.body) if model not in (None, Nothing)]
    outputs = [(model, "serialization") for model in (*(call.gives for call in calls), Problem)]
    references, definitions = models_json_schema([*dict.fromkeys([*inputs, *outputs])], ref_template=REFERENCE)  # type: ignore[list-item]
    schemas = definitions["$defs"]
    for model in (NewTask, Rollback):
        schemas[model.__name__]["properties"]["environment"] |= one_of(names.environments)
    paths: dict[str, dict[str, Any]] = {}
    for call in calls:
        paths.setdefault(plain(call.path), {})[call.method.lower()] = operation(call, names, references, schemas)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Slipway", "version": version("slipway"), "description": DESCRIPTION},
        "security": [{name: []} for name in SECURITY],
        "paths": paths,
        "components": {"schemas": schemas, "securitySchemes": SECURITY},
    }


def operation(call: Call, names: Names, references: Any, schemas: dict[str, Any]) -> dict[str, Any]:  # noqa: ANN401 - pydantic's mapping
    """One method of one path."""
    found: dict[str, Any] = {
        "summary": call.summary,
        "operationId": name_of(call),
        "tags": [call.path.split("/")[1]],
        "description": f"For {call.role.word}s" + (" and whoever may more." if call.role < Role.APPROVER else "."),
        "parameters": [*path_parameters(call.path, names), *query_parameters(call, schemas)],
        "responses": {str(call.status): given(call, references), **dict(refusals(call, references))},
    }
    if call.body is not None:
        required = any(field.is_required() for field in call.body.model_fields.values())
        found["requestBody"] = {"required": required, "content": {JSON: {"schema": references[call.body, "validation"]}}}
    return found


def given(call: Call, references: Any) -> dict[str, Any]:  # noqa: ANN401 - pydantic's mapping
    schema = references[call.gives, "serialization"]
    found: dict[str, Any] = {"description": "Done.", "content": {JSON: {"schema": schema}}}
    if call.status == HTTPStatus.CREATED:
        found["headers"] = {"Location": {"description": "Where the new task is to be seen.", "schema": {"type": "string"}}}
    return found


def refusals(call: Call, references: Any) -> Iterator[tuple[str, dict[str, Any]]]:  # noqa: ANN401 - pydantic's mapping
    """What else can be answered: problem documents."""
    possible = {401: "Not signed in.", 403: "The role does not allow it.", 503: "The queue does not answer."}
    if "{" in call.path:
        possible[404] = "There is no such thing."
    if call.query is not Nothing or call.body is not None:
        possible[422] = "What was sent is not what the call takes; `errors` has each fault."
    if call.path == "/diff":
        possible[404] = "There is no such publication."
    if call.method == "POST":
        possible |= {409: "Its state does not allow it.", 413: "Too long.", 415: "Not JSON.", 429: "Too many changes at once."}
    content = {PROBLEM: {"schema": references[Problem, "serialization"]}}
    yield from ((str(status), {"description": words, "content": content}) for status, words in sorted(possible.items()))
    yield "default", {"description": "Anything else.", "content": content}


def path_parameters(path: str, names: Names) -> list[dict[str, Any]]:
    found = []
    for part in re.findall(r"{([^}]+)}", path):
        known = getattr(names, path.split("/")[1]) if part == "name" else ()
        found.append({"name": part.partition(":")[0], "in": "path", "required": True, "schema": PARTS[part] | one_of(known)})
    return found


def one_of(names: tuple[str, ...]) -> dict[str, Any]:
    """One of these; where the configuration has none, nothing can be said."""
    return {"enum": list(names)} if names else {}


def query_parameters(call: Call, schemas: dict[str, Any]) -> list[dict[str, Any]]:
    if call.query is Nothing:
        return []
    schema = schemas[call.query.__name__]
    required = schema.get("required", ())
    return [
        {
            "name": name,
            "in": "query",
            "required": name in required,
            "description": each.get("description", ""),
            "schema": bare(each),
        }
        for name, each in schema["properties"].items()
    ]


def bare(schema: dict[str, Any]) -> dict[str, Any]:
    """As a query can have it: what is not given is null, and cannot be said."""
    options = [each for each in schema.get("anyOf", ()) if each != {"type": "null"}]
    kept = {name: value for name, value in schema.items() if name not in {"anyOf", "default", "description", "title"}}
    return {**kept, **(options[0] if len(options) == 1 else {})}


def name_of(call: Call) -> str:
    """Such as `postTasksCancel`."""
    words = [part for part in plain(call.path).split("/") if part and not part.startswith("{")]
    one = "One" if call.path.endswith("{id:int}") else ""
    return call.method.lower() + "".join(word.capitalize() for word in words) + one


def plain(path: str) -> str:
    """A path as OpenAPI writes it."""
    return path.replace(":int}", "}")
