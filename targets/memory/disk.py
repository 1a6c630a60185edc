"""A Disk over a dict, with a look-in before every single step."""

import io
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from hashlib import sha256
from typing import BinaryIO

from packageslip import Digest
from targets.disk import Answer, Call, Done, Entry, EntryType, Looks, Op, Script, Seen, Write, ahead_at_once, look_in_turn
from targets.errors import CorruptTransfer, NoSpace, PathBlocked
from targets.memory.files import MemoryFiles

Hook = Callable[[str, str, str], None]
"""Called before each atomic step with its verb, its path, and the second path of a rename. It may wait, or raise."""


def no_hook(verb: str, path: str, to: str) -> None:
    """What happens before a step when nobody looks in."""


class MemoryDisk:
    """Implements `Disk` over `MemoryFiles`, which several disks share as connections share a server."""

    def __init__(self, files: MemoryFiles, hook: Hook = no_hook, target: str = "memory") -> None:
        self._files, self._hook, self._target = files, hook, target

    def list(self, folder: str) -> Mapping[str, Entry]:
        self._hook("list", folder, "")
        with self._files.lock:
            if not self._files.is_folder(folder):
                raise FileNotFoundError(folder)
            return {name: node.entry for name, node in self._files.children(folder).items()}

    def stat(self, paths: Sequence[str]) -> Sequence[Entry | None]:
        return [self._stat(path) for path in paths]

    def _stat(self, path: str) -> Entry | None:
        self._hook("stat", path, "")
        node = self._files.find(path)
        return node.entry if node else None

    def lead(self, path: str) -> str | None:
        self._hook("lead", path, "")
        node = self._files.find(path)
        return node.content.decode() if node and node.type is EntryType.LINK else None

    def read(self, path: str) -> bytes:
        with self.open(path) as stream:
            return stream.read()

    def open(self, path: str) -> BinaryIO:
        self._hook("read", path, "")
        node = self._files.find(path)
        if node is None or node.type is not EntryType.FILE:
            raise FileNotFoundError(path)
        return io.BytesIO(node.content)

    def digests(self, paths: Sequence[str]) -> Iterator[tuple[int, Digest] | None]:
        for path in paths:
            self._hook("read", path, "")
            yield self._files.digest(path)

    def run(self, calls: Sequence[Call]) -> Sequence[Answer]:
        return [self._run(call) for call in calls]

    def _run(self, call: Call) -> Answer:
        self._hook(call.op.value, call.path, call.to)
        return self._files.call(call)

    def look(self, looks: Looks, after: Sequence[Call] = (), otherwise: Sequence[Call] = ()) -> tuple[Sequence[Answer], Seen]:
        return look_in_turn(self, looks, after, otherwise)

    def ahead(self, folders: Sequence[Call]) -> Callable[[], Sequence[Answer]]:
        return ahead_at_once(self, folders)

    def carry_out(self, script: Script) -> Done | None:  # noqa: ARG002
        """Nothing is waited for here."""
        return None

    def write(self, writes: Iterable[Write]) -> Iterator[Write]:
        for write in writes:
            with write.open() as stream:
                content = stream.read()
            self._write(write, content)
            yield write

    def _write(self, write: Write, content: bytes) -> None:
        """Created, then filled through the handle: two steps, as on a server."""
        self._hook("create", write.path, "")
        if not self._files.is_folder(write.path.rpartition("/")[0]):
            raise FileNotFoundError(write.path)
        if self._files.find(write.path) is not None:
            raise PathBlocked(f"{self._target}: {write.path} exists already", target=self._target)
        node = self._files.add(write.path, EntryType.FILE, mode=0o644 if write.mode is None else write.mode)
        self._hook("write", write.path, "")
        if self._files.room is not None and len(content) > self._files.room[0]:
            raise NoSpace(f"{self._target}: no room for {write.path}; make room there", target=self._target)
        node.content = content
        if (len(content), sha256(content).digest()) != (write.size, write.digest):
            self._run(Call(Op.UNLINK, write.path))
            raise CorruptTransfer(
                f"{self._target}: the bytes for {write.path} are not those that were promised", target=self._target
            )
        if write.modified is not None:
            node.modified = write.modified
        if write.sync:
            self._hook("sync", write.path, "")

    def space(self) -> tuple[int, int] | None:
        return self._files.room

    def probe(self, folder: str) -> Iterator[tuple[str, bool, str]]:  # noqa: ARG002
        """Nothing but what the protocol needs."""
        yield from ()

    def close(self) -> None:
        """Nothing is open."""
