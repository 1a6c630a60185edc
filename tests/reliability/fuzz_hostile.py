"""Hostile input is refused or harmless: no crash, no path that leaves its module, at most 256 MB and 2 s each.

Every case of the corpus is read in a process of its own, whose memory and time are measured; then the corpus is garbled at random.
"""

import os
import random
import re
import resource
import tempfile
import time
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from io import BytesIO
from itertools import cycle
from pathlib import Path
from urllib.parse import unquote

from config import ConfigError, Settings, import_engines_conf
from database import Action
from database.judge import Request, judge
from database.rows import object_of
from packageslip import SlipError, check_slip, read_catalogue, read_slip
from reliability.hostile_corpus import ACCEPTED, REFUSED, Case, corpus, slip
from support.queue import SETTINGS
from targets.note import BadNote, read_note

MEMORY, SECONDS = 256 * 1024 * 1024, 2.0
TOGETHER = 40
"""Small cases for one child."""
HANG = 20
"""Seconds of its own time after which a reader is ended."""
SMALL = 300_000
"""Bytes up to which a document is garbled, and checked by the schema too."""

Paths = Iterator[tuple[str, str]]
"""(module, path) of what was accepted."""


class Refused(Exception):
    """The reader said no, in the way that it promises."""


class Harm(AssertionError):
    """What must not happen."""


def read_case(reader: str, document: bytes) -> list[tuple[str, str]]:
    """What a reader accepts. Raises Refused; whatever else it raises is a fault of the reader."""
    try:
        return list(READERS[reader](document))
    except (SlipError, BadNote, ConfigError) as error:
        str(error)
        raise Refused from error


def _slip(document: bytes) -> Paths:
    if len(document) <= SMALL:
        check_slip(document, "a slip")
    found = read_slip(BytesIO(document), "a slip")
    yield found.url, "."
    yield from ((found.url, file.path) for file in found.ours())
    yield from ((url, ".") for url in found.dependents)


def _catalogue(document: bytes) -> Paths:
    return ((entry.url, ".") for entry in read_catalogue(BytesIO(document), "a catalogue"))


def _note(document: bytes) -> Paths:
    note = read_note(document)
    yield note.url, "."
    paths = [*(put.path for put in note.puts), *(drop.path for drop in note.drops), *note.folders]
    yield from ((note.url, path) for path in paths)
    # A staged file's name is looked for in the holder's folder.
    yield from ((f"/{note.tag}", f"s:{note.tag}:{put.name}") for put in note.puts)


def _parameters(document: bytes) -> Paths:
    try:
        text = document.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError:
        text = document.decode("latin-1")
    settings = Settings.model_validate(SETTINGS)
    object_of(text)
    for action in Action:
        judge(Request("/a", "STAGING", action.value, text, None), settings)
    return iter(())


def _conf(document: bytes) -> Paths:
    with tempfile.NamedTemporaryFile(prefix="slipway-conf-") as file:
        Path(file.name).write_bytes(document)
        import_engines_conf(Path(file.name))
    return iter(())


READERS: Mapping[str, Callable[[bytes], Paths]] = {
    "slip": _slip,
    "catalogue": _catalogue,
    "note": _note,
    "parameters": _parameters,
    "conf": _conf,
}


_PLAIN = re.compile(r"[A-Za-z0-9_./-]*")
"""Names that have one spelling."""


def escapes(module: str, path: str) -> bool:
    """Whether a path leaves its module, by the rules of the operating system, however somebody may spell it on the way."""
    return any(_outside(module, spelling) for spelling in _spellings(path))


def _spellings(path: str) -> Iterator[str]:
    if _PLAIN.fullmatch(path):
        yield path
        return
    decoded = path
    for _ in range(4):
        yield decoded
        yield decoded.replace("\\", "/")
        yield unicodedata.normalize("NFD", decoded)
        # A step up that is only seen after a compatible form was taken; a slash of that kind may be part of a name.
        yield "/".join(unicodedata.normalize("NFKC", segment).replace("/", "_") for segment in decoded.split("/"))
        decoded = unquote(decoded)


def _outside(module: str, path: str) -> bool:
    base = os.path.normpath(f"/srv/site/{module}")
    # As the operating system joins them: an absolute path leaves everything behind.
    full = os.path.normpath(path if path.startswith("/") else f"{base}/{path}")
    inside = (
        full == base if path == "." else full.startswith(base + "/") or (base == "/srv/site" and full.startswith("/srv/site/"))
    )
    own = os.path.normpath("/srv/site/.slipway")
    return not inside or "\0" in path or not base.startswith("/srv/site") or (full + "/").casefold().startswith(own + "/")


def judged(reader: str, document: bytes, must: str) -> str:
    """refused or accepted, and nothing else. Raises Harm."""
    return judge_taken(taken(reader, document), must)


def taken(reader: str, document: bytes) -> list[tuple[str, str]] | None:
    """What the reader accepts; None: it refuses."""
    try:
        return read_case(reader, document)
    except Refused:
        return None


def judge_taken(paths: list[tuple[str, str]] | None, must: str) -> str:
    """The same for what came of it."""
    if paths is None:
        if must == ACCEPTED:
            raise Harm("it was refused and is harmless")
        return REFUSED
    if must == REFUSED:
        raise Harm("it was accepted")
    for module, path in paths:
        if escapes(module, path):
            raise Harm(f"{path!r} leaves {module!r}")
    return ACCEPTED


