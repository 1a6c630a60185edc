"""No slip, however wrong, makes a file vanish that it may not: `make fuzz`.

A world in memory: nested modules, files that are nobody's, and a target in the real commit protocol. Slips come in that are shrunken,
empty, cut, another module's, an earlier parser's, with renamed index pages or with paths in other modules; approvals of other plans;
roots that are somebody else's; calls that fail in the middle. What may vanish is decided here anew, without the planner.
"""

import random
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field, replace

from packageslip import Packageslip, SlipError, read_slip, write_slip
from reliability.deletion_judge import Asked, Judge, listing
from reliability.fuzz_slips import PATHS, URLS, content_of, mangled, random_slip, whole
from reliability.target_rules import public_path
from support.claims import TestQueue
from support.releases import file_put, publish
from targets import MemoryFiles, OrderedTarget, TargetError
from targets.disk import EntryType
from targets.errors import TransientTargetError
from targets.memory import MemoryDisk
from tasks.commit import _ours_only
from tasks.planner import Ground, Policy, plan, standing
from tasks.plans import Plan, Verb

FOREIGN = ("robots.txt", "a/stranger.pdf", "a/b/of-nobody.htm", "d/x.pdf", "a/2.pdf", ".well-known/security.txt")
LIFE = 60
"""Slips that one world sees before a new one begins."""


