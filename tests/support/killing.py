"""Engines in processes of their own, forked from a warm one, and killed at a named point or at the Nth system call of a kind.

The parent has one thread and holds no connection while it forks, so that a fork of it is a fresh engine in all but its imports.
"""

import gc
import os
import shutil
import signal
import subprocess
import time
import traceback
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

STRACE = shutil.which("strace")
CALLS = (
    "write,pwrite64,writev,pwritev,rename,renameat,renameat2,link,linkat,symlink,symlinkat,unlink,unlinkat,mkdir,mkdirat,rmdir,"
    "open,openat,creat,fsync,fdatasync,sendto,sendmsg,ftruncate,truncate,fallocate,chmod,fchmod,fchmodat,utime,utimes,utimensat,"
    "futimesat,copy_file_range,sendfile"
)
"""Whatever can change something that somebody else sees."""
KILLED = -signal.SIGKILL
CRASHED = 70
HANGS = 120.0
"""Seconds after which a child counts as hanging."""


@dataclass(frozen=True, slots=True)
class Ending:
    """How a child ended: its exit code (negative: a signal), and the last call that strace saw, if it looked."""

    code: int
    call: str = ""

    @property
    def killed(self) -> bool:
        return self.code == KILLED


class Child:
    """A forked process that waits for leave, does its work and exits."""

    def __init__(self, work: Callable[[], None], errors: Path) -> None:
        gate, self._leave = os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            os.close(self._leave)
            _be(work, gate, errors)
        os.close(gate)

    def go(self) -> None:
        os.write(self._leave, b"\0")
        os.close(self._leave)

    def wait(self) -> int:
        """Its exit code. A child that hangs is killed, and counts as crashed."""
        deadline = time.monotonic() + HANGS
        pause = 0.0005
        while True:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                return os.waitstatus_to_exitcode(status)
            if time.monotonic() > deadline:
                os.kill(self.pid, signal.SIGKILL)
                os.waitpid(self.pid, 0)
                return CRASHED
            time.sleep(pause)
            pause = min(pause * 1.5, 0.01)


def run_child(work: Callable[[], None], errors: Path) -> Ending:
    """Do the work in a child, undisturbed from here."""
    child = Child(work, errors)
    child.go()
    return Ending(child.wait())


def run_traced(work: Callable[[], None], errors: Path, inject: str, trace: Path, calls: str = CALLS) -> Ending:
    """Do the work in a child under strace, which does `inject` to its calls: `signal=SIGKILL:when=7`, `error=EIO:when=3+`."""
    child = Child(work, errors)
    command = [str(STRACE), "-qq", "-s", "80", "-p", str(child.pid), *injection(inject, trace, calls)]
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as tracer:
        _await_tracer(child.pid, tracer)
        child.go()
        code = child.wait()
    return Ending(code, last_call(trace))


def injection(inject: str, trace: Path, calls: str = CALLS) -> list[str]:
    """The arguments by which strace writes down these calls and does something to them."""
    present = ",".join(f"?{call}" for call in calls.split(","))
    return ["-o", str(trace), "-e", f"trace={present}", "-e", f"inject={present}:{inject}"]


def last_call(trace: Path) -> str:
    """The last line of a trace that is a call; the one at which its process was killed, if it was."""
    lines = _calls_in(trace)
    return lines[-1] if lines else ""


def numbered_calls(trace: Path) -> list[tuple[str, int]]:
    """Every call of a trace that may change something, in order: its name and which of that name it is, as strace counts them.

    Opens that create nothing are counted and left out.
    """
    counts: Counter[str] = Counter()
    found = []
    for line in _calls_in(trace):
        name = line.partition("(")[0]
        counts[name] += 1
        if name not in {"open", "openat"} or "O_CREAT" in line:
            found.append((name, counts[name]))
    return found


def _calls_in(trace: Path) -> list[str]:
    return [line for line in trace.read_text(errors="replace").splitlines() if not line.startswith(("+++", "---"))]


def may_trace(folder: Path) -> str:
    """Why system calls cannot be swept here; nothing if they can."""
    if STRACE is None:
        return "strace is not installed"
    trace = folder / "may.trace"
    try:
        ending = run_traced(lambda: None, folder / "may.errors", "signal=SIGKILL:when=60000", trace)
    except PermissionError as error:
        return str(error)
    return "" if ending.code == 0 else f"a traced process ended with {ending.code}"


def _await_tracer(pid: int, tracer: "subprocess.Popen[bytes]") -> None:
    status = Path(f"/proc/{pid}/status")
    while "\nTracerPid:\t0\n" in status.read_text():
        if tracer.poll() is not None:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
            said = tracer.stderr.read().decode(errors="replace") if tracer.stderr else ""
            raise PermissionError(f"strace cannot attach to a process: {said.strip()}")
        time.sleep(0.0005)


def _be(work: Callable[[], None], gate: int, errors: Path) -> None:
    code = CRASHED
    # It lives for a moment, and whoever looks for garbage touches, and so copies, all the memory that it has in common with its parent.
    gc.disable()
    try:
        os.read(gate, 1)
        work()
        code = 0
    except BaseException:
        errors.write_text(traceback.format_exc())
    finally:
        os._exit(code)
