"""Publishing small modules on any target, for tests: what a task does, without the rest of a task."""

import hashlib
import io
from collections.abc import Collection, Iterator, Mapping

from packageslip import Kind, Packageslip, Resource, View, ViewKind, files_digest
from targets import Claim, FilePut, Moved, Present, Target

Files = Mapping[str, bytes]

URL = "/courses/physics"
FILES = {"index.htm": b"welcome", "notes/l1.pdf": b"lecture one", "notes/img/a b.png": b"", "readme": b"x" * 100_000}
"""A module with a page, folders, an empty file and one that takes several packets."""


def digest(content: bytes) -> bytes:
    return hashlib.sha256(content).digest()


def under(url: str, files: Files) -> dict[str, bytes]:
    """A module's files as they lie on a target."""
    return {f"{url}/{path}".strip("/"): content for path, content in files.items()}


def slip_of(url: str, files: Files, views: Files | None = None, modified: int | None = None) -> Packageslip:
    """A slip of these files; names that end in .htm are pages."""
    resources = tuple(
        Resource(
            path,
            Kind.PAGE if path.endswith(".htm") else Kind.FILE,
            "text/html" if path.endswith(".htm") else "application/octet-stream",
            size=len(content),
            digest=digest(content),
            modified=modified,
        )
        for path, content in files.items()
    )
    made = tuple(View(path, ViewKind.JSON, None, len(content), digest(content)) for path, content in (views or {}).items())
    return Packageslip(url, resources, made)


def file_put(path: str, content: bytes, modified: int | None = None) -> FilePut:
    return FilePut(path, digest(content), len(content), lambda: io.BytesIO(content), modified)


def changed(present: Present, files: Files, adopted: Collection[str] = ()) -> Iterator[FilePut]:
    """What at least one member lacks."""
    held = [{file.path: file.digest for file in one.slip.ours()} if one.slip else {} for one in present.each()]
    for path, content in files.items():
        if path not in adopted and any(member.get(path) != digest(content) for member in held):
            yield file_put(path, content)


def publish(
    target: Target,
    url: str,
    files: Files,
    claim: Claim,
    *,
    views: Files | None = None,
    adopted: Collection[str] = (),
    back: bool = False,
) -> Moved:
    """Take over, stage what changed, switch. `back`: go back to a release that is kept, where there is one."""
    present = target.present(url, claim)
    slip = slip_of(url, files, views)
    with target.release(present, slip, adopted=adopted) as release:
        if not (back and files_digest(slip) in present.held):
            release.put(changed(present, {**files, **(views or {})}, adopted))
        release.prepare()
        return release.switch()


def unpublish(target: Target, url: str, claim: Claim) -> Moved:
    present = target.present(url, claim)
    with target.release(present, None) as release:
        release.prepare()
        return release.switch()
