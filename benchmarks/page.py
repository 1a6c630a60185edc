"""The table of `docs/performance.md`; what is said around it is written by people."""

from collections.abc import Sequence
from pathlib import Path

from benchmarks.results import Result

PAGE = Path(__file__).parents[1] / "docs" / "performance.md"
BEGIN, END = "<!-- results: written by make bench -->\n", "<!-- end of results -->"
HEAD = "| # | work | ours | beside | theirs | ratio | wanted | met |\n|---|---|---|---|---|---|---|---|\n"


def table(results: Sequence[Result]) -> str:
    """Markdown, a line for each figure."""
    return HEAD + "".join(_line(result) for result in results)


def write(results: Sequence[Result], machine: str, page: Path = PAGE) -> None:
    """Put the table, and what it was measured on, where the page has them."""
    text = page.read_text()
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    page.write_text(f"{before}{BEGIN}{machine}\n\n{table(results)}{END}{after}")


def _line(result: Result) -> str:
    work = f"{result.name}{f' ({result.figures})' if result.figures else ''}"
    spread = f" ({result.ratio_min:.3g} to {result.ratio_max:.3g}, {result.rounds} rounds)" if result.rounds > 1 else ""
    wanted = f"at {'least' if result.least else 'most'} {result.reach:.3g}"
    ours, theirs = (f"{_amount(value)} {result.unit}" for value in (result.ours_s, result.peer_s))
    cells = (
        str(result.row),
        work,
        ours,
        result.peer,
        theirs,
        f"{result.ratio:.3g}{spread}",
        wanted,
        "yes" if result.met else "no",
    )
    return f"| {' | '.join(cells)} |\n"


def _amount(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
