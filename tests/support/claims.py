"""A queue that hands out claims, for tests of targets: one counter, a lease that can be lost."""

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count

from targets import AreaMissing, Fenced

NONCES = count(1)


@dataclass(slots=True)
class Ticket:
    """Implements `targets.Claim`."""

    source: "TestQueue"
    fence: int
    serial: int
    nonce: str
    lost: bool = False
    aware: bool = True
    """Whether an engine that lost its lease knows; one that slept through it does not."""
    on_check: Callable[[], None] = lambda: None

    @property
    def queue(self) -> str:
        return self.source.id

    def renew(self, above: int) -> None:
        if self.lost:
            raise Fenced("the lease is lost")
        self.source.counter = max(self.source.counter, above) + 1
        self.fence = self.serial = self.source.counter
        self.nonce = f"{next(NONCES):08x}"

    def begins(self, target: str) -> None:
        if target in self.source.known:
            raise AreaMissing(f"{target}: modules are live there by the record", target=target)

    def now(self) -> int:
        return self.source.now

    def check(self) -> None:
        self.on_check()
        if self.lost and self.aware:
            raise Fenced("the lease is lost")


@dataclass(slots=True)
class TestQueue:
    """One database: its id and its counter of fences."""

    __test__ = False

    id: str = "0123456789abcdef0123456789abcdef"
    counter: int = 0
    now: int = 1_800_000_000
    """The queue's clock, which stands still unless a test moves it."""
    known: frozenset[str] = frozenset()
    """Targets on which this queue knows modules to be live."""
    tickets: list[Ticket] = field(default_factory=list)

    def claim(self, serial: int | None = None) -> Ticket:
        """A claim with the next fence; `serial`: of a task that was claimed before."""
        self.counter += 1
        ticket = Ticket(self, self.counter, self.counter if serial is None else serial, f"{next(NONCES):08x}")
        self.tickets.append(ticket)
        return ticket
