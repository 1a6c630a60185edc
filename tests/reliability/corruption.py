"""Spoil an upload in every way, and see that it is noticed: `make corruption`.

Over SFTP, between the client and OpenSSH's own sftp-server: every reply refused, lost, doubled, swapped, every bit of every byte of
requests and replies flipped, requests that are not carried out though the server says so; the same of a stream and the program that
takes it. On a local disk: every bit of what is written.
With `verify = "replies"` any refused or lost reply is an error; with `verify = "readback"` any byte that differs on the target is, too.
"""

import argparse
import hashlib
import io
import logging
import math
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from unittest import mock

import structlog

from support.kill_rig import folder_for_worlds
from support.sftp_faults import Fault, FaultyPipe, every_fault
from support.sftp_pipe import SocketPipe, plain_disk, plain_settings
from support.stream_faults import FaultyProgram, is_program
from support.stream_faults import every_fault as every_fault_of_a_stream
from targets import CorruptTransfer, TargetError
from targets.disk import Disk, Write
from targets.local import LocalDisk
from targets.local import disk as local
from targets.sftp import disk as sftp

SIZES = (0, 1, 300, 8192)
STREAMED = (0, 1, 300)
"""Of a stream: a program that was told nonsense is not used again, and the next one takes longer to begin than a file takes."""
CHUNK = 256
"""Bytes of one WRITE, so that small files take several."""
MODE, MTIME = 0o640, 1_700_000_000
BITS = tuple(1 << bit for bit in range(8))
IDLE = 0.3
"""Seconds of silence after which the client gives up: a flipped length leaves both sides waiting."""
PATIENCE = 60.0
"""The same where nothing is wrong: a bound for hangs."""
TRIES = 5
"""Uploads that may end in such a silence, on a busy machine, before the fault has come."""
LOUD = frozenset({"refuse", "drop", "cut"})
"""Faults that must be noticed although the file may be right."""
BEYOND = frozenset({"flip", "pretend", "short"})
"""Faults that may pass for a success, a flipped handle in a reply for one: only reading back tells."""


@dataclass
class Tally:
    """What came of the faults."""

    noticed: Counter[str] = field(default_factory=Counter)
    harmless: int = 0
    """The file is right, and so is what was said."""
    attributes: int = 0
    """Every byte is right; its mode or its time is not, and nobody was told: only the bytes are promised."""
    violations: list[str] = field(default_factory=list)

    @property
    def faults(self) -> int:
        return self.noticed.total() + self.harmless + self.attributes + len(self.violations)

    def judge(self, what: str, error: Exception | None, file: Path, content: bytes, *, loud: bool) -> None:
        """`loud`: only an error will do."""
        if error is not None:
            self.noticed[type(error).__name__] += 1
        elif loud or not file.is_file() or file.stat().st_size != len(content) or file.read_bytes() != content:
            self.violations.append(f"{what}: nobody noticed")
            print(f"VIOLATION {self.violations[-1]}", flush=True)
        elif (file.stat().st_mode & 0o777, int(file.stat().st_mtime)) != (MODE, MTIME):
            self.attributes += 1
        else:
            self.harmless += 1


