"""FETCH: a feed or a list that is made elsewhere, published when it changed and is well-formed."""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import PurePosixPath
from string import Template

from database import Action, NewTask
from packageslip import Resource, UnsafePath, check_module_url
from sources import Fetched
from tasks.asking import ask_path, ask_web, is_address
from tasks.errors import Malformed, NotAsked
from tasks.expand import insert_each
from tasks.forms import MOST, check_form
from tasks.generate import file_module, keep, live_file, publish_generated, resource_at
from tasks.merging import merge
from tasks.work import Done, Work

_FORMS = {".json": "json", ".xml": "xml", ".rss": "xml", ".atom": "xml", ".rdf": "xml"}


def fetch(work: Work) -> Done:
    """Fetch, check, publish. Raises SourceError's kinds, Malformed, NotAsked: what is live stays then."""
    if work.parameter("each"):
        return _each_department(work)
    live = live_file(work)
    recipe = _recipe(work)
    # What was made by another recipe is no earlier answer of this one.
    last = live.resources[0] if live and live.revision == recipe else None
    with work.step("load"):
        resource = _merged(work) if work.parameter("merge") else _plain(work, last)
    if live and live.resources[0].digest == resource.digest:
        # The same bytes under another etag are no change.
        resource = live.resources[0]
    slip = file_module(work, resource, work.parameter("type", "feed"), f"from {work.parameter('from')}")
    return publish_generated(work, replace(slip, revision=recipe))


def _recipe(work: Work) -> str:
    said = {name: work.parameter(name) for name in ("from", "merge", "key", "form")}
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()[:16]


def _form(work: Work) -> str:
    suffix = PurePosixPath(work.task.url).suffix.lower()
    return str(work.parameter("form") or _FORMS.get(suffix, "any"))


def _plain(work: Work, last: Resource | None) -> Resource:
    """One answer as it is; only asked for again in full if it changed."""
    got = _get(work, work.parameter("from"), last if work.parameter("mode") != "full" else None)
    work.count({"fetched": int(not got.unchanged), "unchanged": int(got.unchanged)})
    return resource_at(work.task.url, got.digest, got.size, etag=got.etag, modified=got.modified)


def _merged(work: Work) -> Resource:
    """Two answers as one. Both are needed in full, whichever of them changed."""
    form = _form(work)
    if form == "any":
        raise NotAsked('only XML or JSON can be merged; say so with "form"')
    places = [work.parameter("from"), work.parameter("merge")]
    first, second = [(place, _bytes(work, _get(work, place, None))) for place in places]
    work.count({"fetched": 2})
    return resource_at(work.task.url, *keep(work, merge(form, first, second, work.parameter("key"))))


def _get(work: Work, place: str, last: Resource | None) -> Fetched:
    """The answer, in the store and of the right form."""
    form = _form(work)
    if is_address(place):
        got, media_type = ask_web(work, place, last, limit=None if form == "any" else MOST)
    else:
        got, media_type = ask_path(work, place, last), ""
    if got.unchanged:
        return got
    if form != "any" and media_type.lower().startswith("text/html"):
        raise Malformed(f"{place} is an HTML page, perhaps an error page; what is live stays")
    if form == "any" and got.size:
        return got
    check_form(form, _bytes(work, got), place)
    return got


def _bytes(work: Work, got: Fetched) -> bytes:
    if got.size > MOST:
        raise Malformed(f"an answer of {got.size} bytes is no feed or list: the most is {MOST}; what is live stays")
    with work.tools.store.open(got.digest) as stream:
        return stream.read()


def _each_department(work: Work) -> Done:
    """One FETCH for each department, with its own URL and place."""
    departments = work.tools.settings.departments
    if not departments:
        raise NotAsked("[departments] names none, so there is nothing to fetch for each of them")
    return insert_each(work, _rows(work, departments), "departments")


def _rows(work: Work, departments: dict[str, str]) -> Iterator[NewTask]:
    task, taken = work.task, dict[str, str]()
    for id_, url in departments.items():
        words = {"url": url, "id": id_, "name": url.rpartition("/")[2]}
        parameters = {
            name: Template(value).safe_substitute(words) if isinstance(value, str) else value
            for name, value in task.parameters.items()
            if name not in {"each", "to"}
        }
        made = Template(work.parameter("to") or task.url).safe_substitute(words)
        try:
            check_module_url(made)
        except UnsafePath as error:
            raise NotAsked(f"the URL for department {id_} cannot be used: {error}") from error
        if taken.setdefault(made, id_) != id_:
            raise NotAsked(
                f"the departments {taken[made]} and {id_} would both make {made}: the row's url or 'to' needs $url, $id or $name"
            )
        yield NewTask(made, task.environment, Action.FETCH, parameters=parameters)
