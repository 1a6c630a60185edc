"""What the rows came to: `benchmarks/results.json`. A row that is not run keeps its last result."""

import json
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

RESULTS = Path(__file__).with_name("results.json")


@dataclass(frozen=True, slots=True)
class Result:
    """One figure: ours beside a peer's, in the same run. Where a row has a bound and no peer, `ratio` is ours by the bound."""

    row: int
    name: str
    ours_s: float
    peer: str
    peer_s: float
    ratio: float
    """The median of the rounds' ratios."""
    ratio_min: float
    ratio_max: float
    reach: float
    """What the ratio is to be: at most, or at least where `least`."""
    met: bool
    rounds: int
    unit: str = "s"
    """Of `ours_s` and `peer_s`, where they are no seconds."""
    least: bool = False
    figures: str = ""
    """What else was seen, for the page."""

    @classmethod
    def of(
        cls,
        row: int,
        name: str,
        ours: Sequence[float],
        peer: str,
        theirs: Sequence[float],
        reach: float,
        *,
        unit: str = "s",
        least: bool = False,
        figures: str = "",
    ) -> "Result":
        """From the rounds' pairs: the first of ours ran beside the first of theirs."""
        ratios = [one / other for one, other in zip(ours, theirs, strict=True)]
        ratio = statistics.median(ratios)
        met = ratio >= reach if least else ratio <= reach
        middle = (round(statistics.median(times), 4) for times in (ours, theirs))
        return cls(
            row,
            name,
            next(middle),
            peer,
            next(middle),
            round(ratio, 4),
            round(min(ratios), 4),
            round(max(ratios), 4),
            reach,
            met,
            len(ratios),
            unit,
            least,
            figures,
        )

    def __str__(self) -> str:
        word = "at least" if self.least else "at most"
        return (
            f"row {self.row}: {self.name}: ours {self.ours_s:g} {self.unit}, {self.peer} {self.peer_s:g} {self.unit}, "
            f"ratio {self.ratio:.3f} ({self.ratio_min:.3f} to {self.ratio_max:.3f}), {word} {self.reach:g}: "
            f"{'met' if self.met else 'not met'}{'; ' if self.figures else ''}{self.figures}"
        )


def kept(place: Path = RESULTS) -> list[Result]:
    """What earlier runs came to."""
    if not place.exists():
        return []
    return [Result(**row) for row in json.loads(place.read_text())]


def keep(fresh: Iterable[Result], place: Path = RESULTS) -> list[Result]:
    """Write these over what the same rows came to before; all results, in the order of the rows."""
    new = list(fresh)
    redone = {(result.row, result.name, result.peer) for result in new}
    old = [result for result in kept(place) if (result.row, result.name, result.peer) not in redone]
    rows = sorted([*old, *new], key=lambda result: result.row)
    place.write_text(json.dumps([asdict(row) for row in rows], indent=1) + "\n")
    return rows
