"""Holding areas: what each of them gets of a module, and whether it has that already."""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import replace

from config import HoldingAreaSettings, PackageSettings
from packageslip import Packageslip, Resource, version_of, write_slip
from tasks.work import Work

TREE = "tree"
"""The form of an area that holds modules as they are; all others hold packages made of them."""
EDITION = 1
"""Raised when packages of the same input come to have other bytes: then every area gets them anew."""
GENERATED = "generated"
"""The state of modules that no source has, such as a sitemap: REPUBLISH leaves them out, for only the task that made them can
make them again, and nobody wants a package of one."""


def area_of(work: Work) -> HoldingAreaSettings | None:
    """What the configuration says about the area that is the task's target; None: it is none any more."""
    areas = work.tools.environment.holding_areas
    return next((area for area in areas if area.target == work.target), None)


def part_of(area: HoldingAreaSettings | None, slip: Packageslip) -> Packageslip:
    """The slip with what the area gets: packages never hold views, which are made anew on each request."""
    if area is None or (area.form == TREE and area.views and area.only is None):
        return slip
    views = slip.views if area.form == TREE and area.views else ()
    return replace(slip, resources=tuple(each for each in slip.resources if _goes_into(area, each)), views=views)


def _goes_into(area: HoldingAreaSettings, resource: Resource) -> bool:
    return area.form != TREE or area.only is None or bool(getattr(resource, area.only))


def is_up_to_date(work: Work, area: HoldingAreaSettings, slip: Packageslip) -> bool:
    """Whether the area has, by the record, what a delivery of this slip, live on the origin, would bring."""
    record, url = work.tools.record, work.task.url
    held = record.current(area.target, url)
    if held is None or area.form == TREE:
        return held is not None and held.version == version_of(part_of(area, slip))
    package = record.slip(area.target, url)
    return package is not None and package.revision == revision_of(work, area, slip)


def revision_of(work: Work, area: HoldingAreaSettings, slip: Packageslip) -> str:
    """What a package's slip has as its revision: the module's version, in hex, and the conditions that it was made under.

    The same revision means the same bytes, so that nothing is built to find that out. Conditions are what a package depends on
    beside the files: titles and order, the form, the settings, the templates, the versions of the shared assets.
    """
    digest = hashlib.sha256(_described(slip))
    for word in (str(EDITION), area.form, area.file, str(area.media), *_settings(work.tools.settings.packages), *_shared(work)):
        digest.update(b"\0" + word.encode())
    return f"{(version_of(slip) or b'').hex()}-{digest.hexdigest()[:16]}"


def _described(slip: Packageslip) -> bytes:
    """The slip without what no package shows: views, validators, where the bytes came from, whom it concerns."""
    resources = tuple(replace(each, etag=None, href=None) for each in slip.resources)
    kept = replace(slip, resources=resources, views=(), dependents=(), linked_departments=())
    return write_slip(replace(kept, serial=None, version=None, queue=None))


def _settings(options: PackageSettings) -> Iterator[str]:
    yield json.dumps(options.model_dump(mode="json", exclude={"texts", "shared"}), sort_keys=True)
    try:
        for path in sorted(options.texts.iterdir()) if options.texts else ():
            if path.is_file():
                yield f"{path.name} {hashlib.sha256(path.read_bytes()).hexdigest()}"
    except OSError as error:
        # Who builds the package says what is wrong; whoever only compares must not fail of it.
        yield f"templates that cannot be read: {error.errno}"


def _shared(work: Work) -> Iterator[str]:
    origin = work.tools.environment.origin
    for url in work.tools.settings.packages.shared:
        live = work.tools.record.current(origin, url)
        yield f"{url} {live.version.hex() if live and live.version else ''}"
