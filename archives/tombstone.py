"""What stands where a retired module was: a page and a small zip that say where the archive has it."""

from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from string import Template

from archives.errors import PackageError
from archives.naming import package_name
from archives.templates import filled
from archives.zipping import ZipWriter
from config import PackageSettings
from packageslip import Packageslip


class Tombstone:
    """The tombstone of one module. `slip`: the module; `handle`: such as 1721.1/77167; `date`: the deposit's, in epoch seconds.

    `handles`: the pattern of public addresses, with $handle; `texts`: a folder with templates instead of the built-in ones.
    The same values give the same bytes. Everything may raise PackageError.
    """

    def __init__(
        self, slip: Packageslip, options: PackageSettings, handle: str, date: int, *, handles: str, texts: Path | None = None
    ) -> None:
        self._slip, self._date = slip, date
        self._options = options.model_copy(update={"texts": texts or options.texts})
        try:
            address = Template(handles).substitute(handle=handle)
        except (KeyError, ValueError) as error:
            raise PackageError(f"retire.handles {handles!r} cannot be filled in ({error}); it may use $handle") from error
        day = datetime.fromtimestamp(date, UTC)
        self._words = {"handle": handle, "archived": address, "date": f"{day:%Y-%m-%d}"}

    def page(self) -> bytes:
        """The page."""
        return filled("tombstone.htm", self._slip, self._options, **self._words)

    def zip(self) -> bytes:
        """The zip, for those who come for the module's package: the page and a text in the folder that packages have."""
        out = BytesIO()
        folder = package_name(self._slip, self._options)
        text = filled("tombstone.txt", self._slip, self._options, **self._words)
        writer = ZipWriter(out)
        for name, content in (("ReadMe.txt", text), ("START.htm", self.page())):
            writer.add(f"{folder}/{name}", BytesIO(content), self._date)
        writer.finish()
        return out.getvalue()