class SftpCase:
    """One file, uploaded again and again, each time with another fault."""

    def __init__(self, folder: Path, content: bytes, *, read_back: bool) -> None:
        self._folder, self._file, self._content, self._read_back = folder, folder / "file", content, read_back
        self._pipe: FaultyPipe | None = None
        self._disk = plain_disk(plain_settings(folder, idle_timeout=PATIENCE), "t", self._between)
        self._own = len(self._packets(read_back=False)[0])
        self.faults = self._applicable(*self._packets(read_back=read_back))

    def _between(self, pipe: SocketPipe) -> FaultyPipe:
        self._pipe = FaultyPipe(pipe)
        return self._pipe

    def _packets(self, *, read_back: bool) -> tuple[list[bytes], list[bytes]]:
        """What passes when nothing is wrong."""
        error = self._upload(None, read_back=read_back)
        if error is not None:
            raise error
        assert self._pipe is not None
        return list(self._pipe.requests), list(self._pipe.replies)

    def _applicable(self, requests: list[bytes], replies: list[bytes]) -> list[Fault]:
        faults = every_fault(requests, replies, BITS)
        if self._read_back:
            return faults
        return [fault for fault in faults if fault.action not in BEYOND]

    def strike(self, fault: Fault, tally: Tally) -> None:
        error = _struck(lambda: self._upload(fault, read_back=self._read_back), lambda: self._pipe)
        assert self._pipe is not None
        if not self._pipe.struck:
            tally.violations.append(f"{fault} of a file of {len(self._content)} bytes was not produced")
            return
        # What only reads, and what nobody waits for any more, comes after the upload itself.
        loud = fault.action in LOUD and fault.index < self._own
        what = f"SFTP, {'readback' if self._read_back else 'replies'}, {len(self._content)} bytes, {fault}"
        tally.judge(what, error, self._file, self._content, loud=loud)

    def _upload(self, fault: Fault | None, *, read_back: bool) -> Exception | None:
        for left in self._folder.iterdir():
            left.unlink()
        if self._pipe is None or not self._pipe.quiet:
            self._disk.close()
        session = self._disk._connected()
        session.write_size = session.read_size = CHUNK
        assert self._pipe is not None
        # Only a fault is a reason for silence; a busy machine is not.
        self._pipe.settimeout(PATIENCE if fault is None else IDLE)
        self._pipe.arm(fault)
        error = _write(self._disk, self._content, read_back=read_back)
        # What is sent later belongs to this upload too, and not to the next.
        session.abandon([])
        return error

    def close(self) -> None:
        self._disk.close()


class StreamCase:
    """The same, as a stream."""

    def __init__(self, folder: Path, content: bytes, *, read_back: bool) -> None:
        self._folder, self._content, self._read_back = folder, content, read_back
        self._programs: list[FaultyProgram] = []
        self._disk = plain_disk(plain_settings(folder, idle_timeout=PATIENCE, transfer="stream"), "t", self._between)
        error = self._upload(None)
        if error is not None:
            raise error
        last = self._programs[-1]
        faults = every_fault_of_a_stream(list(last.requests), list(last.replies), BITS)
        self.faults: Sequence[Fault] = [fault for fault in faults if read_back or fault.action not in BEYOND]

    def _between(self, pipe: SocketPipe) -> SocketPipe | FaultyProgram:
        if not is_program(pipe):
            return pipe
        self._programs.append(FaultyProgram(pipe))
        return self._programs[-1]

    def strike(self, fault: Fault, tally: Tally) -> None:
        error = _struck(lambda: self._upload(fault), lambda: self._programs[-1])
        what = f"stream, {'readback' if self._read_back else 'replies'}, {len(self._content)} bytes, {fault}"
        if self._programs[-1].struck:
            tally.judge(what, error, self._folder / "file", self._content, loud=fault.action in LOUD)
        else:
            tally.violations.append(f"{what} was not produced")

    def _upload(self, fault: Fault | None) -> Exception | None:
        for left in self._folder.iterdir():
            left.unlink()
        with mock.patch.object(sftp, "MANY", 1):
            if not self._programs or not self._programs[-1].quiet:
                self._begin()
            self._programs[-1].settimeout(PATIENCE if fault is None else IDLE)
            self._programs[-1].arm(fault)
            return _write(self._disk, self._content, read_back=self._read_back)

    def _begin(self) -> None:
        """A program that is ready, so that the next request is the file."""
        self._disk.close()
        self._disk._connected()
        stream = self._disk._stream
        assert stream is not None
        stream.begin()

    def close(self) -> None:
        self._disk.close()


