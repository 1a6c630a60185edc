"""What should be there: the slip that a task publishes, from its source or, bound to a version, from the record."""

from dataclasses import dataclass, replace
from typing import overload

from packageslip import Packageslip, View, ViewKind
from sources import NoSuchModule
from tasks.errors import VersionGone
from tasks.tools import promoted_from
from tasks.trust import prove
from tasks.work import Work


@dataclass(frozen=True, slots=True)
class Loaded:
    """`slip` is what to publish; resources and views may lack digests."""

    slip: Packageslip
    at_source: Packageslip | None
    """The slip as the source has it now, to fetch by and to compare with later; None: the source has another version."""
    bound: bool = False
    """Only these very bytes count: they are found by their digests."""
    recorded: Packageslip | None = None
    """What the record says is live, where that was read: while it is kept, the target's own copy of it is known by its digest."""


@overload
def load(work: Work) -> Loaded: ...


@overload
def load(work: Work, seen: str) -> Loaded | None: ...


def load(work: Work, seen: str = "") -> Loaded | None:
    """The slip of a PUBLISH. Raises SourceError's and SlipError's kinds, VersionGone.

    None: the source's document is still the one that `seen` names.
    """
    with work.step("load"):
        work.tools.reached("loading")
        promoted = promoted_from(work.tools.environment)
        if promoted and work.task.version:
            loaded = _bound(work, promoted)
        else:
            source, url = work.tools.source, work.task.url
            slip = source.news(url, seen) if seen else source.slip(url)
            if slip is None:
                return None
            loaded = Loaded(bare(slip, keep_views=promoted is None), slip)
        prove(work, loaded.slip)
        return replace(loaded, slip=_with_its_feeds(work, loaded.slip))


def _with_its_feeds(work: Work, slip: Packageslip) -> Packageslip:
    """Without the feeds, if the environment publishes none of such modules."""
    if work.tools.environment.feeds.takes(slip.url, slip.module_type, zip_required=slip.zip_required):
        return slip
    return replace(slip, views=tuple(view for view in slip.views if view.kind is not ViewKind.FEED))


def _bound(work: Work, promoted: str) -> Loaded:
    """The version that was live on the other target when the task was accepted, even if that has moved on."""
    live = _live(work)
    if live and live.version == work.task.version:
        return Loaded(bare(live, keep_views=False), live, bound=True)
    slip = work.tools.record.slip(promoted, work.task.url, work.task.version)
    if slip is None:
        raise VersionGone(_gone(work, promoted))
    return Loaded(bare(slip, keep_views=False), None, bound=True)


def _live(work: Work) -> Packageslip | None:
    try:
        return work.tools.source.slip(work.task.url)
    except NoSuchModule:
        return None


def load_delivery(work: Work) -> Loaded | None:
    """The slip of a DELIVER, views included, as it went live on the origin; None: it is not published there any more."""
    with work.step("load"):
        record, url, version = work.tools.record, work.task.url, work.task.version
        origin = work.tools.environment.origin
        if record.current(origin, url) is None:
            return None
        slip = record.slip(origin, url, version)
        if slip is None:
            raise VersionGone(_gone(work, origin))
        return Loaded(obtainable_views(work, bare(slip, keep_views=True), record.slip(origin, url)), None, bound=True)


def obtainable_views(work: Work, slip: Packageslip, live: Packageslip | None) -> Packageslip:
    """The slip; views whose bytes nobody kept lose their digests, so that they are asked anew."""
    gone = work.tools.store.missing(view.digest for view in slip.views if view.digest)
    gone -= {view.digest for view in live.views if view.digest} if live else set()
    return replace(slip, views=tuple(replace(view, digest=None) if view.digest in gone else view for view in slip.views))


def _gone(work: Work, place: str) -> str:
    version = work.task.version.hex()[:12] if work.task.version else "the version"
    return (
        f"{version} of {work.task.url}, once live on {place}, is neither there nor in the record any more; "
        "publish the present version instead"
    )


def bare(slip: Packageslip, *, keep_views: bool) -> Packageslip:
    """The slip without what only a target adds. Views of a promotion lose their digests: they are asked anew."""
    views = slip.views if keep_views else tuple(View(view.path, view.kind, view.href) for view in slip.views)
    return replace(slip, views=views, serial=None, version=None, queue=None, stale=())
