"""A folder that mirrors the site: each module's files lie in the folder of its URL, with packageslip.xml beside them."""

import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from urllib.parse import unquote

from packageslip import (
    ITSELF,
    LONGEST_SIGNATURE,
    SIGNATURE_SUFFIX,
    BadSlip,
    CatalogueEntry,
    Digest,
    Limits,
    Packageslip,
    Resource,
    SlipError,
    View,
    build_slip,
    check_module_url,
    check_path,
    read_slip,
)
from sources.contract import Fetched, Sink, Want
from sources.errors import AccessRefused, NoSuchModule, SourceChanged, SourceError, SourceUnreachable, WrongBytes
from sources.folder import Folder
from sources.proof import check_signature, fingerprint, proven, read_together
from sources.sameness import Original, Remembered, agrees

_SLIP = "packageslip.xml"
_CHANGED = "S9"
"""The rule that a slip breaks whose files were written to while it was built."""
_CHUNK = 1024 * 1024


class DirectorySource:
    """One directory source for all threads of an engine. It holds nothing open between calls."""

    def __init__(
        self, name: str, path: Path, *, build_slips: bool = False, signed: bool = False, limits: Limits | None = None
    ) -> None:
        self.name = name
        self._folder = Folder(name, path)
        self._build_slips = build_slips
        self._signed = signed
        self._limits = limits or Limits()
        self._remembered = Remembered()

    def slip(self, url: str) -> Packageslip:
        """The module's slip: its packageslip.xml, or with `build_slips` one made of what lies in its folder."""
        slip = self._slip(url)
        assert slip is not None, "nothing was known of it"
        return slip

    def seen(self, slip: Packageslip) -> str:
        return self._remembered.name(slip)

    def news(self, url: str, seen: str) -> Packageslip | None:
        return self._slip(url, bytes.fromhex(seen))

    def _slip(self, url: str, known: Digest | None = None) -> Packageslip | None:
        check_module_url(url)
        if self._folder.has_file(_under(url, _SLIP)):
            return read_together(lambda: self._read(url, known))
        if self._build_slips and self._folder.has_folder(url.strip("/")):
            return self._build(url)
        remedy = "correct the URL" if self._build_slips else "write one with 'slipway slip build', or set build_slips = true"
        where = self._folder.path / _under(url, _SLIP)
        raise NoSuchModule(f"{self.name}: there is no module {url}: {where} does not exist; {remedy}", source=self.name)

    def modules(self) -> Iterator[CatalogueEntry]:
        """Every folder with a slip, by URL. Where none has one and slips are built, the whole folder is one module.

        A bad slip still is a module: whoever publishes it hears what is wrong with it. One that the disk does not give is an
        error, or a list of some type would be without it.
        """
        found = False
        for url in self._walk():
            found = True
            yield self._entry(url)
        if self._build_slips and not found:
            yield CatalogueEntry("/")

    def fetch(self, slip: Packageslip, wants: Sequence[Want], sink: Sink) -> Iterator[Fetched]:
        """Read the files one by one: a disk gains nothing from more."""
        for want in wants:
            try:
                fetched = self._fetch_one(slip.url, want, sink)
            except WrongBytes:
                # The CMS may just be writing both.
                fetched = self._fetch_one(slip.url, want, sink)
            yield fetched

    def still(self, slip: Packageslip) -> bool:
        """Whether the folder's slip is this one, read again."""
        try:
            return agrees(self.slip(slip.url), slip)
        except (NoSuchModule, SlipError):
            return False

    def check(self) -> Iterable[tuple[str, bool, str]]:
        """Whether the folder is there and has modules."""
        try:
            modules = sum(1 for _ in self._walk())
        except SourceError as error:
            yield f"{self.name}: {self._folder.path} can be read", False, str(error)
            return
        yield f"{self.name}: {self._folder.path} can be read", True, ""
        remedy = "write slips with 'slipway slip build', or set build_slips = true"
        yield f"{self.name}: has {modules} modules", bool(modules) or self._build_slips, "" if modules else remedy

    def close(self) -> None:
        """Nothing is open."""

    def _read(self, url: str, known: Digest | None = None) -> Packageslip | None:
        """None: its bytes have the digest `known`."""
        name = _under(url, _SLIP)
        with self._folder.open(name) as opened:
            digest, size = fingerprint(opened.stream)
            if digest == known:
                opened.check_unchanged()
                return None
            signature, where = self._signature(name), str(self._folder.path / name)
            check_signature(signature, digest, size, where)
            slip = proven(read_slip(opened.stream, where, self._limits, url=url), signature)
            opened.check_unchanged()
            self._remembered.keep(slip, Original(digest))
            return slip

    def _signature(self, slip: str) -> bytes | None:
        """What lies beside the slip; None where none is asked for or there."""
        if not self._signed or not self._folder.has_file(slip + SIGNATURE_SUFFIX):
            return None
        with self._folder.open(slip + SIGNATURE_SUFFIX) as opened:
            return opened.stream.read(LONGEST_SIGNATURE + 1)

    def _build(self, url: str) -> Packageslip:
        place = url.strip("/")
        try:
            with self._folder.faults(place):
                return build_slip(self._folder.inside(place), url)
        except BadSlip as error:
            if any(fault.rule == _CHANGED for fault in error.faults):
                raise SourceChanged(f"{self.name}: {error}", source=self.name) from error
            raise

    def _walk(self) -> Iterator[str]:
        self._folder.check()
        for folder, folders, files in os.walk(self._folder.path, onerror=self._unreadable):
            folders[:] = sorted(name for name in folders if not name.startswith("."))
            if _SLIP in files:
                relative = Path(folder).relative_to(self._folder.path).as_posix()
                yield "/" if relative == "." else f"/{relative}"

    def _unreadable(self, error: OSError) -> None:
        # A folder that is skipped in silence would be missing from every republish.
        raise AccessRefused(f"{self.name}: {error.filename} cannot be read: {error.strerror}", source=self.name) from error

    def _entry(self, url: str) -> CatalogueEntry:
        try:
            slip = self._read(url)
        except SourceUnreachable:
            raise
        except (SlipError, SourceError):
            return CatalogueEntry(url)
        assert slip is not None, "nothing was known of it"
        return CatalogueEntry(url, slip.module_type, slip.state, slip.revision)

    def _fetch_one(self, url: str, want: Want, sink: Sink) -> Fetched:
        file = want.file
        check_path(file.path)
        with self._folder.open(_place(url, file)) as opened:
            if want.digest is not None and want.size is not None and want.etag == opened.etag:
                return Fetched(file.path, want.digest, want.size, opened.etag, opened.modified, unchanged=True)
            with sink.incoming() as incoming:
                while chunk := opened.stream.read(_CHUNK):
                    incoming.write(chunk)
                opened.check_unchanged()
                digest, size = incoming.commit()
        if file.size not in (None, size) or file.digest not in (None, digest):
            raise self._wrong(url, file, digest, size)
        return Fetched(file.path, digest, size, opened.etag, opened.modified)

    def _wrong(self, url: str, file: Resource | View, digest: bytes, size: int) -> WrongBytes:
        listed = f"sha256:{file.digest.hex()}" if file.digest else "any digest"
        return WrongBytes(
            f"{self.name}: {self._folder.path / _place(url, file)} has {size} bytes and sha256:{digest.hex()}, its slip says "
            f"{'any number of' if file.size is None else file.size} bytes and {listed}; make the slip anew",
            source=self.name,
        )


def _under(url: str, path: str) -> str:
    return url.strip("/") if path == ITSELF else f"{url.strip('/')}/{path}".lstrip("/")


def _place(url: str, file: Resource | View) -> str:
    """Where the file lies in the folder: an href is a URL, so its escapes are undone and its query means nothing here."""
    if file.href is None:
        return _under(url, file.path)
    path = unquote(file.href.partition("?")[0])
    return path.strip("/") if path.startswith("/") else _under(url, path)
