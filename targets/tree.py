"""A whole folder to be, built in the holder's folder, where nobody sees it: files are written to where they will lie in it."""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from targets.area import all_parents
from targets.disk import Answer, Call, EntryType, Op
from targets.errors import PermanentTargetError, TransientTargetError
from targets.hold import Hold


@dataclass(slots=True)
class Tree:
    """`top`: the folder to be, as a path from the target's root. `above`: folders to be made around it, outermost first."""

    hold: Hold
    top: str
    paths: Collection[str]
    """Of all files that will lie in it, relative to it."""
    above: Sequence[str] = ()
    laid: bool = False
    begun: set[str] = field(default_factory=set)

    def at(self, path: str) -> str:
        """Where a file of it lies until then."""
        return f"{self.top}/{path}"

    def lay_out(self) -> None:
        """Make its folders, once. Raises Fenced, TransientTargetError."""
        self._lay_out()()

    @contextmanager
    def laid_out(self) -> Iterator[None]:
        """Within it its first files are written: its folders go ahead of them, and nobody waits. Raises like `lay_out`."""
        see_folders = self._lay_out()
        try:
            yield
        except FileNotFoundError:
            self.laid = False
            see_folders()
            raise
        except BaseException:
            # Perhaps they never went out. Whoever tries again makes those that are missing.
            self.laid = False
            raise
        see_folders()

    def _lay_out(self) -> Callable[[], None]:
        """Put its folders on their way, once. What says, later, whether they were made."""
        if self.laid:
            return lambda: None
        self.laid = True
        inner = sorted(all_parents(self.paths), key=lambda folder: folder.count("/"))
        folders = [*self.above, self.top, *map(self.at, inner)]
        calls = [Call(Op.MKDIR, folder, mode=self.hold.options.folder_mode) for folder in folders]
        answers = self.hold.ahead(calls)
        return lambda: _see_made(self.hold, calls, answers() or self.hold.run(calls))

    def placing(self) -> Callable[[str], str]:
        """What says where a file's bytes are written to. A second attempt begins anew."""
        begin, begun = self.at(""), self.begun

        def place(path: str) -> str:
            if not self.laid:
                self.lay_out()
            lies = begin + path
            if lies in begun:
                self.hold.run([Call(Op.UNLINK, lies)])
            begun.add(lies)
            return lies

        return place


def make(hold: Hold, calls: Iterable[Call]) -> None:
    """Make calls in the holder's folder, each of which has to succeed.

    Raises Fenced; PermanentTargetError where what a link is to lead to is gone; TransientTargetError for a refusal, which has no
    reason: a server that cannot make links refuses again until no attempt is left.
    """
    made = list(calls)
    _see_made(hold, made, hold.run(made))


def _see_made(hold: Hold, made: Sequence[Call], answers: Sequence[Answer]) -> None:
    """Raise what `make` does."""
    failed = [(call, answer) for call, answer in zip(made, answers, strict=True) if answer is not Answer.OK]
    if not failed:
        return
    hold.listing()  # Raises Fenced if our folder is gone.
    failed = [(call, answer) for call, answer in failed if not (call.op is Op.MKDIR and _is_folder(hold, call.path))]
    if not failed:
        return
    call, answer = failed[0]
    if call.op is Op.LINK and answer is Answer.ABSENT:
        raise PermanentTargetError(
            f"{hold.target}: {call.path} of {hold.names.url} is not where the slip that is live says, so that no release can be "
            "made with it; 'slipway verify --repair' puts it back",
            target=hold.target,
        )
    raise TransientTargetError(
        f"{hold.target}: the server refuses to {call.op} {call.path}" + (f" to {call.to}" if call.to else "") + ", which a "
        f"release of {hold.names.url} needs, and gives no reason; 'slipway target test' says what it lacks",
        target=hold.target,
    )


def _is_folder(hold: Hold, path: str) -> bool:
    """Whether a folder that could not be made is there: on some servers, names that differ only by case are the same one."""
    [entry] = hold.disk.stat([path])
    return entry is not None and entry.type is EntryType.FOLDER
