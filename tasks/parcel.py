"""Make the package that is deposited, and say what an archive is told of it."""

import hashlib
import zipfile
from collections.abc import Sequence

import structlog

from archives import Content, Form, build_package, collection_for, package_name, packaged
from config import RetireSettings
from database import Parcel
from packageslip import Digest, Packageslip
from tasks.depositing import identifier_of
from tasks.load import Loaded
from tasks.metadata import with_metadata
from tasks.shared import shared_modules
from tasks.tools import promoted_from
from tasks.transfer import CHUNK, gather
from tasks.work import Work

log = structlog.get_logger(__name__)


def build_parcel(work: Work, loaded: Loaded, retire: RetireSettings, version: Digest) -> Parcel:
    """The package of the loaded module, in the store. Raises PackageError, VersionGone, NoCollection, SourceError's kinds."""
    options, form = work.tools.settings.packages, Form(retire.form)
    slip = with_metadata(work, loaded.slip, retire)
    work.tools.reached("described")
    files = packaged(slip, form, options, media=retire.media)
    gather(work, loaded, list(files), None)
    name = identifier_of(slip.url, version, package_name(slip, options))
    content = Content(slip, work.tools.store.open, tuple(shared_modules(work, origins(work))), name)
    with work.step("package", files=len(files), size=sum(each.size or 0 for each in files)), work.tools.store.scratch() as made:
        build_package(form, content, options, made, media=retire.media)
        made.seek(0)
        with work.tools.store.incoming() as incoming:
            while chunk := made.read(CHUNK):
                work.tools.pause_point()
                incoming.write(chunk)
            digest, size = incoming.commit()
    parcel = parcel_of(work, loaded.slip, retire, version, digest, size)
    work.summary["package"] = {"form": retire.form, "bytes": size, "md5": parcel.md5}
    log.info("package built", task=work.task.id, url=slip.url, form=retire.form, bytes=size, md5=parcel.md5)
    return parcel


def parcel_of(work: Work, slip: Packageslip, retire: RetireSettings, version: Digest, digest: Digest, size: int) -> Parcel:
    """What is known of a package that is in the store. `version`: the module's that it was made of. Raises NoCollection."""
    archive = work.tools.settings.archives[retire.archive]
    name = package_name(slip, work.tools.settings.packages)
    md5 = hashlib.md5(usedforsecurity=False)
    with work.tools.store.open(digest) as package:
        while chunk := package.read(CHUNK):
            work.tools.pause_point()
            md5.update(chunk)
    return Parcel(
        slip.url,
        version,
        retire.archive,
        collection_for(archive, slip.department_code, slip.module_type, retire.archive),
        _identifier(work, retire, digest) or identifier_of(slip.url, version, name),
        f"{name}.zip",
        digest,
        md5.hexdigest(),
        size,
    )


def _identifier(work: Work, retire: RetireSettings, digest: Digest) -> str | None:
    """What DSpace's ingester for course packages calls the item (dc.identifier.other); other forms carry a name of ours."""
    if retire.form != "imscp":
        return None
    with work.tools.store.open(digest) as package, zipfile.ZipFile(package) as archive:
        manifest = archive.read("imsmanifest.xml")
    return f"IMSCP-MD5-{hashlib.md5(manifest, usedforsecurity=False).hexdigest()}"


def origins(work: Work) -> Sequence[str]:
    """Where shared assets are looked for: on the source itself, then on the origins of the environments that fill it."""
    source = promoted_from(work.tools.environment)
    feeding = [
        environment.origin
        for environment in work.tools.settings.environments.values()
        if source in {area.target for area in environment.holding_areas}
    ]
    return [*([source] if source else []), *feeding]
