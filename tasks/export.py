"""EXPORT: ask the JSON view of a published module, and put the answer on the target of exports."""

from collections.abc import Iterator
from string import Template

from config import ExportSettings
from database import Action, NewTask, Publication
from packageslip import Kind, Packageslip, Resource
from tasks.areas import GENERATED
from tasks.asking import ask_path
from tasks.errors import NotAsked
from tasks.expand import insert_each
from tasks.forms import MOST, read_json
from tasks.generate import publish_generated
from tasks.listing import live_modules
from tasks.unpublish import unpublish
from tasks.work import Done, Work

_KIND = "export"


def export(work: Work) -> Done:
    """Export one module, or with `all` every one whose export is missing or not of what is live now.

    A module that is gone from the origin loses its export. Raises SourceError's kinds, Malformed, NotAsked.
    """
    exports = work.tools.environment.exports
    if exports is None:
        raise NotAsked(f"{work.task.environment} exports nothing: give it [environments.{work.task.environment}.exports]")
    if work.parameter("all"):
        return insert_each(work, _due(work, exports), "modules")
    live = work.tools.record.current(work.tools.environment.origin, work.task.url)
    if live is None:
        return unpublish(work)
    if not exports.modules.takes(live.url, live.module_type):
        raise NotAsked(f"{live.url} is none of the modules that environments.{work.task.environment}.exports.modules takes")
    return publish_generated(work, _exported(work, exports, live))


def _exported(work: Work, exports: ExportSettings, live: Publication) -> Packageslip:
    """The slip of the export; its revision is the version of the module that it is of."""
    path = Template(exports.view).safe_substitute(url=live.url)
    with work.step("load"):
        got = ask_path(work, path)
        if got.size > MOST:
            raise NotAsked(f"{path} has {got.size} bytes; an export has at most {MOST}")
        with work.tools.store.open(got.digest) as stream:
            read_json(stream.read(), path)
    resource = Resource(exports.file, Kind.FILE, "application/json", got.size, got.digest)
    return Packageslip(live.url, (resource,), revision=_version(live), module_type=_KIND, title=live.title, state=GENERATED)


def _version(live: Publication) -> str | None:
    return live.version.hex() if live.version else None


def _due(work: Work, exports: ExportSettings) -> Iterator[NewTask]:
    """The list of exports: a row for each module that needs one, and for each export whose module is gone."""
    environment, everything = work.task.environment, work.parameter("mode") == "full"
    held = {each.url: each.revision for each in work.tools.target.modules() if each.module_type == _KIND}
    for live in live_modules(work, work.tools.environment.origin):
        if exports.modules.takes(live.url, live.module_type):
            revision = held.pop(live.url, None)
            if everything or revision is None or revision != _version(live):
                yield NewTask(live.url, environment, Action.EXPORT)
    for url in held:
        yield NewTask(url, environment, Action.UNPUBLISH)
