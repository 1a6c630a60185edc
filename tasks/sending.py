"""Dealings with an archive about one deposit: sent at most once, looked for after every lost answer."""

from collections.abc import Callable
from functools import partial
from typing import BinaryIO, Self, cast

import structlog

from archives import (
    AlreadyDeposited,
    LookupRefused,
    NoLookup,
    PermanentArchiveError,
    Receipt,
    Sword,
    TransientArchiveError,
    packaging_for,
)
from config import RetireSettings
from database import Deposit, Task
from packageslip import Digest
from tasks.depositing import question
from tasks.errors import NotYet, PlanHeld
from tasks.work import Work

log = structlog.get_logger(__name__)

GIVE_HANDLE = 'insert a RETIRE row with the parameters {"handle": "..."}'


class Sending:
    """One task's dealings with its archive. `version`: the module's, now."""

    def __init__(self, work: Work, retire: RetireSettings, version: Digest) -> None:
        self._work, self._retire, self._version = work, retire, version
        self._sword: Sword = work.tools.open_archive(retire.archive)

    def look(self, deposit: Deposit) -> Deposit:
        """Find out what became of a deposit whose answer nobody has: it is confirmed, or nothing was sent.

        Raises NotYet while it may still be on its way into the archive, PlanHeld where the archive cannot be asked,
        TransientArchiveError.
        """
        with self._work.step("look up"):
            try:
                found = self._find(deposit)
            except (NoLookup, LookupRefused) as error:
                if self.agreed(deposit):
                    return self._unsend(deposit)
                raise self.held(deposit, _unanswered(deposit, error)) from error
        if found:
            return self._confirm(deposit, found)
        left = self._unsettled(deposit)
        if left > 0 and not self.agreed(deposit):
            raise NotYet(
                f"{deposit.archive} does not list {deposit.identifier}, which was sent and never answered; it may still be taken "
                f"in, so it is looked for again in {left:.0f} s",
                left,
            )
        return self._unsend(deposit)

    def send(self, deposit: Deposit) -> Deposit:
        """Deposit the package: the intent is written first, and taken back only if the archive says that it took nothing.

        Raises ArchiveError's kinds; after AnswerLost the intent stays.
        """
        work, archive = self._work, self._work.tools.settings.archives[self._retire.archive]
        with work.step("deposit", files=1, size=deposit.size):
            deposit = self._write(work.tools.deposits.send, deposit)
            work.tools.reached("sending")
            try:
                receipt = self._sword.deposit(
                    partial(self._opened, deposit),
                    deposit.size,
                    deposit.md5,
                    deposit.file,
                    collection=deposit.collection,
                    packaging=packaging_for(archive, self._retire.form),
                    slug=deposit.identifier,
                )
            except AlreadyDeposited as error:
                receipt = self._already(deposit, error)
            except (TransientArchiveError, PermanentArchiveError):
                self._unsend(deposit)
                raise
            work.tools.reached("answered")
        return self._confirm(deposit, receipt)

    def ask_handle(self, deposit: Deposit) -> Deposit:
        """The handle of a deposit that had none when it was taken. Raises PlanHeld while it has none."""
        with self._work.step("look up"):
            try:
                found = self._sword.read(deposit.location) if deposit.location else self._find(deposit)
                why = "has given it no handle yet"
            except (NoLookup, LookupRefused) as error:
                found, why = None, f"does not say its handle ({str(error).rstrip('. ')})"
        if found and found.handle:
            return self._confirm(deposit, found)
        where = f" as {deposit.location}" if deposit.location else ""
        raise self.held(
            deposit,
            f"{deposit.archive} has {deposit.url}{where}, but {why}; once it has one, approve this task, which asks again, or "
            + GIVE_HANDLE,
        )

    def by_hand(self, deposit: Deposit, handle: str) -> Deposit:
        """A person knows the handle."""
        log.info("handle given by a person", task=self._work.task.id, url=deposit.url, handle=handle)
        return self._confirm(deposit, Receipt(deposit.location, handle, deposit.receipt or b""))

    def agreed(self, deposit: Deposit) -> bool:
        """Whether a person answered the question about this deposit, and nothing was sent since."""
        task = self._work.task
        asked_anew = bool(self._work.parameter("again", default=False)) and deposit.task != task.id
        return asked_anew or task.approved_plan == question(deposit, self._version)

    def held(self, deposit: Deposit, sentence: str) -> PlanHeld:
        """The question to a person, to be raised."""
        document = {
            "url": deposit.url,
            "target": self._work.target,
            "digest": question(deposit, self._version),
            "objections": [{"rule": "deposit", "sentence": sentence}],
        }
        return PlanHeld(sentence, question(deposit, self._version), document)

    def _find(self, deposit: Deposit) -> Receipt | None:
        return self._sword.find(deposit.collection, identifier=deposit.identifier, md5=deposit.md5)

    def _unsettled(self, deposit: Deposit) -> float:
        """Seconds for which an archive that does not list the deposit may still be taking it in."""
        assert deposit.sent_at is not None, "it was sent"
        return self._retire.settle - (deposit.as_of - deposit.sent_at).total_seconds()

    def _already(self, deposit: Deposit, error: AlreadyDeposited) -> Receipt:
        """What the archive has: as it says itself, or as its list says."""
        if error.handle:
            return Receipt(error.location, error.handle, error.document)
        try:
            found = self._find(deposit)
        except (NoLookup, LookupRefused):
            found = None
        if found is None:
            raise self.held(
                deposit,
                f"{str(error).rstrip('. ')}, and does not say where; look there for {deposit.identifier} (MD5 {deposit.md5}) and "
                + GIVE_HANDLE,
            )
        return found

    def _opened(self, deposit: Deposit) -> BinaryIO:
        return cast("BinaryIO", _Guarded(self._work.tools.store.open(deposit.digest), self._work.tools.claim.check))

    def _confirm(self, deposit: Deposit, receipt: Receipt) -> Deposit:
        made = self._work.tools.deposits.confirm(
            self._work.task,
            self._work.tools.claim.fence,
            deposit.id,
            location=receipt.location,
            handle=receipt.handle,
            receipt=receipt.document or deposit.receipt,
        )
        log.info("deposit confirmed", task=self._work.task.id, url=made.url, archive=made.archive, handle=made.handle)
        self._work.tools.reached("confirmed")
        return made

    def _unsend(self, deposit: Deposit) -> Deposit:
        return self._write(self._work.tools.deposits.unsend, deposit)

    def _write(self, verb: Callable[[Task, int, int], Deposit], deposit: Deposit) -> Deposit:
        return verb(self._work.task, self._work.tools.claim.fence, deposit.id)


def _unanswered(deposit: Deposit, error: Exception) -> str:
    return (
        f"{deposit.url} was sent to {deposit.archive} and its answer was lost; {str(error).rstrip('. ')}. Look there for "
        f"{deposit.identifier} (MD5 {deposit.md5}): if it is there, {GIVE_HANDLE} and cancel this task; if it is not, approve "
        "this task, which sends it again"
    )


class _Guarded:
    """A package on its way out, which stops when the task is no longer this engine's: an engine that slept must not go on."""

    def __init__(self, stream: BinaryIO, check: Callable[[], None]) -> None:
        self._stream, self._check = stream, check

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stream.close()

    def read(self, size: int = -1) -> bytes:
        self._check()
        return self._stream.read(size)
