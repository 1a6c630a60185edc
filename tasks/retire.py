"""RETIRE: deposit a module in an archive, tell the CMS its handle, and make ready what will take the module's place.

Each step leaves a trace, in the record of deposits or in the retired-courses area, so that an engine that is killed anywhere
is followed by one that goes on. Nothing is removed here: UNPUBLISH does that, once the deposit is confirmed.
"""

import re
from dataclasses import replace
from string import Template
from urllib.parse import quote

from config import RetireSettings
from database import Deposit, DepositState
from packageslip import Digest, Packageslip, version_of
from sources import Calls, NoSuchModule, PermanentSourceError, SourceChanged
from targets import Present
from tasks.change import make_equal
from tasks.commit import Intent, live_slip, take_over
from tasks.depositing import Next, next_step
from tasks.errors import NotAsked
from tasks.follow import after_publish
from tasks.load import Loaded, bare, load
from tasks.parcel import build_parcel
from tasks.readback import read_back
from tasks.resolve import resolve
from tasks.retired import package_slip, whole_slip
from tasks.sending import Sending
from tasks.tombstone import is_tombstone
from tasks.tools import promoted_from
from tasks.transfer import copied
from tasks.work import Done, Work


def retire(work: Work) -> Done:
    """Retire the module, from wherever an earlier attempt came to. Raises NotAsked, PlanHeld, NotYet, ArchiveError's kinds."""
    settings = work.tools.environment.retire
    if settings is None:
        raise NotAsked(f"{work.task.environment} retires nothing: give it [environments.{work.task.environment}.retire]")
    course = _course(work, settings)
    if work.dry_run:
        return _rehearsal(work, course, settings)
    return _Retirement(work, settings, course).go()


def _course(work: Work, settings: RetireSettings) -> Loaded:
    """The module with every digest, without the views: those are made anew on each request, and no archive can keep them."""
    loaded, source = _loaded(work, settings), work.tools.source
    loaded = replace(loaded, slip=replace(loaded.slip, views=()))
    resolved = resolve(loaded, None, work)
    if resolved.unsure and loaded.at_source and not source.still(loaded.at_source):
        raise SourceChanged(f"{work.task.url} changed at {source.name} while it was read", source=source.name)
    return replace(loaded, slip=resolved.slip)


def _loaded(work: Work, settings: RetireSettings) -> Loaded:
    """What the holding area has; where it has been emptied since, or has a tombstone, what was deposited."""
    try:
        loaded = load(work)
        if is_tombstone(loaded.slip):
            source = work.tools.source.name
            raise NoSuchModule(f"{source} has nothing of {work.task.url} any more but its tombstone", source=source)
        return loaded
    except NoSuchModule:
        known, promoted = work.tools.deposits.current(work.task.url, settings.archive), promoted_from(work.tools.environment)
        slip = work.tools.record.slip(promoted, work.task.url, known.version) if known and promoted else None
        if slip is None:
            raise
        return Loaded(bare(slip, keep_views=False), None, bound=True)


def _version(course: Loaded) -> Digest:
    version = version_of(course.slip)
    assert version is not None, "resolved before"
    return version


def _rehearsal(work: Work, course: Loaded, settings: RetireSettings) -> Done:
    known = work.tools.deposits.current(work.task.url, settings.archive)
    step = next_step(known, _version(course), again=bool(work.parameter("again", default=False)))
    work.summary |= {"dry_run": True, "archive": settings.archive, "next": str(step)}
    handle = f" (handle {known.handle})" if known and known.handle else ""
    return Done(f"dry run: next for {settings.archive}: {step}{handle}")


