"""What may vanish from a target, decided anew from the manual and without the planner: the judge of the fuzzers."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from packageslip import Packageslip
from reliability.target_rules import public_path

INDEX = frozenset({"index.htm", "index.html"})
MOST_FILES, MOST_SHARE = 20, 0.1

Asked = tuple[str, frozenset[str], Mapping[str, bytes]]
"""A module, the paths that it loses, and what it shall be."""


class Unauthorised(AssertionError):
    """A file vanished, or was overwritten, that might not."""


@dataclass
class Judge:
    """`live`: what our slips list now. `asked`: the digest of a plan that a person saw, to what it was about."""

    live: dict[str, Packageslip] = field(default_factory=dict)
    asked: dict[str, Asked] = field(default_factory=dict)

    def about(self, url: str, wanted: Packageslip | None) -> Asked:
        """What a person is asked about."""
        return url, self.going(url, wanted), listing(wanted)

    def going(self, url: str, wanted: Packageslip | None) -> frozenset[str]:
        """What our slip lists and the wanted one does not, less what a deeper module owns."""
        left = listing(self.live.get(url)).keys() - listing(wanted).keys()
        return frozenset(path for path in left if not self._deeper(url, path))

    def may_go(self, url: str, wanted: Packageslip | None, *, agreed: bool) -> set[str]:
        """Public paths that may vanish. `agreed`: a person saw this very change and approved it."""
        held, going = len(listing(self.live.get(url))), self.going(url, wanted)
        if wanted is not None:
            many = len(going) > max(MOST_FILES, held * MOST_SHARE) or len(going) * 2 > held or bool(going & INDEX)
            if not listing(wanted) or (many and not agreed):
                return set()
        return {public_path(url, path) for path in going}

    def ours(self) -> set[str]:
        """Public paths that slips of ours list."""
        return {public_path(slip.url, path) for slip in self.live.values() for path in listing(slip)}

    def compare(self, before: Mapping[str, bytes], after: Mapping[str, bytes], may_go: set[str], may_change: set[str]) -> None:
        """Raise Unauthorised if more vanished or changed than might."""
        if vanished := before.keys() - after.keys() - may_go:
            raise Unauthorised(f"{sorted(vanished)} vanished")
        changed = {path for path in before.keys() & after.keys() if before[path] != after[path]}
        if changed - may_change:
            raise Unauthorised(f"{sorted(changed - may_change)}, which were nobody's, were overwritten")

    def _deeper(self, url: str, path: str) -> bool:
        """Whether a path of a module lies in the folder of a deeper module that is live."""
        place = "/" + public_path(url, path)
        return any(len(other) > len(url) and (place + "/").startswith(other + "/") for other in self.live)


def listing(slip: Packageslip | None) -> dict[str, bytes]:
    """What a slip lists."""
    return {file.path: file.digest or b"" for file in slip.files()} if slip else {}
