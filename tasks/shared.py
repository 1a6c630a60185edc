"""The modules whose assets go into packages: pages of all courses use them."""

from collections.abc import Iterator, Sequence

import structlog

from packageslip import Packageslip
from targets import TransientTargetError
from tasks.errors import VersionGone
from tasks.transfer import copied
from tasks.work import Work

log = structlog.get_logger(__name__)


def shared_modules(work: Work, places: Sequence[str]) -> Iterator[Packageslip]:
    """Each module of [packages] shared as it is live on the first of these targets that has it, all its bytes in the store.

    One that is live on none of them is named in the summary and left out. Raises VersionGone, TransientTargetError.
    """
    for url in work.tools.settings.packages.shared:
        found = next(((place, slip) for place in places if (slip := work.tools.record.slip(place, url))), None)
        if found is None:
            log.warning("shared module is not published", task=work.task.id, url=url, targets=list(places))
            work.summary["shared_missing"] = [*work.summary.get("shared_missing", ()), url]
            continue
        _bring(work, *found)
        yield found[1]


def _bring(work: Work, place: str, slip: Packageslip) -> None:
    missing = work.tools.store.missing(each.digest for each in slip.resources if each.digest)
    away: list[TransientTargetError] = []
    missing -= copied(work, place, slip, missing, away) if missing else set()
    if away:
        raise away[0]
    if missing:
        raise VersionGone(
            f"{len(missing)} files of {slip.url}, which packages share, are neither in the content store nor on {place}; "
            f"publish {slip.url} again, then insert the task again ('slipway queue retry')"
        )
