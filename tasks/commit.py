"""Change one module on one target: take over, plan, and make it visible. The part that every changing task shares."""

import hashlib
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from math import inf
from typing import Any

import structlog

from config import PlacedTarget
from database import Published, pack
from packageslip import Packageslip, Resource, View, on_target, paths_of, slip_pieces
from targets import FilePut, Grace, Moved, Present, SerialTooHigh, placed_options
from tasks.errors import PlanHeld, PlanRefused
from tasks.planner import Ground, Policy, plan, standing
from tasks.plans import Objection, Plan, Rule, Verb, together
from tasks.tools import members
from tasks.work import Work

log = structlog.get_logger(__name__)

Still = Callable[[], None]


def take_over(work: Work, *, consent: bool = False) -> Present:
    """Become the module's only writer; what a dead engine had prepared is finished first and recorded as a publication.

    Raises PlanHeld if the live slip is newer than this task by its own queue's count, until a person approved that; with
    `consent` it is no reason to ask.
    """
    target, url, claim = work.tools.target, work.task.url, work.tools.claim
    with work.step("take over"):
        try:
            present = target.present(url, claim)
        except SerialTooHigh as error:
            claim.renew(_serial_of(work, error) if consent else _approved_serial(work, error))
            present = target.present(url, claim)
    recovered = [each.recovered for each in present.each() if each.recovered]
    if recovered:
        last = max(recovered, key=lambda each: each.serial)
        # What it replaced is live no more; the record still has it.
        work.note_change(work.tools.record.slip(work.target, url), last.slip)
        log.info("unfinished release rolled forward", task=work.task.id, url=url, target=target.name, serial=last.serial)
        work.published.append(published(work, last.slip, last.serial))
        work.summary["recovered"] = True
        work.expire_after(
            max((grace_of(work, each.target) for each in present.each() if each.slip and each.slip.stale), default=0)
        )
    work.note_lagging(set(members(work.tools.settings, work.target)) - {each.target for each in present.each()})
    return present


def _approved_serial(work: Work, error: SerialTooHigh) -> int:
    """The serial to go above, of the slip that is too new: of a group, one member may be ahead of the others."""
    serial = _serial_of(work, error)
    digest = hashlib.sha256(f"{work.task.url}\0{work.target}\0serial {serial}".encode()).hexdigest()
    if work.task.approved_plan != digest:
        document = {
            "url": work.task.url,
            "target": work.target,
            "digest": digest,
            "objections": [{"rule": "serial", "sentence": str(error)}],
        }
        raise PlanHeld(f"{error}; approve it to publish over the newer one, or cancel it", digest, document)
    return serial


def _serial_of(work: Work, error: SerialTooHigh) -> int:
    live = work.tools.open_target(error.target or work.target).slip(work.task.url)
    return live.serial or 0 if live else 0


def live_slip(present: Present) -> Packageslip | None:
    """The slip that is live; of a group, the newest member's."""
    slips = [each.slip for each in present.each() if each.slip]
    return max(slips, key=lambda slip: slip.serial or 0, default=None)


def published(work: Work, slip: Packageslip | None, serial: int) -> Published:
    """The record's entry for this slip, live on the task's target now; None: the module is gone."""
    target, url = work.target, work.task.url
    if slip is None:
        return Published(target, url, serial)
    # What is stale is the target's own business, and will be gone when somebody publishes this version again.
    return Published(
        target, url, serial, slip.version, pack(slip_pieces(replace(slip, stale=()))), slip.module_type, slip.title, slip.state
    )


@dataclass(frozen=True, slots=True)
class Intent:
    """What to make of a module, and how. `wanted` None: nothing."""

    wanted: Packageslip | None = None
    full: bool = False
    damaged: Collection[str] = ()
    consent: bool = False
    at_once: bool = False
    """Nothing that leaves the module stays for the target's grace."""
    doubt: str = ""
    """Why a person has to agree to this slip, whatever the plan does; empty: nobody has to."""

    def of(self, wanted: Packageslip | None) -> "Intent":
        """The same for this slip."""
        return replace(self, wanted=wanted)


