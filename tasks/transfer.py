"""Bring the bytes that a release needs into the content store: from another target that has them, else from the source."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

import structlog

from config import SecretError
from packageslip import Digest, Packageslip, Resource, View
from sources import NoSuchModule, Want
from store import BlobMissing
from targets import PermanentTargetError, Target, TransientTargetError
from tasks.areas import GENERATED
from tasks.errors import VersionGone
from tasks.load import Loaded
from tasks.plans import Plan, Verb
from tasks.resolve import fetch
from tasks.tools import promoted_from
from tasks.work import Work

log = structlog.get_logger(__name__)

File = Resource | View
CHUNK = 256 * 1024
"""Bytes read at once when a file is copied from a target."""


def files_to_put(wanted: Packageslip, plans: Iterable[Plan]) -> list[File]:
    """The files that any of the plans puts, in the slip's order."""
    paths = {path for plan in plans for path in plan.paths(Verb.PUT)}
    return [file for file in wanted.files() if file.path in paths]


def gather(work: Work, loaded: Loaded, files: list[File], live: Packageslip | None) -> None:
    """See to it that the store has the bytes of these files. `live`: the slip on the task's own target.

    Raises SourceError's kinds, VersionGone.
    """
    needed = {file.digest: file for file in files if file.digest}
    missing = work.tools.store.missing(needed)
    away: list[TransientTargetError] = []
    with work.step("transfer", files=len(missing), size=sum(needed[digest].size or 0 for digest in missing)):
        for place, slip in _places(work, loaded, live) if missing else ():
            missing -= copied(work, place, slip, missing, away)
        if missing:
            _from_source(work, loaded, [file for file in files if file.digest in missing], away)


def _places(work: Work, loaded: Loaded, live: Packageslip | None) -> Iterator[tuple[str, Packageslip]]:
    """Targets that may have the bytes, with their slips: this one (a renamed file), the environment's others, all others.

    The slips come from the record, so that no connection is made to a target that cannot help.
    """
    if live:
        yield work.target, live
    environment = work.tools.environment
    others = [environment.origin, *(area.target for area in environment.holding_areas)]
    # What the source has not as it is wanted may be live elsewhere.
    others += _elsewhere(work) if loaded.at_source is None else ()
    source = promoted_from(environment)
    for name in dict.fromkeys(others):
        # What is promoted is read through the source, which reads many files at once.
        if name not in {work.target, source}:
            slip = work.tools.record.slip(name, work.task.url)
            if slip:
                yield name, slip


def _elsewhere(work: Work) -> Iterator[str]:
    """Targets of other environments that hold the module: what one went back from, another may still have."""
    return (live.target for live in work.tools.record.live(work.task.url) if live.target in work.tools.settings.targets)


def copied(
    work: Work, place: str, slip: Packageslip, missing: set[Digest], away: list[TransientTargetError] | None = None
) -> set[Digest]:
    """Copy what this target has of the missing bytes. One that does not answer has nothing, for now: `away` gets its error."""
    found: Mapping[Digest, str] = {file.digest: file.path for file in slip.files() if file.digest in missing}
    done: set[Digest] = set()
    try:
        target = work.tools.target if place == work.target else work.tools.open_target(place)
        for digest, path in found.items():
            work.tools.pause_point()
            if _copy(work, target, slip.url, path) == digest:
                done.add(digest)
    except (TransientTargetError, PermanentTargetError, FileNotFoundError, SecretError) as error:
        log.warning("target could not give bytes", task=work.task.id, target=place, error=str(error))
        work.summary["silent"] = {**work.summary.get("silent", {}), place: type(error).__name__}
        if away is not None and isinstance(error, TransientTargetError):
            away.append(error)
    work.count({"copied": len(done)})
    return done


def _copy(work: Work, target: Target, url: str, path: str) -> Digest:
    with target.open(url, path) as stream, work.tools.store.incoming() as incoming:
        while chunk := stream.read(CHUNK):
            incoming.write(chunk)
        digest, size = incoming.commit()
    work.file_done(size)
    return digest


def _from_source(work: Work, loaded: Loaded, files: list[File], away: Sequence[TransientTargetError]) -> None:
    for view in (file for file in files if isinstance(file, View)):
        # It was fetched or found a moment ago; what a source sends now is another view.
        raise BlobMissing(view.digest or b"")
    slip = loaded.at_source
    wants = _once(file for file in files if isinstance(file, Resource))
    if slip is None:
        try:
            slip, wants = _same_bytes_now(work, files)
        except VersionGone:
            if away:
                # Who does not answer now may have them: nothing is gone before that is known.
                raise away[0] from None
            raise
    work.count({"fetched": sum(1 for _ in fetch(work, slip, wants))})


def _same_bytes_now(work: Work, files: Sequence[File]) -> tuple[Packageslip, list[Want]]:
    """The source has another version by now, which may list these very bytes too."""
    missing = {file.digest for file in files}
    try:
        slip = work.tools.source.slip(work.task.url)
    except NoSuchModule:
        slip = Packageslip(work.task.url)
    wants = _once(each for each in slip.resources if each.digest in missing)
    found = {want.file.digest for want in wants}
    # A slip without digests may still mean the same bytes: the source is asked for exactly those.
    old = {file.path: file for file in files if file.digest not in found}
    wants += [Want(_exactly(each, old[each.path])) for each in slip.resources if each.digest is None and each.path in old]
    lost = missing - {want.file.digest for want in wants}
    if lost:
        raise VersionGone(
            f"{len(lost)} files of the version of {slip.url} that was asked for are neither in the content store nor on a target "
            f"nor at {work.tools.source.name} any more; {_remedy(work)}"
        )
    return slip, wants


def _once(files: Iterable[Resource]) -> list[Want]:
    """Bytes that several files have are fetched once."""
    return [Want(file) for file in {file.digest: file for file in files}.values()]


def _remedy(work: Work) -> str:
    live = work.tools.record.current(work.target, work.task.url)
    if live and live.module_state == GENERATED:
        return "let the task that made it make it again (a FETCH with mode full), then 'slipway verify --repair' puts it back"
    return "publish the present version instead"


def _exactly(now: Resource, old: File) -> Resource:
    return replace(now, digest=old.digest, size=old.size)
