"""Why a file cannot be put where it belongs: what somebody else has put at its name, or on the way to it."""

from targets import protocol
from targets.area import all_parents
from targets.disk import Call, Entry, EntryType
from targets.errors import PathBlocked
from targets.hold import Hold


def blocked(hold: Hold, call: Call) -> PathBlocked | None:
    """The error that says so, of a rename that fails each time; None: nothing is there that explains it."""
    found = _foreign(hold, call.to)
    if found is None:
        return None
    path, entry = found
    place = "its place" if path == call.to else f"the place of the folder {path}"
    return PathBlocked(
        f"{hold.target}: {call.to} of {hold.names.url} cannot be put there: a {entry.type} is in {place}; move it away, and the "
        "next task finishes the release",
        target=hold.target,
    )


def _foreign(hold: Hold, path: str) -> tuple[str, Entry] | None:
    """What lies there and is neither a file at the name nor a folder on the way."""
    paths = [*sorted(all_parents([path])), path]
    for each, entry in zip(paths, hold.disk.stat(paths), strict=True):
        if entry and not (protocol.is_file(entry) if each == path else entry.type is EntryType.FOLDER):
            return each, entry
    return None
