"""A file system in a dict, as several engines at once may see it."""

import threading
from dataclasses import dataclass, field, replace
from hashlib import sha256

from targets.disk import Answer, Call, Entry, EntryType, Op
from targets.protocol import same_name


@dataclass(slots=True, eq=False)
class Node:
    """One file, folder or link: an inode, so that an open handle outlives renames."""

    type: EntryType
    name: str
    content: bytes = b""
    mode: int = 0o644
    modified: int = 0

    @property
    def entry(self) -> Entry:
        return Entry(self.type, len(self.content), self.modified)


@dataclass(slots=True)
class MemoryFiles:
    """What one server holds. `clock` gives the modification time of what is made, in seconds since the epoch.

    `room`: free bytes and inodes that `space` reports. `case_sensitive` False: one file under each spelling of a name.
    """

    case_sensitive: bool = True
    clock: int = 1_000_000_000
    room: tuple[int, int] | None = None
    nodes: dict[str, Node] = field(default_factory=dict)
    lock: threading.RLock = field(default_factory=threading.RLock)

    def find(self, path: str) -> Node | None:
        """What is at a path; "" is the root."""
        return self.nodes.get(self.key(path)) if path else Node(EntryType.FOLDER, "", mode=0o755)

    def key(self, path: str) -> str:
        return same_name(path, fold=not self.case_sensitive)

    def is_folder(self, path: str) -> bool:
        node = self.find(path)
        return node is not None and node.type is EntryType.FOLDER

    def children(self, folder: str) -> dict[str, Node]:
        """Names in a folder, by the name they were given."""
        start = self.key(folder) + "/" if folder else ""
        inside = ((key, node) for key, node in self.nodes.items() if key.startswith(start) and key != start)
        return {node.name: node for key, node in inside if "/" not in key[len(start) :]}

    def add(self, path: str, type: EntryType, content: bytes = b"", mode: int = 0o644) -> Node:
        """Put something there, whatever was there."""
        node = Node(type, path.rpartition("/")[2], content, mode, self.clock)
        self.nodes[self.key(path)] = node
        return node

    def call(self, call: Call) -> Answer:
        """One atomic step."""
        with self.lock:
            if call.op is Op.MKDIR:
                return self._mkdir(call)
            if call.op is Op.SYMLINK:
                return self._symlink(call)
            if self.find(call.path) is None:
                return Answer.ABSENT
            change = {Op.LINK: self._link, Op.RMDIR: self._rmdir, Op.UNLINK: self._unlink, Op.RENAME: self._rename}
            return change[call.op](call) if call.op in change else Answer.OK

    def _mkdir(self, call: Call) -> Answer:
        if not self.is_folder(call.path.rpartition("/")[0]):
            return Answer.ABSENT
        if self.find(call.path) is not None:
            return Answer.REFUSED
        self.add(call.path, EntryType.FOLDER, mode=0o755 if call.mode is None else call.mode)
        return Answer.OK

    def _symlink(self, call: Call) -> Answer:
        refusal = self._refusal(call.path)
        if refusal is None:
            self.add(call.path, EntryType.LINK, call.to.encode())
        return refusal or Answer.OK

    def _link(self, call: Call) -> Answer:
        refusal = Answer.REFUSED if self.is_folder(call.path) else self._refusal(call.to)
        if refusal is None:
            # Two names of one file: as nobody writes to a file that is whole, they need not share it here.
            node = self.nodes[self.key(call.path)]
            self.nodes[self.key(call.to)] = replace(node, name=call.to.rpartition("/")[2])
        return refusal or Answer.OK

    def _refusal(self, path: str) -> Answer | None:
        """Why nothing can be made at a path."""
        if not self.is_folder(path.rpartition("/")[0]):
            return Answer.ABSENT
        return Answer.REFUSED if self.find(path) is not None else None

    def _rmdir(self, call: Call) -> Answer:
        if not self.is_folder(call.path) or self.children(call.path):
            return Answer.REFUSED
        del self.nodes[self.key(call.path)]
        return Answer.OK

    def _unlink(self, call: Call) -> Answer:
        if self.is_folder(call.path):
            return Answer.REFUSED
        del self.nodes[self.key(call.path)]
        return Answer.OK

    def _rename(self, call: Call) -> Answer:
        if not self.is_folder(call.to.rpartition("/")[0]):
            return Answer.ABSENT
        there = self.find(call.to)
        if there is not None and (self.is_folder(call.path) != self.is_folder(call.to) or self.children(call.to)):
            return Answer.REFUSED
        old, new = self.key(call.path), self.key(call.to)
        if old != new and new.startswith(old + "/"):
            return Answer.REFUSED
        # A file renamed over one that is there keeps the spelling that is there, as case-preserving file systems do.
        keeps = there is not None and old != new and there.type is not EntryType.FOLDER
        name = there.name if there is not None and keeps else call.to.rpartition("/")[2]
        if old != new:
            self.nodes.pop(new, None)
        for key in [key for key in self.nodes if key == old or key.startswith(old + "/")]:
            self.nodes[new + key[len(old) :]] = self.nodes.pop(key)
        self.nodes[new].name = name
        return Answer.OK

    def tree(self, below: str = "") -> dict[str, bytes]:
        """Every file's content by its spelled path, those in the area included."""
        start = self.key(below) + "/" if below else ""
        files = {key: node.content for key, node in self.nodes.items() if node.type is EntryType.FILE and key.startswith(start)}
        return files if self.case_sensitive else {self.spelled(key): content for key, content in files.items()}

    def spelled(self, key: str) -> str:
        """A path as its parts were named when they were made."""
        if self.case_sensitive:
            return key
        ends = [at for at, letter in enumerate(key) if letter == "/"] + [len(key)]
        return "/".join(self.nodes[key[:end]].name for end in ends)

    def digest(self, path: str) -> tuple[int, bytes] | None:
        node = self.find(path)
        if node is None or node.type is not EntryType.FILE:
            return None
        return len(node.content), sha256(node.content).digest()
