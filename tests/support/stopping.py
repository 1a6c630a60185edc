"""A disk whose engine is killed, or whose connection is cut, before a given call; and one whose server can lose power."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import BinaryIO

from packageslip import Digest
from support.histories import Killed, snapshot
from support.stepping import goes_on, step_by_step
from targets.disk import Answer, Call, Disk, Done, Entry, EntryType, Looks, Op, Script, Seen, Write, ahead_at_once, look_in_turn
from targets.memory import MemoryDisk, MemoryFiles


class StoppingDisk:
    """Passes calls on, one by one, until so many were made; from then on every call raises `error`."""

    def __init__(self, disk: Disk, calls: int, error: BaseException | None = None) -> None:
        self._disk, self._left, self._error = disk, calls, error or Killed()
        self.made = 0

    def _count(self) -> Disk:
        if self._left == self.made:
            raise self._error
        self.made += 1
        return self._disk

    def list(self, folder: str) -> Mapping[str, Entry]:
        return self._count().list(folder)

    def stat(self, paths: Sequence[str]) -> Sequence[Entry | None]:
        return self._count().stat(paths) if paths else []

    def lead(self, path: str) -> str | None:
        return self._count().lead(path)

    def read(self, path: str) -> bytes:
        return self._count().read(path)

    def open(self, path: str) -> BinaryIO:
        return self._count().open(path)

    def digests(self, paths: Sequence[str]) -> Iterator[tuple[int, Digest] | None]:
        return self._count().digests(paths)

    def run(self, calls: Sequence[Call]) -> Sequence[Answer]:
        return [self._count().run([call])[0] for call in calls]

    def look(self, looks: Looks, after: Sequence[Call] = (), otherwise: Sequence[Call] = ()) -> tuple[Sequence[Answer], Seen]:
        return look_in_turn(self, looks, after, otherwise)

    def ahead(self, folders: Sequence[Call]) -> Callable[[], Sequence[Answer]]:
        return ahead_at_once(self, folders)

    def carry_out(self, script: Script) -> Done | None:
        return step_by_step(self, script) if goes_on(self._disk) else None

    def write(self, writes: Iterable[Write]) -> Iterator[Write]:
        for write in writes:
            yield from self._count().write([write])

    def space(self) -> tuple[int, int] | None:
        return self._count().space()

    def probe(self, folder: str) -> Iterator[tuple[str, bool, str]]:
        return self._count().probe(folder)

    def close(self) -> None:
        self._disk.close()


class UnsyncedDisk(MemoryDisk):
    """Remembers what was done since the last sync. A sync of any file commits all earlier calls, as journals do."""

    def __init__(self, files: MemoryFiles, calls: int) -> None:
        super().__init__(files, self._look)
        self._server, self._left = files, calls
        self.safe = snapshot(files)
        self.unsynced: list[Call | tuple[str, bytes]] = []
        self._content: dict[str, bytes] = {}

    def _look(self, verb: str, path: str, to: str) -> None:
        if not self._left:
            raise Killed
        self._left -= 1
        match verb:
            case "create":
                self.unsynced.append((path, b""))
            case "write":
                self.unsynced.append((path, self._content[path]))
            case "sync":
                self.safe, self.unsynced = snapshot(self._server), []
            case "mkdir" | "rmdir" | "rename" | "unlink" | "link" | "symlink":
                self.unsynced.append(Call(Op(verb), path, to))

    def _write(self, write: Write, content: bytes) -> None:
        self._content[write.path] = content
        super()._write(write, content)

    def after_power_loss(self, lost: frozenset[int]) -> MemoryFiles:
        """What the server holds when these of the unsynced calls, by number, never reached its disk."""
        files = MemoryFiles(nodes=snapshot(MemoryFiles(nodes=self.safe)))
        for number, call in enumerate(self.unsynced):
            if number not in lost:
                redo(files, call)
        return files


def redo(files: MemoryFiles, call: Call | tuple[str, bytes]) -> None:
    if isinstance(call, Call):
        files.call(call)
        return
    path, content = call
    node = files.find(path)
    if node is not None and node.type is EntryType.FILE:
        node.content = content
    elif not content and files.is_folder(path.rpartition("/")[0]):
        files.add(path, EntryType.FILE)