class _Retirement:
    """One attempt at retiring one module."""

    def __init__(self, work: Work, settings: RetireSettings, course: Loaded) -> None:
        self._work, self._settings, self._course = work, settings, course
        self._version = _version(course)
        self._sending = Sending(work, settings, self._version)

    def go(self) -> Done:
        """From wherever it stands to the end."""
        present = take_over(self._work)
        before = live_slip(present)
        handle = self._given()
        deposit = self._known(before)
        if deposit and deposit.state is DepositState.SENT:
            # A person's handle answers the question of this deposit, whatever is wanted now.
            deposit = self._sending.by_hand(deposit, handle) if handle else self._sending.look(deposit)
        if deposit is None or not self._is_deposited(deposit, handle):
            deposit = self._ready(deposit, before)
            self._make(present, package_slip(self._course.slip, deposit))
            self._work.tools.reached("kept")
            deposit = self._sending.by_hand(deposit, handle) if handle else self._sending.send(deposit)
        elif handle and deposit.handle != handle:
            deposit = self._sending.by_hand(deposit, handle)
        if deposit.handle is None:
            deposit = self._sending.ask_handle(deposit)
        return self._finish(before, self._tell(deposit))

    def _given(self) -> str | None:
        """The handle that a person gives, however it is written. Raises NotAsked for what is none."""
        given: str | None = self._work.parameter("handle")
        pattern = self._work.tools.settings.archives[self._settings.archive].handle
        if not given:
            return None
        found = re.fullmatch(pattern, given.strip())
        handle = found[1] if found else given.strip()
        if not re.fullmatch(r"[^\s/:]+/\S+", handle):
            raise NotAsked(f"{given!r} is no handle, which looks like 1721.1/77167; nothing was done")
        return handle

    def _known(self, live: Packageslip | None) -> Deposit | None:
        """The newest deposit, by the record, or, where that was lost, by the retired-courses area."""
        deposits, url = self._work.tools.deposits, self._work.task.url
        if live is not None and deposits.current(url) is None:
            return read_back(self._work, live, self._settings)
        return deposits.current(url, self._settings.archive)

    def _is_deposited(self, deposit: Deposit, handle: str | None) -> bool:
        """Whether the archive has this version. Raises PlanHeld if it has another one, until a person wants a second item."""
        step = next_step(deposit, self._version, again=self._sending.agreed(deposit))
        if step is Next.CHANGED and handle in {None, deposit.handle}:
            item = deposit.handle or deposit.location or deposit.identifier
            raise self._sending.held(
                deposit,
                f"{deposit.archive} has another version of {deposit.url} already ({item}), and takes none in its place; approve "
                "this task to deposit the present version as an item of its own, or cancel it",
            )
        return step in {Next.FINISH, Next.ASK}

    def _ready(self, deposit: Deposit | None, live: Packageslip | None) -> Deposit:
        """The deposit, its package in the store: the one that was prepared, or, where its bytes are nowhere, a new one."""
        work = self._work
        if deposit and (deposit.version, deposit.state) == (self._version, DepositState.PREPARED) and self._has(deposit, live):
            return deposit
        parcel = build_parcel(work, self._course, self._settings, self._version)
        work.tools.reached("built")
        made = work.tools.deposits.prepare(work.task, work.tools.claim.fence, parcel)
        work.tools.reached("recorded")
        return made

    def _has(self, deposit: Deposit, live: Packageslip | None) -> bool:
        """Whether the store has the package, if need be from the retired-courses area."""
        missing = self._work.tools.store.missing([deposit.digest])
        return not missing or (live is not None and not missing - copied(self._work, self._work.target, live, missing))

    def _make(self, present: Present, slip: Packageslip) -> bool:
        """Make the retired module this; whether anything changed. What it had of an earlier version goes, with consent."""
        return make_equal(self._work, Loaded(slip, None, bound=True), present, Intent(consent=True))

    def _tell(self, deposit: Deposit) -> Deposit:
        """Tell the CMS the handle; once more is no harm, if an earlier attempt did and could not note it."""
        work, pattern = self._work, self._settings.tell
        if deposit.told_at is not None or not pattern:
            return deposit
        if not isinstance(work.tools.views, Calls):
            raise NotAsked(
                f"{deposit.url} is deposited as {deposit.handle}, but {work.tools.views.name} cannot be told: it is no CMS that "
                'answers over HTTP. Name one in views, or set retire.tell = ""'
            )
        words = {"url": quote(deposit.url), "handle": quote(deposit.handle or "", safe="/")}
        with work.step("tell"):
            try:
                work.tools.views.call(Template(pattern).safe_substitute(words))
            except PermanentSourceError as error:
                raise NotAsked(
                    f"{deposit.url} is deposited as {deposit.handle}, but the handle could not be told: "
                    f"{str(error).rstrip('. ')} (it is made of retire.tell); once that is mended, insert the task again "
                    "('slipway queue retry'), which tells it and deposits nothing; or set retire.tell = \"\""
                ) from error
        work.tools.reached("told")
        return work.tools.deposits.told(work.task, work.tools.claim.fence, deposit.id)

    def _finish(self, before: Packageslip | None, deposit: Deposit) -> Done:
        """Put receipt and tombstone beside the package."""
        work = self._work
        slip = whole_slip(self._course.slip, deposit, self._settings, work.tools.settings.packages, work.tools.store)
        changed = self._make(take_over(work), slip)
        again = work.task.fence != work.task.serial
        work.summary |= {"archive": deposit.archive, "handle": deposit.handle, "md5": deposit.md5}
        done = f"deposited in {deposit.archive} as {deposit.handle}; package, receipt and tombstone are on {work.target}"
        return Done(done + work.laggards(), after_publish(work, slip, before, changed=changed or again))
