"""The command, forked from a process that has read all its code already: typing it costs a moment, not a start.

`serve(socket)` waits for calls; the program that `write_program` makes hands its words, folder, variables and channels over, passes
signals on, and ends as the command does. The process that forks has one thread and no connection, so that what is forked is the
command in all but its imports. That the program starts by itself is for other tests to see: test_demo, test_installed.
"""

import importlib
import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

PROGRAM = """#!{python} -ISE
import json, os, signal, socket, sys
channel = socket.socket(socket.AF_UNIX)
channel.connect({address!r})
call = json.dumps([sys.argv[1:], os.getcwd(), dict(os.environ)]).encode()
socket.send_fds(channel, [len(call).to_bytes(8, "big")], [0, 1, 2])
channel.sendall(call)
answers = channel.makefile()
pid = int(answers.readline())
for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
    signal.signal(number, lambda number, frame: os.kill(pid, number))
code = int(answers.readline())
if code < 0:
    signal.signal(-code, signal.SIG_DFL)
    os.kill(os.getpid(), -code)
sys.exit(code)
"""


@contextmanager
def warm_command(folder: Path) -> Iterator[Path]:
    """A folder for the PATH that has the program `slipway`."""
    address, programs = folder / "slipway.sock", folder / "warm"
    programs.mkdir()
    program = programs / "slipway"
    program.write_text(PROGRAM.format(python=sys.executable, address=str(address)))
    program.chmod(0o755)
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(address))
        listening.listen()
        server = subprocess.Popen(
            [sys.executable, "-P", __file__, str(listening.fileno())],
            cwd=ROOT,
            env=os.environ | {"PYTHONPATH": f"{ROOT}:{ROOT / 'tests'}"},
            pass_fds=[listening.fileno()],
            stdin=subprocess.DEVNULL,
        )
    try:
        yield programs
    finally:
        server.kill()
        server.wait()


def serve(listening: socket.socket) -> None:
    from cli.main import VERBS, slipway  # noqa: F401 - read before anybody asks

    for place, _ in VERBS.values():
        importlib.import_module(place.split(":")[0])
    while True:
        channel, _ = listening.accept()
        if os.fork() == 0:
            listening.close()
            os._exit(answer(channel))
        channel.close()
        with suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass


def answer(channel: socket.socket) -> int:
    """One call: the command in a process of its own, whose number is told at its start and its end when it has ended."""
    length, streams, _, _ = socket.recv_fds(channel, 8, 3)
    with channel.makefile("rb") as sent:
        words, folder, variables = json.loads(sent.read(int.from_bytes(length, "big")))
    child = os.fork()
    if child == 0:
        be_the_command(words, folder, variables, streams)
    channel.sendall(f"{child}\n".encode())
    _, status = os.waitpid(child, 0)
    channel.sendall(f"{os.waitstatus_to_exitcode(status)}\n".encode())
    return 0


def be_the_command(words: list[str], folder: str, variables: dict[str, str], streams: list[int]) -> None:
    code: object = 70
    try:
        for number, stream in enumerate(streams):
            os.dup2(stream, number)
        os.closerange(3, 64)
        os.chdir(folder)
        os.environ.clear()
        os.environ.update(variables)
        sys.argv = ["slipway", *words]
        importlib.import_module("cli.main").main()
    except SystemExit as ended:
        code = ended.code or 0
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code if isinstance(code, int) else 1)


if __name__ == "__main__":
    serve(socket.socket(fileno=int(sys.argv[1])))
