"""Course packages: the download zip and the archive package, one tree of pages with what they need to be shown."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from io import BytesIO
from itertools import count
from typing import BinaryIO

from archives.content import Content, Form, time_of
from archives.description import about_module
from archives.errors import PackageError
from archives.layout import Entry, Layout, lay_out, opened, text_of
from archives.links import written
from archives.lom import restated, sidecar_of
from archives.manifest import Manifest, manifest
from archives.naming import package_name
from archives.templates import filled
from archives.zipping import Out, ZipWriter
from config import PackageSettings

MANIFEST = "imsmanifest.xml"
_WITH_MEDIA = "nothing"
_WITHOUT_MEDIA = "video and sound"


def write_course(form: Form, content: Content, options: PackageSettings, out: Out, *, media: bool = False) -> None:
    """Write the zip, front to back. Raises PackageError."""
    layout = lay_out(content, form, options, media=media)
    if layout.home is None:
        raise PackageError(f"{content.slip.url} has nothing to pack: packages.include names no kind of resource that it has")
    _Course(form, content, options, layout, media=media).write(out)


class _Course:
    """One package in the making."""

    def __init__(self, form: Form, content: Content, options: PackageSettings, layout: Layout, *, media: bool) -> None:
        self._content, self._options, self._layout = content, options, layout
        self._media = media
        self._time = time_of(content)
        self._sidecars = _places_of_sidecars(layout) if form is Form.IMSCP else {}
        self._entries = {entry.path: entry for entry in layout.contents}
        self._sizes: dict[str, int] = {}

    def write(self, out: Out) -> None:
        writer = ZipWriter(out)
        writer.add(MANIFEST, BytesIO(self._manifest()), self._time)
        top = package_name(self._content.slip, self._options)
        files = self._files()
        for path in sorted(files):
            entry, start = files[path]
            time = entry.resource.modified if entry else None
            with start() as stream:
                self._sizes[path] = writer.add(f"{top}/{path}", stream, self._time if time is None else time)
        writer.finish()

    def _manifest(self) -> bytes:
        slip, options = self._content.slip, self._options
        about = about_module(self._content, self._layout, options)
        if self._content.identifier:
            about = replace(about, identifiers=(*about.identifiers, ("Deposit", self._content.identifier)))
        return manifest(Manifest(slip, self._layout, options, about, self._time, self._sidecars))

    def _files(self) -> dict[str, tuple[Entry | None, Callable[[], BinaryIO]]]:
        """Every file below the top folder: what of the slips it is, and how to open it.

        In the order of their paths a sidecar comes after what it describes, so that it can say how large that became.
        """
        files: dict[str, tuple[Entry | None, Callable[[], BinaryIO]]] = {
            entry.path: (entry, partial(self._opened, entry)) for entry in (*self._layout.contents, *self._layout.common)
        }
        for path, place in self._sidecars.items():
            files[place] = (self._layout.sidecars.get(path), partial(self._sidecar, path))
        for name in ("START.htm", "ReadMe.txt"):
            files[name] = (None, partial(self._text, name))
        return files

    def _opened(self, entry: Entry) -> BinaryIO:
        text = text_of(entry, self._content, self._layout.places)
        return opened(entry, self._content) if text is None else BytesIO(text)

    def _sidecar(self, path: str) -> BinaryIO:
        entry = self._entries[path]
        own = self._layout.sidecars.get(path)
        if own is not None:
            return self._own_sidecar(own, entry)
        home = entry is self._layout.home
        url, size, slip = entry.url, self._sizes[path], self._content.slip
        return BytesIO(sidecar_of(entry.resource, url, size, slip, self._options, home=home, time=self._time))

    def _own_sidecar(self, own: Entry, entry: Entry) -> BinaryIO:
        """The module's own metadata; if it states a page's size, then that with the links that the page has here."""
        if not (entry.is_page or entry.is_sheet):
            return opened(own, self._content)
        with opened(own, self._content) as stream:
            return BytesIO(restated(stream.read(), entry.resource.size, self._sizes[entry.path]))

    def _text(self, name: str) -> BinaryIO:
        home = self._layout.home
        path = home.path if home else "contents/"
        start = written(path) if name.endswith(".htm") else path
        absent = _WITH_MEDIA if self._media else _WITHOUT_MEDIA
        return BytesIO(filled(name, self._content.slip, self._options, start=start, absent=absent))


def _places_of_sidecars(layout: Layout) -> dict[str, str]:
    """Where the metadata of each file of the module lies. `<path>.xml`, unless the module has something else there."""
    taken = {*(entry.path for entry in layout.contents), *(entry.path for entry in layout.sidecars.values())}
    places = {path: entry.path for path, entry in layout.sidecars.items()}
    for path in sorted(entry.path for entry in layout.contents if entry.path not in places):
        places[path] = next(place for ending in _endings() if (place := f"{path}{ending}") not in taken)
        taken.add(places[path])
    return places


def _endings() -> Iterator[str]:
    yield from (".xml", ".lom.xml")
    yield from (f".lom-{number}.xml" for number in count(2))
