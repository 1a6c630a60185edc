"""BagIt packages (RFC 8493): the module as it was published, byte for byte, with its slip.

Unlike the other forms a bag is not for reading: nothing in it is changed, so every digest of the slip is still true, and the
folder `data` can be published again from a directory source. A zip with one folder, as RFC 8493 (4.2) wants it.
"""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import BinaryIO

from archives.content import Content, Form, packaged, time_of
from archives.description import describe
from archives.errors import PackageError
from archives.naming import last_part, package_name
from archives.zipping import Out, ZipWriter
from config import PackageSettings
from packageslip import ITSELF, Resource, write_slip

SLIP = "packageslip.xml"
_BAGGING = Path(__file__).with_name("bagging.py")
_AMBIGUOUS = re.compile(r"%0[ad]", re.IGNORECASE)
"""What manifests write for a line end; the bagit library cannot tell a name that has it in full."""


def write_bagit(content: Content, options: PackageSettings, out: Out, *, media: bool = False) -> None:
    """Write the package, front to back. The same content gives the same bytes, always. Raises PackageError.

    The bag is laid out in a temporary folder first. Files of the store are linked there if it is on the same
    file system, else copied.
    """
    resources = packaged(content.slip, Form.BAGIT, options, media=media)
    if not resources:
        raise PackageError(f"{content.slip.url} has nothing to pack: packages.include names no kind of resource that it has")
    _check_names(content, resources)
    name, time = package_name(content.slip, options), time_of(content)
    with _laid_out(content, resources) as bag:
        _run(bag, _info(content, options))
        times = {f"data/{_place(content, each)}": each.modified for each in resources if each.modified is not None}
        writer = ZipWriter(out)
        for path in sorted(_paths(bag), key=lambda path: (path != "bagit.txt", path)):
            with (bag / path).open("rb") as stream:
                writer.add(f"{name}/{path}", stream, times.get(path, time))
        writer.finish()


def _check_names(content: Content, resources: Iterable[Resource]) -> None:
    for resource in resources:
        if _AMBIGUOUS.search(resource.path):
            raise PackageError(
                f"{content.slip.url}: {resource.path} cannot be in a bag: %0A and %0D mean line ends there; rename it"
            )


def _info(content: Content, options: PackageSettings) -> dict[str, str | list[str]]:
    """Everything that the library would take from the clock, or from its own version, comes from the slip."""
    description = describe(content, None, options)
    info: dict[str, str | list[str]] = {
        "Source-Organization": description.publisher,
        "External-Description": description.title,
        "External-Identifier": [each for each in (*description.identifiers, description.url) if each],
        "Internal-Sender-Identifier": content.slip.url,
        "Bagging-Date": description.date,
        "Bag-Software-Agent": "Slipway",
    }
    return info


@contextmanager
def _laid_out(content: Content, resources: list[Resource]) -> Iterator[Path]:
    """A folder with the payload, for the length of the block."""
    with TemporaryDirectory(prefix="slipway-bag-") as folder:
        bag = Path(folder) / "bag"
        bag.mkdir()
        for resource in resources:
            place = bag / _place(content, resource)
            place.parent.mkdir(parents=True, exist_ok=True)
            assert resource.digest is not None, f"{resource.path} has no digest"
            with content.open(resource.digest) as stream:
                _put(place, stream)
        (bag / SLIP).write_bytes(write_slip(replace(content.slip, resources=tuple(resources), views=())))
        yield bag


def _place(content: Content, resource: Resource) -> str:
    return last_part(content.slip) if resource.path == ITSELF else resource.path


def _put(place: Path, stream: BinaryIO) -> None:
    """A second name for the file that the stream reads, where that is possible, or a copy of what it has.

    A hard link: the bagit library takes a symbolic one for an attempt to leave the bag.
    """
    kept = getattr(stream, "name", None)
    if isinstance(kept, str) and os.path.samestat(Path(kept).stat(), os.fstat(stream.fileno())):
        with suppress(OSError):
            place.hardlink_to(kept)
            return
    with place.open("wb") as file:
        shutil.copyfileobj(stream, file)


def _run(bag: Path, info: dict[str, str | list[str]]) -> None:
    wanted = json.dumps({"folder": str(bag), "info": info})
    ended = subprocess.run([sys.executable, "-P", str(_BAGGING)], input=wanted, capture_output=True, text=True, check=False)
    if ended.returncode:
        why = ended.stderr.strip().rpartition("\n")[2]
        raise PackageError(f"no bag could be made in {bag}: {why}; is there room in the temporary folder ($TMPDIR)?")


def _paths(bag: Path) -> Iterator[str]:
    for folder, _, names in os.walk(bag):
        yield from (str((Path(folder) / name).relative_to(bag)) for name in names)
