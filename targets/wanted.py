"""What a release may not be asked for, whatever the kind of target; decided from the slips alone."""

from collections.abc import Collection, Iterable, Mapping

from packageslip import Packageslip, Resource, View, check_paths
from targets.area import live_path
from targets.contract import FilePut
from targets.errors import PathBlocked
from targets.ground import inside
from targets.protocol import same_name


def listed_files(target: str, own: Iterable[str], wanted: Packageslip | None, *, fold: bool = False) -> list[Resource | View]:
    """The slip's files, each path safe and in none of our own folders. `fold`: names that differ only by case are one there.

    Raises UnsafePath, PathBlocked.
    """
    if wanted is None:
        return []
    check_paths(wanted)
    files = list(wanted.files())
    for folder in (f"{name.rstrip('/')}/" for name in own):
        start, module = same_name(folder, fold), same_name(f"{live_path(wanted.url, '')}/".lstrip("/"), fold)
        # Only below one of the two can the other be.
        near = start.startswith(module) or module.startswith(start)
        if near and any(same_name(f"{live_path(wanted.url, file.path)}/", fold).startswith(start) for file in files):
            raise PathBlocked(f"{target}: {wanted.url} has files in {folder}, where Slipway keeps its own", target=target)
    return files


def refuse_other_shape(target: str, live: Packageslip | None, wanted: Packageslip | None) -> None:
    """A file cannot become a folder, nor a folder a file, by steps of which each leaves something whole. Raises PathBlocked."""
    if live and wanted and live.is_file != wanted.is_file:
        was, now = ("a single file", "a folder") if live.is_file else ("a folder", "a single file")
        raise PathBlocked(f"{target}: {wanted.url} is {was} and would become {now}; unpublish it first", target=target)


def refuse_nested(target: str, url: str, paths: Iterable[str], nested: Collection[str]) -> None:
    """Raise PathBlocked if one of the paths lies in a folder in which another module lives."""
    for path in paths if nested else ():
        folder = inside(path, nested)
        if folder:
            raise PathBlocked(
                f"{target}: {path} of {url} lies in the module {url.rstrip('/')}/{folder}, which is published on its own; take "
                "it out of one of the two slips",
                target=target,
            )


def shows_slip(wanted: Packageslip | None, *, public: bool) -> bool:
    """Whether a public copy of the slip lies beside the files, where the target is to have one (`public`).

    Beside a module that is a file itself there is no room for it.
    """
    return wanted is not None and public and not wanted.is_file


def kept_paths(files: Iterable[Resource | View], held: Mapping[str, bytes | None]) -> frozenset[str]:
    """Those of the files that the previous slip lists with the same digest. `held`: its digests by path."""
    return frozenset(file.path for file in files if file.digest is not None and held.get(file.path) == file.digest)


def the_listed(url: str, given: FilePut, listed: Mapping[str, Resource | View]) -> Resource | View:
    """The slip's line for a file that is put. Raises ValueError if there is none with this digest and size."""
    file = listed.get(given.path)
    if file is None or file.digest != given.digest or file.size != given.size:
        raise ValueError(f"{given.path}: the wanted slip of {url} does not list it with this digest and size")
    return file


def refuse_incomplete(url: str, listed: Collection[str], have: Collection[str]) -> None:
    """Raise ValueError unless every listed path was put, kept or adopted."""
    missing = sorted(path for path in listed if path not in have)
    if missing:
        more = f" and {len(missing) - 1} more" if missing[1:] else ""
        raise ValueError(f"{url}: {missing[0]}{more} was neither put nor kept nor adopted")
