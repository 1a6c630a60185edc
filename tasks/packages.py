"""Make a module's package in the content store, and the slip that puts it into a holding area."""

from dataclasses import replace
from string import Template
from typing import BinaryIO

import structlog

from archives import Content, Form, PackageError, build_package, package_name, packaged
from config import HoldingAreaSettings, PackageSettings
from packageslip import Digest, Packageslip, Resource
from tasks.areas import revision_of
from tasks.load import Loaded
from tasks.shared import shared_modules
from tasks.transfer import CHUNK, gather
from tasks.work import Work

log = structlog.get_logger(__name__)


def package_slip(work: Work, area: HoldingAreaSettings, slip: Packageslip) -> Packageslip:
    """The area's slip for this module: one file, whose bytes are not known yet. Raises PackageError."""
    options = work.tools.settings.packages
    return Packageslip(
        slip.url,
        resources=(Resource(file_name(area, slip, options), type="application/zip", modified=_moment(slip)),),
        uid=slip.uid,
        revision=revision_of(work, area, slip),
        module_type=slip.module_type,
        module_short_id=slip.module_short_id,
        department_code=slip.department_code,
        title=slip.title,
        state=slip.state,
        modified=slip.modified,
        zip_required=slip.zip_required,
    )


def file_name(area: HoldingAreaSettings, slip: Packageslip, options: PackageSettings) -> str:
    """Where the package lies in the module's folder. Raises PackageError."""
    try:
        return Template(area.file).substitute(name=package_name(slip, options), form=area.form)
    except (KeyError, ValueError) as error:
        raise PackageError(
            f"the holding area {area.target} calls its files {area.file!r}, which cannot be filled in ({error}); "
            "use $name and $form in its key `file`"
        ) from error


def _moment(slip: Packageslip) -> int | None:
    if slip.modified is not None:
        return slip.modified
    return max((each.modified for each in slip.resources if each.modified is not None), default=None)


def with_bytes(empty: Packageslip, digest: Digest, size: int) -> Packageslip:
    """The area's slip, now that the package is made."""
    return replace(empty, resources=(replace(empty.resources[0], digest=digest, size=size),))


def build(work: Work, area: HoldingAreaSettings, loaded: Loaded) -> tuple[Digest, int]:
    """Make the package of the loaded slip in the content store: its digest and its size.

    An engine that dies meanwhile leaves nothing: the file has no name before it is whole.
    Raises PackageError, VersionGone, SourceError's kinds.
    """
    slip, options, form = loaded.slip, work.tools.settings.packages, Form(area.form)
    files = packaged(slip, form, options, media=area.media)
    gather(work, loaded, list(files), None)
    shared = tuple(shared_modules(work, [work.tools.environment.origin]))
    with work.step("package", files=len(files), size=sum(each.size or 0 for each in files)), work.tools.store.scratch() as made:
        content = Content(slip, lambda digest: _open(work, digest), shared)
        build_package(form, content, options, made, media=area.media)
        work.tools.reached("packaged")
        made.seek(0)
        digest, size = _keep(work, made)
    work.summary["package"] = {"form": str(form), "bytes": size, "sha256": digest.hex()}
    log.info("package built", task=work.task.id, url=slip.url, form=str(form), bytes=size, sha256=digest.hex())
    return digest, size


def _open(work: Work, digest: Digest) -> BinaryIO:
    work.tools.pause_point()
    return work.tools.store.open(digest)


def _keep(work: Work, made: BinaryIO) -> tuple[Digest, int]:
    with work.tools.store.incoming() as incoming:
        while chunk := made.read(CHUNK):
            work.tools.pause_point()
            incoming.write(chunk)
        return incoming.commit()
