"""How deposits look to people and to scripts."""

from cli.words import when
from database import Deposit, DepositState


def deposit_words(deposit: Deposit) -> str:
    """What an archive has of a module, in a line."""
    told = f", the CMS was told {when(deposit.told_at)}" if deposit.told_at else ", the CMS was not told yet"
    states = {
        DepositState.PREPARED: f"package ready since {when(deposit.prepared_at)}, not deposited",
        DepositState.SENT: f"sent {when(deposit.sent_at)}, and not known whether it arrived",
        DepositState.CONFIRMED: f"deposited {when(deposit.confirmed_at)}, handle {deposit.handle}{told}"
        if deposit.handle
        else f"deposited {when(deposit.confirmed_at)}, without a handle so far ({deposit.location or deposit.identifier})",
    }
    return f"archive {deposit.archive}: {states[deposit.state]}; version {deposit.version.hex()[:12]}, from task {deposit.task}"


def deposit_fields(deposit: Deposit) -> dict[str, object]:
    """A deposit as JSON."""
    return {
        "archive": deposit.archive,
        "state": deposit.state.value,
        "version": deposit.version.hex(),
        "handle": deposit.handle,
        "location": deposit.location,
        "collection": deposit.collection,
        "identifier": deposit.identifier,
        "file": deposit.file,
        "size": deposit.size,
        "md5": deposit.md5,
        "sendings": deposit.sendings,
        "prepared": when(deposit.prepared_at),
        "sent": when(deposit.sent_at),
        "confirmed": when(deposit.confirmed_at),
        "told": when(deposit.told_at),
        "task": deposit.task,
    }
