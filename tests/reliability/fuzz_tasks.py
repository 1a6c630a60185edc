"""The same slips through real tasks: a queue, a source in a folder, a target in a folder, and a person who approves now and then.

Slower than `fuzz_deletion.py` by far, and nothing is left out: what a task does with the guard, the record and an approval is judged too.
"""

import random
import tempfile
from collections import Counter
from dataclasses import replace
from pathlib import Path

from packageslip import Packageslip, Resource, SlipError, read_slip, write_slip
from reliability.deletion_judge import Judge, listing
from reliability.fuzz_slips import URLS, content_of, mangled, random_slip, whole
from reliability.target_rules import public_path
from support.bench import Bench, settings_of

LIFE = 100
"""Slips for one installation."""

FOREIGN = ("robots.txt", "a/stranger.pdf", "a/b/of-nobody.htm", "d/x.pdf", "a/2.pdf")


class Installation:
    """One bench whose origin is judged."""

    def __init__(self, root: Path, chance: random.Random, counts: Counter[str]) -> None:
        self.bench = Bench(root, settings_of(root, targets=_targets(root), environments=_ENVIRONMENTS))
        self.origin, self.chance, self.counts, self.judge = root / "targets/origin", chance, counts, Judge()
        for path in FOREIGN:
            place = self.origin / path
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(f"nobody's {path}")

    def slip(self) -> None:
        """One slip at the source, one task, one judgement; if it is held, sometimes an approval, also of what has changed since."""
        url = self.chance.choice(URLS)
        if self.chance.random() < 0.06:
            self._run(url, None, "UNPUBLISH")
            return
        wanted = self._offer(url)
        task = self._run(url, wanted, None)
        if self.bench.desk.show(task).task.state != "HELD":
            return
        plan = self.bench.desk.show(task).plan
        assert plan is not None
        self.judge.asked[plan.digest] = self.judge.about(url, wanted)
        if self.chance.random() < 0.5:
            if self.chance.random() < 0.4:
                wanted = self._offer(url)
            adopt = self.chance.random() < 0.5
            self.bench.desk.approve(task, plan.digest, adopt=adopt)
            self._judged(url, wanted, plan.digest, adopt=adopt)

    def _offer(self, url: str) -> Packageslip | None:
        """What the source has now; None: nothing that can be read."""
        slip = random_slip(self.chance, url, self.judge.live)
        slip = Packageslip(url, tuple(replace(each, href=self._bytes(each)) for each in slip.resources))
        document = mangled(self.chance, write_slip(slip))
        folder = self.bench.site(url)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "packageslip.xml").write_bytes(document)
        try:
            read = read_slip(document, "a slip", url=url)
        except SlipError:
            return None
        return replace(read, resources=tuple(whole(each) for each in read.resources))

    def _bytes(self, each: Resource) -> str:
        """Where the source has them: apart from the modules, so that wrong paths find bytes too."""
        name = f"bytes/{each.uid}/{each.path.replace('/', '+')}x"
        place = self.bench.root / "site" / name
        if not place.exists():
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(content_of(each))
        return f"/{name}"

    def _run(self, url: str, wanted: Packageslip | None, action: str | None) -> int:
        task = self.bench.insert(url, "STAGING", action)
        self._judged(url, wanted, None, adopt=False, unpublish=action is not None)
        return task

    def _judged(
        self, url: str, wanted: Packageslip | None, approved: str | None, *, adopt: bool, unpublish: bool = False
    ) -> None:
        """Run what waits, and compare."""
        before, ours = _public(self.origin), self.judge.ours()
        agreed = self.judge.asked.get(approved or "") == self.judge.about(url, wanted)
        may_go = self.judge.may_go(url, wanted, agreed=agreed) if wanted is not None or unpublish else set()
        new = {public_path(url, path) for path in listing(wanted)} if adopt and agreed else set()
        for view in self.bench.run():
            self.counts[f"{view.task.action} {view.task.state}"] += 1
        self.judge.compare(before, _public(self.origin), may_go, ours | new)
        target = self.bench.workshop("STAGING").open_target("origin")
        self.judge.live = {entry.url: slip for entry in target.modules() if (slip := target.slip(entry.url))}
        target.close()


_ENVIRONMENTS = {"STAGING": {"source": "cms", "origin": "origin"}}


def _targets(root: Path) -> dict[str, object]:
    (root / "targets/origin").mkdir(parents=True)
    return {"origin": {"kind": "local", "root": str(root / "targets/origin"), "durability": "none"}}


def _public(root: Path) -> dict[str, bytes]:
    places = (path for path in root.rglob("*") if path.is_file() and path.name != "packageslip.xml")
    found = {str(path.relative_to(root)): path for path in places}
    return {name: path.read_bytes() for name, path in found.items() if not name.startswith(".slipway/")}


def fuzz(seed: int, slips: int) -> Counter[str]:
    """So many slips through real tasks. Raises Unauthorised."""
    counts: Counter[str] = Counter()
    for number in range(0, slips, LIFE):
        with tempfile.TemporaryDirectory(prefix="slipway-fuzz-") as folder:
            installation = Installation(Path(folder), random.Random(f"{seed} {number}"), counts)
            try:
                for _ in range(min(LIFE, slips - number)):
                    installation.slip()
            except Exception as error:
                error.add_note(f"seed {seed}, installation {number}")
                raise
            finally:
                installation.bench.close()
    return counts