class LocalCase:
    """The same on a disk of this machine, whose memory or controller spoils what is written."""

    def __init__(self, folder: Path, content: bytes) -> None:
        self._folder, self._content = folder, content
        self._disk = LocalDisk(folder, "t")
        self.faults = [Fault("request", 0, action) for action in ("pretend", "short")] if content else []
        self.faults += [Fault("request", 0, "flip", byte, mask) for byte in range(len(content)) for mask in BITS]

    def strike(self, fault: Fault, tally: Tally) -> None:
        (self._folder / "file").unlink(missing_ok=True)
        real = local.write_all

        def spoiled(number: int, chunk: bytes) -> None:
            match fault.action:
                case "flip":
                    at = fault.byte
                    real(number, chunk[:at] + bytes([chunk[at] ^ fault.mask]) + chunk[at + 1 :])
                case "short":
                    real(number, chunk[:-1])

        with mock.patch.object(local, "write_all", spoiled):
            error = _write(self._disk, self._content, read_back=True)
        tally.judge(f"local, {len(self._content)} bytes, {fault}", error, self._folder / "file", self._content, loud=True)

    def close(self) -> None: ...


def _struck(upload: Callable[[], Exception | None], pipe: Callable[[], FaultyPipe | FaultyProgram | None]) -> Exception | None:
    """What came of an upload to which the fault happened: on a busy machine it may have ended in silence before that."""
    for _ in range(TRIES):
        error = upload()
        used = pipe()
        if error is None or (used is not None and used.struck):
            break
    return error


def _write(disk: Disk, content: bytes, *, read_back: bool) -> Exception | None:
    write = Write(
        "file",
        lambda: io.BytesIO(content),
        len(content),
        hashlib.sha256(content).digest(),
        mode=MODE,
        modified=MTIME,
        sync=True,
        read_back=read_back,
    )
    try:
        done = list(disk.write([write]))
    except (TargetError, FileNotFoundError) as error:
        return error
    return None if done == [write] else CorruptTransfer("not answered for")


def corrupt(folder: Path, chance: random.Random, most: int | None, until: float = math.inf) -> Tally:
    """So many faults, drawn from all (None: each of them once), until a moment on the monotonic clock."""
    tally = Tally()
    cases: list[SftpCase | StreamCase | LocalCase] = []
    for size in SIZES:
        content = chance.randbytes(size)
        cases += [SftpCase(_fresh(folder), content, read_back=read_back) for read_back in (False, True)]
        cases.append(LocalCase(_fresh(folder), content))
        if size in STREAMED:
            cases += [StreamCase(_fresh(folder), content, read_back=read_back) for read_back in (False, True)]
    flips = sum(fault.action == "flip" for case in cases for fault in case.faults)
    few = sum(len(case.faults) for case in cases) - flips
    share = 1.0 if most is None else max(0, most - few) / flips
    for case in cases:
        for fault in _drawn(case.faults, chance, share):
            if time.monotonic() < until:
                case.strike(fault, tally)
        case.close()
    return tally


def _drawn(faults: Sequence[Fault], chance: random.Random, share: float) -> Iterator[Fault]:
    """This share of the flips; the few faults of other kinds are always among them."""
    for fault in faults:
        if fault.action != "flip" or chance.random() < share:
            yield fault


def _fresh(folder: Path) -> Path:
    return Path(tempfile.mkdtemp(dir=folder))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--faults", type=int, help="about so many, drawn at random; default: every one")
    parser.add_argument("--minutes", type=float, default=math.inf, help="begin nothing new after so many")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    wanted = parser.parse_args()
    print(f"seed {wanted.seed}", flush=True)
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="corruption-", dir=folder_for_worlds()) as folder:
        tally = corrupt(Path(folder), random.Random(wanted.seed), wanted.faults, began + 60 * wanted.minutes)
    print("noticed as: " + ", ".join(f"{name} {count}" for name, count in tally.noticed.most_common()))
    print(
        f"{tally.faults} faults: {tally.noticed.total()} noticed, {tally.harmless} without effect, {tally.attributes} on mode or time "
        f"alone, {time.monotonic() - began:.0f} s, {len(tally.violations)} violations"
    )
    return 1 if tally.violations else 0


if __name__ == "__main__":
    sys.exit(main())