@dataclass
class World:
    """One target, and what is known of it from outside."""

    chance: random.Random
    counts: Counter[str]
    files: MemoryFiles = field(default_factory=MemoryFiles)
    queue: TestQueue = field(default_factory=TestQueue)
    judge: Judge = field(default_factory=Judge)
    fails_in: int | None = None
    prepared: bool = False

    def __post_init__(self) -> None:
        self.target = OrderedTarget("memory", MemoryDisk(self.files, self._step))
        if self.chance.random() < 0.3:
            self._somebody_elses()
        if self.chance.random() < 0.8:
            self.target.adopt(self.queue.id)
            self.judge.live = {entry.url: slip for entry in self.target.modules() if (slip := self.target.slip(entry.url))}
        for path in self.chance.sample(FOREIGN, 4):
            self._lay(path)

    def _somebody_elses(self) -> None:
        """The wrong root, or that of a lost queue: full of modules that another queue published."""
        other = TestQueue(id="ffff" * 8)
        self.target.adopt(other.id)
        for url in self.chance.sample(URLS[1:5], 2):
            publish(
                self.target, url, {path: f"other {path}".encode() for path in self.chance.sample(PATHS[:5], 4)}, other.claim()
            )

    def _step(self, _verb: str, path: str, _to: str) -> None:
        if self.fails_in is not None:
            self.fails_in -= 1
            if self.fails_in == 0:
                raise TransientTargetError(f"the call on {path} was not answered", target="memory")

    def _lay(self, path: str) -> None:
        """A file that is nobody's."""
        folder = ""
        for part in path.split("/")[:-1]:
            folder = f"{folder}/{part}".strip("/")
            if self.files.find(folder) is None:
                self.files.add(folder, EntryType.FOLDER, mode=0o755)
        if self.files.find(path) is None:
            self.files.add(path, EntryType.FILE, f"nobody's {path}".encode())

    def public(self) -> dict[str, bytes]:
        """What visitors see, less the slips' public copies."""
        tree = self.files.tree()
        return {path: content for path, content in tree.items() if not _own(path)}

    def slip(self) -> None:
        """One slip comes in, and what comes of it is judged."""
        url = self.chance.choice(URLS)
        wanted = None if self.chance.random() < 0.06 else self._wanted(url)
        if isinstance(wanted, SlipError):
            self.counts["slips refused by the reader"] += 1
            return
        before, ours = self.public(), self.judge.ours()
        self.fails_in = self.chance.randint(1, 120) if self.chance.random() < 0.12 else None
        self.prepared = False
        authorised: set[str] = set()
        overwritten: set[str] = set()
        try:
            self._change(url, wanted, authorised, overwritten)
        except (TargetError, SlipError, _Stopped) as error:
            self.counts[f"stopped: {type(error).__name__}"] += 1
            if not self.prepared:
                # Nothing goes after an error, unless the whole release was on the target already.
                authorised, overwritten = set(), set()
        else:
            self.counts["published" if wanted else "unpublished"] += 1
        self.fails_in = None
        self.judge.compare(before, self.public(), authorised, ours | overwritten)
        with suppress(TargetError):
            # Whatever was begun is finished by the next holder, under the same judgement.
            present = self.target.present(url, self.queue.claim())
            self.judge.live.pop(url, None)
            if present.slip:
                self.judge.live[url] = present.slip
        self.judge.compare(before, self.public(), authorised, ours | overwritten)

    def _wanted(self, url: str) -> Packageslip | SlipError:
        slip = random_slip(self.chance, url, self.judge.live)
        document = mangled(self.chance, write_slip(slip))
        try:
            read = read_slip(document, "a slip", url=url)
        except SlipError as error:
            return error
        # A slip on its way to a target has sizes and digests: from itself, or from fetching.
        return replace(
            read, resources=tuple(whole(each) for each in read.resources), views=(), serial=None, version=None, queue=None
        )

    def _change(self, url: str, wanted: Packageslip | None, authorised: set[str], overwritten: set[str]) -> None:
        claim = self.queue.claim()
        present = self.target.present(url, claim)
        unlisted = sorted(listing(wanted).keys() - listing(self.judge.live.get(url)).keys())
        strangers = self.target.strangers(url, unlisted) if wanted else {}
        made = plan(wanted, present.slip, Policy(), url=url, target="memory", ground=Ground(strangers, self._below(url)))
        approved, adopt = self._approval(made, self.judge.about(url, wanted)), self.chance.random() < 0.5
        objections = standing([made], approved, adopt=adopt)
        agreed = self.judge.asked.get(approved or "") == self.judge.about(url, wanted)
        authorised |= self.judge.may_go(url, wanted, agreed=agreed)
        overwritten |= {public_path(url, path) for path in unlisted} if adopt and agreed else set()
        if objections:
            self.judge.asked[made.digest] = self.judge.about(url, wanted)
            self.counts["refused by the guard" if any(each.rule.final for each in objections) else "held"] += 1
            raise _Stopped
        with self.target.release(_ours_only(present, [made]), wanted, adopted=made.adopted) as release:
            release.put(file_put(change.path, _content(wanted, change.path)) for change in made.of(Verb.PUT))
            release.prepare()
            self.prepared = True
            release.switch()

    def _below(self, url: str) -> list[str]:
        """What the record knows to lie deeper; after a loss of the database it knows less."""
        deeper = [other for other in self.judge.live if other != url and other.startswith(url.rstrip("/") + "/")]
        return deeper if self.chance.random() < 0.8 else self.chance.sample(deeper, len(deeper) // 2)

    def _approval(self, made: Plan, asked: Asked) -> str | None:
        """This very plan, one that was held before, one that never was, or none."""
        draw = self.chance.random()
        if draw < 0.2:
            self.judge.asked[made.digest] = asked
            return made.digest
        if draw < 0.4 and self.judge.asked:
            return self.chance.choice(sorted(self.judge.asked))
        return "ab" * 32 if draw < 0.5 else None


class _Stopped(Exception):
    """The guard wants a person, or refuses."""


def _own(path: str) -> bool:
    return path.startswith(".slipway/") or path == "packageslip.xml" or path.endswith("/packageslip.xml")


def _content(wanted: Packageslip | None, path: str) -> bytes:
    assert wanted is not None
    return next(content_of(each).encode() for each in wanted.resources if each.path == path)


def fuzz(seed: int, slips: int) -> Counter[str]:
    """So many slips, in one world after another. Raises Unauthorised, with the seed of the world in a note."""
    counts: Counter[str] = Counter()
    for number in range(0, slips, LIFE):
        world = World(random.Random(f"{seed} {number}"), counts)
        try:
            for _ in range(min(LIFE, slips - number)):
                world.slip()
        except Exception as error:
            error.add_note(f"seed {seed}, world {number}")
            raise
    return counts
