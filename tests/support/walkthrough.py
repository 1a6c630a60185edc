"""A page of the manual, followed as written: its commands typed into one shell, what it shows compared with what came.

A block of `sh` without a title is typed; one with a title (another terminal, another machine) only where a test names it. "ends with 25"
is typed, and has to. Any other block with a title that the test names is a file of that name. A block of `text` is what the block above it shows; times, digests and the width of columns may differ, and lines may go on.
"""

import os
import re
import subprocess
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

ROOT = Path(__file__).parents[2]
_BLOCK = re.compile(r'^```(?P<kind>\w*)(?: title="(?P<title>[^"]*)")?\n(?P<text>.*?)^```$', re.MULTILINE | re.DOTALL)
_VARY = (
    (re.compile(r"\d{4}-\d\d-\d\d[T ]{1,2}\d{1,2}:\d\d:\d\d(\.\d+)?Z?"), "TIME"),
    (re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d UTC \([^)]*\)"), "TIME"),
    (re.compile(r"\b[0-9a-f]{12,}\b"), "DIGEST"),
    (re.compile(r"\b(schema|needed) \d{4}\b"), r"\1 REVISION"),
    (re.compile(r"\s+"), " "),
)
_HEADS = re.compile(r"^[A-Z ]+$")
"""The names of columns, which only a terminal shows."""
_FAILS = re.compile(r"ends with (\d+)")
_END = "@@@ the end of a block"


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block; `title` is empty where it has none."""

    kind: str
    title: str
    text: str


def blocks(page: str, section: str = "") -> list[Block]:
    """Every fenced block of a page, such as "docs/tutorial.md", or of its part under one heading of the second level."""
    text = (ROOT / page).read_text(encoding="utf-8")
    if section:
        _, heading, rest = f"{text}\n## ".partition(f"\n## {section}\n")
        assert heading, f"{page} has no heading {section!r}"
        text = rest.partition("\n## ")[0] + "\n"
    return [Block(match["kind"], match["title"] or "", match["text"]) for match in _BLOCK.finditer(text)]


@dataclass(slots=True)
class Walk:
    """A shell in `folder`, with `words` of the page replaced by others: places of the test's own, for one."""

    folder: Path
    environ: Mapping[str, str]
    words: Mapping[str, str] = field(default_factory=dict)
    shell: "subprocess.Popen[str]" = field(init=False)
    others: "dict[str, subprocess.Popen[bytes]]" = field(default_factory=dict)
    typed: int = 0

    def __enter__(self) -> Self:
        self.shell = subprocess.Popen(
            ["bash", "-e"],
            cwd=self.folder,
            env=dict(self.environ),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        return self

    def __exit__(self, *_: object) -> None:
        every: list[subprocess.Popen[bytes] | subprocess.Popen[str]] = [*self.others.values(), self.shell]
        for other in every:
            other.terminate()
        for other in every:
            try:
                other.wait(60)
            except subprocess.TimeoutExpired:
                other.kill()
                other.wait()
        for channel in (self.shell.stdin, self.shell.stdout):
            assert channel is not None
            with suppress(BrokenPipeError):
                channel.close()

    def follow(self, page: str, *titles: str, section: str = "", elsewhere: Iterable[str] = ()) -> list[str]:
        """Type the page's blocks, those with one of `titles` too, and start those titled as one of `elsewhere` in shells of
        their own; what each typed block answered. AssertionError where one fails, or shows something else than the page says."""
        answers: list[str] = []
        for block in blocks(page, section):
            fails = _FAILS.fullmatch(block.title)
            if block.kind == "sh" and block.title in elsewhere:
                self.start(block)
            elif block.kind == "sh" and fails:
                answers.append(self.type(f"(\n{block.text}) && false || test $? = {fails[1]}\n"))
            elif block.kind == "sh" and block.title in {"", *titles}:
                answers.append(self.type(block.text))
            elif block.kind == "text" and not block.title and answers:
                check_shown(self.replaced(block.text), answers[-1])
            elif block.kind != "sh" and block.title in titles:
                (self.folder / block.title).write_text(self.replaced(block.text), encoding="utf-8")
        return answers

    def type(self, text: str) -> str:
        """What the commands say, on both channels."""
        script = self._script(text)
        assert self.shell.stdin is not None
        assert self.shell.stdout is not None
        # Not by its input: a command that reads it would take the rest of the script along.
        self.shell.stdin.write(f". {script} </dev/null\necho '{_END}'\n")
        self.shell.stdin.flush()
        said: list[str] = []
        for line in self.shell.stdout:
            if line == f"{_END}\n":
                return "".join(said)
            said.append(line)
        raise AssertionError(f"the commands failed with {self.shell.wait()}:\n{script.read_text()}---\n{''.join(said)}")

    def start(self, block: Block) -> None:
        """Another terminal. Its words go to a file beside the script."""
        with self.log(block.title).open("wb") as log:
            # Without -e nothing but the last command matters, and that takes the shell's place, so that it hears the signals.
            head, last = block.text.rstrip("\n").rpartition("\n")[::2]
            script = self._script(f"{head}\nexec {last}\n")
            self.others[block.title] = subprocess.Popen(
                ["bash", "-e", str(script)],
                cwd=self.folder,
                env=dict(self.environ),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    def log(self, title: str) -> Path:
        return self.folder / f"{title.replace(' ', '-')}.log"

    def replaced(self, text: str) -> str:
        for old, new in self.words.items():
            text = text.replace(old, new)
        return text

    def _script(self, text: str) -> Path:
        self.typed += 1
        script = self.folder / f"typed-{self.typed}.sh"
        script.write_text(self.replaced(text), encoding="utf-8")
        return script


def check_shown(page: str, answer: str) -> None:
    """That each line of the page came, in this order."""
    came = iter(_lines(answer))
    for line in _lines(page):
        if not _HEADS.match(line):
            assert any(other.startswith(line) for other in came), f"the manual shows {line!r}, and what came is:\n{answer}"


def _lines(text: str) -> list[str]:
    for varying, word in _VARY:
        text = "\n".join(varying.sub(word, line) for line in text.splitlines())
    return [line.strip() for line in text.splitlines() if line.strip()]


def surroundings(home: Path, *programs: Path) -> dict[str, str]:
    """The variables of somebody who has just signed in, with folders of programs that come first."""
    path = os.pathsep.join([*map(str, programs), os.environ["PATH"]])
    kept = {
        name: os.environ[name] for name in ("TMPDIR", "PYTHONDONTWRITEBYTECODE", "COVERAGE_PROCESS_START") if name in os.environ
    }
    return {"HOME": str(home), "PATH": path, "LANG": "C.UTF-8", **kept}
