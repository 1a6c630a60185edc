"""Publish files that a task made by itself. What it makes is a module like any other, and goes the same way as a PUBLISH."""

from collections.abc import Iterator
from mimetypes import MimeTypes

from packageslip import ITSELF, Digest, Packageslip, Resource
from tasks.addresses import path_of
from tasks.areas import GENERATED
from tasks.change import make_equal, rehearse
from tasks.commit import Intent, live_slip, take_over
from tasks.errors import NotAsked
from tasks.follow import after_publish
from tasks.load import Loaded
from tasks.publish import sentence
from tasks.work import Done, Work

_TYPES = MimeTypes()
"""The library's own table: the machine's would give each engine server another slip."""


def publish_generated(work: Work, slip: Packageslip, *, consent: bool = True) -> Done:
    """Make the task's target hold exactly this slip, whose files all have size and digest, with their bytes in the store.

    `consent`: the drops were meant; without it the deletion guard judges them. A dry run only says what would move.
    On an origin the deliveries follow, as after a PUBLISH. Raises what a PUBLISH raises, but nothing of a source.
    """
    intent = Intent(full=work.parameter("mode") == "full", consent=consent)
    if work.dry_run:
        return rehearse(work, slip, intent)
    present = take_over(work)
    changed = make_equal(work, Loaded(slip, None, bound=True), present, intent)
    if work.target != work.tools.environment.origin:
        return Done(sentence(work))
    # As for PUBLISH: after an attempt that broke off, nobody knows whether its deliveries were asked for.
    again = work.task.fence != work.task.serial
    return Done(sentence(work), after_publish(work, slip, live_slip(present), changed=changed or again))


def live_file(work: Work) -> Packageslip | None:
    """What is live at the URL where a file is to be made. Raises NotAsked where that would take a whole folder away, or a file
    that another module lists: that module could not be published any more.
    """
    url = work.task.url
    live = work.tools.target.slip(url)
    if url == "/" or (live and not live.is_file):
        raise NotAsked(
            f"{work.task.action} makes one file, and {url} is a folder"
            f"{' that is published on ' + work.target if live else ''}; give the file's own URL, such as /sitemap.xml"
        )
    if live is None and (owner := _owner(work)):
        raise NotAsked(
            f"{url} is a file of the module {owner}, which could not be published again beside it; give {work.task.action} "
            "another URL, or take the file out of that module's slip and publish it first"
        )
    return live


def _owner(work: Work) -> str | None:
    """The module above that lists the task's URL as its own file. Only the deepest may: what lies below another is not its."""
    record, url = work.tools.record, work.task.url
    above = next((each for each in _above(url) if record.current(work.target, each)), None)
    slip = record.slip(work.target, above) if above else None
    return above if slip and any(path_of(slip.url, file.path) == url for file in slip.files()) else None


def _above(url: str) -> Iterator[str]:
    while url != "/":
        url = url.rpartition("/")[0] or "/"
        yield url


def file_module(work: Work, resource: Resource, module_type: str, title: str) -> Packageslip:
    """The slip of a module that is this one file."""
    return Packageslip(work.task.url, (resource,), module_type=module_type, title=title, state=GENERATED)


def resource_at(url: str, digest: Digest, size: int, *, etag: str | None = None, modified: int | None = None) -> Resource:
    """The only file of a module, at its URL, with the media type that its name says."""
    media_type = _TYPES.guess_type(url)[0] or "text/plain"
    return Resource(ITSELF, type=media_type, size=size, digest=digest, etag=etag, modified=modified)


def keep(work: Work, content: bytes) -> tuple[Digest, int]:
    """Put bytes into the store; their digest and size."""
    with work.tools.store.incoming() as incoming:
        incoming.write(content)
        return incoming.commit()


def publish_file(work: Work, content: bytes, module_type: str, title: str) -> Done:
    """Make the task's URL this one file."""
    live_file(work)
    return publish_generated(work, file_module(work, resource_at(work.task.url, *keep(work, content)), module_type, title))