LOOK_EVERY = 0.02
"""Seconds between two looks whether to go on while files arrive."""

GONE = Intent(consent=True, at_once=True)
"""Whoever asks for it wants the files gone: none stays for the target's grace, and nobody has to agree."""


def decide(work: Work, intent: Intent, members: Sequence[Present]) -> tuple[Plan, ...]:
    """One plan for each member, which the guard or a person agreed to. Raises PlanHeld, PlanRefused."""
    with work.step("plan"):
        vacant = all(each.vacant for each in members)
        plans = make_plans(work, intent, [(each.target, each.slip) for each in members], vacant=vacant)
    for made in plans:
        work.count(made.counts())
        work.note_plan(made)
        if any(made.of(Verb.STALE)):
            work.expire_after(grace_of(work, made.target))
    objections = standing(plans, work.task.approved_plan, adopt=work.task.adopt)
    sentences = "; ".join(dict.fromkeys(objection.sentence for objection in objections))
    if any(objection.rule.final for objection in objections):
        raise PlanRefused(sentences)
    if objections:
        raise PlanHeld(sentences, together(plans), plans_document(plans))
    return plans


def make_plans(
    work: Work, intent: Intent, live: Sequence[tuple[str, Packageslip | None]], *, vacant: bool = False
) -> tuple[Plan, ...]:
    """One plan for each member (its name and its live slip), with what stands against it. `vacant`: nothing lies there."""
    url, wanted = work.task.url, intent.wanted
    asked = None if vacant else wanted
    strangers = work.tools.target.strangers(url, _unlisted(asked, [slip for _, slip in live])) if asked else {}
    ground = Ground(strangers, work.tools.record.below(work.target, url), intent.damaged)
    guard = work.tools.environment.guard or work.tools.settings.guard
    policy = Policy(guard.drop_files, guard.drop_percent, guard.index_pages, intent.full, intent.consent)
    plans = (
        plan(wanted, slip, _policy_on(work, name, policy, intent), url=url, target=name, ground=ground) for name, slip in live
    )
    doubts = (Objection(Rule.SIGNATURE, intent.doubt),) if intent.doubt else ()
    return tuple(replace(made, objections=(*made.objections, *doubts)) for made in plans)


def _policy_on(work: Work, target: str, policy: Policy, intent: Intent) -> Policy:
    """The policy on one member."""
    kind = work.tools.settings.targets.get(target)
    seconds = 0 if intent.wanted is None or intent.at_once else grace_of(work, target)
    fold = isinstance(kind, PlacedTarget) and not kind.case_sensitive
    if isinstance(kind, PlacedTarget) and intent.wanted and placed_options(kind).versions(intent.wanted):
        # A release of a versioned module is what its slip lists: what it leaves out stays in the releases before it.
        seconds = 0
    return replace(policy, grace=Grace(seconds, work.tools.claim.now()) if seconds else None, fold=fold)


def grace_of(work: Work, target: str) -> int:
    """Seconds for which files stay on this target that a release leaves out; of a group, the longest of its members."""
    settings = work.tools.settings
    kinds = [settings.targets.get(name) for name in members(settings, target) or (target,)]
    return max((kind.delete_grace for kind in kinds if isinstance(kind, PlacedTarget)), default=0)


def _unlisted(wanted: Packageslip, live: Sequence[Packageslip | None]) -> Collection[str]:
    """Wanted paths that some member's slip does not list: something may lie there that is not ours."""
    unlisted = paths_of(wanted)
    for listed in live:
        unlisted = unlisted.difference(paths_of(listed), (file.path for file in listed.stale)) if listed else unlisted
    return unlisted


