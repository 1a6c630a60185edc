"""The page of the manual on faults, made from the catalogue. `python -m support.faults_page` writes it."""

from collections.abc import Iterable

from support.catalogue import ENDS, PLACES, ROOT, Fault, read_catalogue

PAGE = ROOT / "docs" / "faults.md"

INTRODUCTION = """\
# What can go wrong, and what Slipway does about it

Every fault that Slipway is known to meet, what it does then, and what is left for a person to do. This page is made from the catalogue in
`tests/catalogue/` (`make faults`). Each entry there names the tests that show it and the lines of the program that answer it, and
`make defences` switches those off, one after the other, to see the tests fail.

Whatever happens, a visitor finds each file as it was before or as it is after, never a part of one, and every task ends in a state
with a reason. How a fault ends for the task that meets it:

"""


def page(faults: Iterable[Fault]) -> str:
    """The whole page."""
    every = list(faults)
    parts = [INTRODUCTION, *(f"- **{word}**: {meaning}\n" for word, meaning in ENDS.items())]
    for letter, (_, _, heading) in PLACES.items():
        parts.append(
            f"\n## {heading}\n\n| fault | what happens | ends | what Slipway does | what to do | shown with |\n|---|---|---|---|---|---|\n"
        )
        parts += [_row(fault) for fault in every if fault.id.startswith(letter) and fault.applies]
    parts.append("\n## What does not apply\n\n| fault | what happens | why it does not apply |\n|---|---|---|\n")
    parts += [f"| {fault.id} | {_cell(fault.fault)} | {_cell(fault.lacking)} |\n" for fault in every if not fault.applies]
    return "".join(parts)


def _row(fault: Fault) -> str:
    shown = {"real": fault.server, "stub": f"a stub: {fault.server}", "pure": "values alone"}[fault.shown]
    cells = (fault.id, fault.fault, fault.ends, fault.answer, fault.do or "Nothing.", shown)
    return f"| {' | '.join(_cell(text) for text in cells)} |\n"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


if __name__ == "__main__":
    PAGE.write_text(page(read_catalogue().values()), encoding="utf-8")