@dataclass(frozen=True, slots=True)
class Verdict:
    """One case in a process of its own. `seconds`: of the reader's own time. `harm`: what was wrong, if anything."""

    case: str
    answer: str
    memory: int
    seconds: float
    harm: str = ""


def apart(cases: Sequence[Case]) -> list[Verdict]:
    """Judge cases in a child, so that its memory is its own and a crash is no end."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        _answer(cases, writing)
    os.close(writing)
    with os.fdopen(reading, "rb") as stream:
        said = [line.split("\t") for line in stream.read().decode("utf-8", "replace").splitlines()]
    _, status, usage = os.wait4(child, 0)
    memory = usage.ru_maxrss * 1024
    found = {name: Verdict(name, answer, memory, float(seconds), harm) for name, answer, seconds, harm in said}
    ended = f"its process ended with status {status}"
    return [found.get(case.name) or Verdict(case.name, "", memory, 0, ended) for case in cases]


def _answer(cases: Sequence[Case], writing: int) -> None:
    """In the child: never returns."""
    resource.setrlimit(resource.RLIMIT_CPU, (HANG, HANG))
    for case in cases:
        document, began, seconds = case.text(), time.process_time(), 0.0
        try:
            paths = taken(case.reader, document)
            # To judge 50,000 paths takes longer than to read them.
            seconds = time.process_time() - began
            answer, harm = judge_taken(paths, case.must), ""
        except Harm as error:
            answer, harm = "harm", str(error)
        except BaseException as error:
            answer, harm = "crash", f"{type(error).__name__}: {str(error)[:300]}"
        line = [case.name, answer, f"{seconds:.3f}", " ".join(harm.split())]
        with suppress(OSError):
            os.write(writing, ("\t".join(line) + "\n").encode("utf-8", "replace"))
    os._exit(0)


def run_corpus() -> list[Verdict]:
    """Every case: small ones some together, a large one in a process of its own."""
    # What every child needs is read once, before it is born.
    read_slip(slip(["a"]), "a slip")
    cases = list(corpus())
    small = [case for case in cases if case.repeat is None and len(case.document) <= SMALL // 10]
    large = [case for case in cases if case not in small]
    groups = [small[first : first + TOGETHER] for first in range(0, len(small), TOGETHER)]
    verdicts = [verdict for group in (*groups, *([case] for case in large)) for verdict in apart(group)]
    by_name = {case.name: case for case in cases}
    return [_again(by_name[verdict.case], verdict) for verdict in verdicts]


def _again(case: Case, verdict: Verdict) -> Verdict:
    """What others do on the machine only adds to the time of a reader: whoever was too slow is asked twice more, alone."""
    if verdict.seconds <= SECONDS:
        return verdict
    return min([verdict, *apart([case]), *apart([case])], key=lambda each: (not each.harm, each.seconds))


def garble(chance: random.Random, document: bytes) -> bytes:
    """A document with a few random changes: bytes, pieces of others, cuts, tokens that mean something to XML."""
    changed = bytearray(document)
    for _ in range(chance.choice([1, 1, 2, 3, 8])):
        at = chance.randrange(len(changed) + 1)
        draw = chance.random()
        if draw < 0.3 and changed:
            changed[at % len(changed)] = chance.randrange(256)
        elif draw < 0.5:
            changed[at:at] = chance.choice(_TOKENS)
        elif draw < 0.7:
            del changed[at : at + chance.randint(1, 12)]
        elif draw < 0.85:
            start = chance.randrange(len(changed) + 1)
            changed[at:at] = changed[start : start + chance.randint(1, 60)]
        else:
            changed[at:at] = chr(chance.choice([chance.randrange(0x80), chance.randrange(0xD800), 0x202E, 0xFEFF])).encode()
    return bytes(changed)


_TOKENS = (
    *(
        b"<",
        b">",
        b"&",
        b'"',
        b"'",
        b"/>",
        b"<!--",
        b"-->",
        b"<![CDATA[",
        b"]]>",
        b"<?",
        b"?>",
        b"&#0;",
        b"&#x202e;",
        b"&lt;",
        b"\0",
    ),
    *(
        b"../",
        b"%2e%2e/",
        b"..",
        b"/",
        b"\\",
        b":",
        b"con",
        b".slipway/",
        b"packageslip.xml",
        b"\xff",
        b"\xed\xa0\x80",
        b"{",
        b"[",
        b"}",
    ),
    *(
        b'count="0"',
        b'path="."',
        b'url="/"',
        b"xmlns=''",
        b"<resources>",
        b"</packageslip>",
        b"99999999999999999999",
        b"-1",
        b" \n",
    ),
)


def fuzz(seed: int, documents: int) -> Counter[str]:
    """So many garbled documents of all readers, in this process. Raises Harm, or whatever a reader should not."""
    chance = random.Random(f"hostile {seed}")
    small = [case for case in corpus() if case.repeat is None and len(case.document) <= SMALL]
    by_reader = [[case for case in small if case.reader == reader] for reader in READERS]
    counts: Counter[str] = Counter()
    for _, cases in zip(range(documents), cycle(by_reader), strict=False):
        # From what was good, something near to it may come that is taken.
        good = [case for case in cases if case.must != REFUSED]
        case = chance.choice(good if good and chance.random() < 0.5 else cases)
        document = garble(chance, case.document[:20_000])
        try:
            counts[f"{case.reader} {judged(case.reader, document, 'either')}"] += 1
        except Exception as error:
            error.add_note(f"seed {seed}, garbled {case.name}: {document[:2000]!r}")
            raise
    return counts