def plans_document(plans: Sequence[Plan]) -> dict[str, Any]:
    """One plan, or the plans of a group's members, for JSON."""
    if len(plans) == 1:
        return plans[0].document()
    return {"digest": together(plans), "members": [made.document() for made in plans]}


def nothing_to_do(work: Work, wanted: Packageslip, present: Present, plans: Sequence[Plan]) -> bool:
    """Whether every member has these files and this slip already, all but for the serial and what is stale."""
    if any(made.moves for made in plans):
        return False
    final = replace(on_slip(work, wanted), serial=None)
    return all(each.slip is not None and replace(each.slip, serial=None, stale=()) == final for each in present.each())


def on_slip(work: Work, wanted: Packageslip) -> Packageslip:
    """The slip as it will lie on the target."""
    return on_target(wanted, serial=work.tools.claim.serial, queue=work.tools.claim.queue)


def commit(
    work: Work,
    intent: Intent,
    present: Present,
    plans: Sequence[Plan],
    files: Sequence[Resource | View],
    still: Still = lambda: None,
) -> Moved:
    """Stage, prepare, switch. `files`: those to put, whose bytes the store has.

    `still` is asked last before the note: it raises if the source's module changed meanwhile.
    """
    wanted = intent.wanted
    adopted = sorted({path for made in plans for path in made.adopted})
    release = work.tools.target.release(_ours_only(present, plans), wanted, adopted=adopted, at_once=intent.at_once)
    if release.room is not None:
        work.summary["room"] = release.room
    with release:
        with work.step("stage", len(files), sum(file.size or 0 for file in files)):
            work.tools.reached("staging")
            release.put(_puts(work, files), _staged(work))
            still()
        with work.step("switch"):
            release.prepare()
            work.tools.reached("prepared")
            # From here nothing is taken back: an error leaves the note, and the next holder goes on from it.
            moved = release.switch()
            work.note_lagging(moved.lagging)
            work.published.append(published(work, on_slip(work, wanted) if wanted else None, work.tools.claim.serial))
            paths = (path for made in plans for path in made.paths(Verb.PUT, Verb.DROP))
            work.note_change(live_slip(present), wanted, paths=paths)
            work.tools.reached("switched")
    log.info("module switched", task=work.task.id, url=work.task.url, target=work.target, put=moved.files, dropped=moved.dropped)
    return moved


def _puts(work: Work, files: Iterable[Resource | View]) -> Iterator[FilePut]:
    """Each when it is its turn: those of a large slip together take as much memory as the slip."""
    store = work.tools.store
    open_, read = partial(store.open, buffered=False), store.read
    for file in files:
        path, digest, size = file.path, file.digest, file.size
        assert digest is not None, "resolved before"
        assert size is not None, "resolved before"
        modified = file.modified if isinstance(file, Resource) else None
        yield FilePut(path, digest, size, partial(open_, digest), modified, partial(read, digest))


def _staged(work: Work) -> Callable[[FilePut], None]:
    """What counts files that have arrived. Whether to go on is not asked for each: that takes as long as to read a small one."""
    due = -inf

    def arrived(file: FilePut) -> None:
        nonlocal due
        now = work.file_done(file.size)
        if now >= due:
            due = now + LOOK_EVERY
            work.tools.pause_point()

    return arrived


def _ours_only(present: Present, plans: Sequence[Plan]) -> Present:
    """What is live, less the paths that a deeper module owns now: what a release does not see, it cannot drop."""
    members = tuple(_less(each, made.left) for each, made in zip(present.each(), plans, strict=True))
    return replace(present, members=members) if present.members else members[0]


def _less(present: Present, left: Collection[str]) -> Present:
    if present.slip is None or not left:
        return present
    slip = present.slip
    resources = tuple(each for each in slip.resources if each.path not in left)
    views = tuple(each for each in slip.views if each.path not in left)
    stale = tuple(each for each in slip.stale if each.path not in left)
    return replace(present, slip=replace(slip, resources=resources, views=views, stale=stale))
