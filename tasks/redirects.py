"""REDIRECTS: a map for nginx of where moved modules went, and of what is gone for good."""

from collections.abc import Iterator
from urllib.parse import urlsplit

from packageslip import Packageslip
from tasks.generate import publish_file
from tasks.listing import live_slips
from tasks.maps import Move, nginx_map
from tasks.work import Done, Work


def redirects(work: Work) -> Done:
    """Write the map from what the record knows to have been live on the origin and is no more.

    A module that is live elsewhere under the same uid has moved. A tombstone is live, so its module is not gone.
    """
    with work.step("load"):
        gone = list(_gone(work))
        moves, live = _moves(work, gone)
    work.summary |= {"moved": sum(1 for move in moves if move.to), "gone": sum(1 for move in moves if not move.to)}
    return publish_file(work, nginx_map(moves, live), "redirects", "Moved and gone modules")


def _gone(work: Work) -> Iterator[Packageslip]:
    record, target = work.tools.record, work.target
    for publication in record.gone(target):
        work.tools.pause_point()
        slip = record.slip(target, publication.url, publication.version) if publication.url != "/" else None
        if slip is not None:
            yield slip


def _moves(work: Work, gone: list[Packageslip]) -> tuple[list[Move], frozenset[str]]:
    """What became of each, and the URLs that are live."""
    # A site that is not at the root of its host: nginx sees the whole path.
    above = urlsplit(work.tools.environment.site or "").path.rstrip("/")
    places: dict[str, tuple[str, bool]] = {}
    live = set()
    for slip in live_slips(work, work.target) if gone else ():
        live.add(above + slip.url)
        if slip.uid:
            places[slip.uid] = above + slip.url, slip.is_file
    moves = []
    for slip in gone:
        to, is_file = places.get(slip.uid or "", ("", False))
        moves.append(Move(above + slip.url, to, whole=slip.is_file or is_file, slash=bool(to) and not is_file))
    return moves, frozenset(live)
