"""Local folders and lists of the CMS: what else a mirror has that no page has to point to."""

import json
import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

from config import ExternalSettings
from packageslip import Kind, Packageslip, Resource, UnsafePath, View, ViewKind, check_path
from sources import SourceError, Want
from tasks.snapshot_externals import Fetching
from tasks.snapshot_state import Mirror, has_links
from tasks.snapshot_wishes import Wish, is_web_url
from tasks.work import Work

CHUNK = 1024 * 1024
_TYPES = {".htm": "text/html", ".html": "text/html", ".css": "text/css"}


def wish_for_lists(work: Work, mirror: Mirror, fetching: Fetching) -> None:
    """Have everything that the CMS's lists name. A list that cannot be had is listed as missing."""
    for number, external in enumerate(mirror.settings.externals):
        if external.list:
            try:
                lines = _list(work, external.list)
            except SourceError as error:
                mirror.report.lacks(external.list, str(error))
                continue
            for line in lines:
                wish = _wish(line, number, external)
                if wish:
                    fetching.add(wish)
                else:
                    mirror.report.lacks(line[:200], f"this line of {external.list} is not a URL, a tab and a path")


def _list(work: Work, path: str) -> list[str]:
    view = View("list", ViewKind.JSON, href=path)
    [fetched] = work.tools.views.fetch(Packageslip("/"), [Want(view)], work.tools.store)
    with work.tools.store.open(fetched.digest) as stream:
        lines = stream.read().decode("utf-8-sig", "replace").splitlines()
    return [line for line in lines if line.strip() and not line.startswith("#")]


def _wish(line: str, number: int, external: ExternalSettings) -> Wish | None:
    url, _, path = (part.strip() for part in line.partition("\t"))
    if not is_web_url(url) or not path:
        return None
    return Wish(
        url.partition("#")[0], number, f"{external.into.strip('/')}/{path.partition(chr(9))[0].strip().strip('/')}".lstrip("/")
    )


def take_folders(work: Work, mirror: Mirror) -> None:
    """The files of local folders; those that were read before and have not changed since are not read again."""
    for external in mirror.settings.externals:
        if external.folder:
            with work.step("folders"):
                _take_folder(work, mirror, external, Path(external.folder))


def _take_folder(work: Work, mirror: Mirror, external: ExternalSettings, folder: Path) -> None:
    memory = mirror.workspace / "folders.json"
    known: dict[str, list[object]] = {}
    with suppress(OSError, ValueError):
        known = json.loads(memory.read_text())
    if not folder.is_dir():
        mirror.report.lacks(str(folder), "this folder does not exist; is it mounted?")
        return
    name = f"folder:{external.into}"
    for file in _files(folder, lambda error: mirror.report.lacks(str(error.filename or folder), str(error))):
        work.tools.pause_point()
        try:
            resource = _resource(work, external, folder, file, known)
        except (OSError, UnsafePath) as error:
            mirror.report.lacks(str(file), str(error))
            continue
        if mirror.take(resource, str(file)):
            if has_links(resource):
                mirror.pages.setdefault(name, []).append(resource.path)
            if external.method == "link":
                mirror.linked[resource.path] = file
    new = memory.with_suffix(".new")
    new.write_text(json.dumps(known))
    new.replace(memory)


def _files(folder: Path, unreadable: Callable[[OSError], None]) -> Iterator[Path]:
    """Regular files below the folder; links are not followed, for what they lead to is somewhere else."""
    for top, folders, names in os.walk(folder, onerror=unreadable):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            file = Path(top, name)
            if not name.startswith(".") and file.is_file() and not file.is_symlink():
                yield file


def _resource(work: Work, external: ExternalSettings, folder: Path, file: Path, known: dict[str, list[object]]) -> Resource:
    place = f"{external.into.strip('/')}/{file.relative_to(folder).as_posix()}".lstrip("/")
    check_path(place)
    status = file.stat()
    sign: list[object] = [status.st_size, status.st_mtime_ns]
    found = known.get(str(file))
    if found and found[:2] == sign and work.tools.store.has(bytes.fromhex(str(found[2]))):
        digest, size = bytes.fromhex(str(found[2])), status.st_size
    else:
        digest, size = _stored(work, file)
        known[str(file)] = [*sign, digest.hex()]
    kind = _TYPES.get(file.suffix.lower(), "application/octet-stream")
    return Resource(place, Kind.PAGE if kind == "text/html" else Kind.FILE, kind, size, digest, int(status.st_mtime))


def _stored(work: Work, file: Path) -> tuple[bytes, int]:
    with file.open("rb") as stream, work.tools.store.incoming() as incoming:
        while chunk := stream.read(CHUNK):
            incoming.write(chunk)
        return incoming.commit()
