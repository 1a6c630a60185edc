"""Making a package, in whichever form."""

from functools import partial
from typing import Protocol

from archives.bags import write_bagit
from archives.content import Content, Form
from archives.course import write_course
from archives.mets import write_mets
from archives.saf import write_saf
from archives.zipping import Out
from config import PackageSettings


class Writer(Protocol):
    """What makes a package of one form."""

    def __call__(self, content: Content, options: PackageSettings, out: Out, *, media: bool = False) -> None: ...


_WRITERS: dict[Form, Writer] = {
    Form.DOWNLOAD: partial(write_course, Form.DOWNLOAD),
    Form.IMSCP: partial(write_course, Form.IMSCP),
    Form.METS: write_mets,
    Form.SAF: write_saf,
    Form.BAGIT: write_bagit,
}


def build_package(form: Form, content: Content, options: PackageSettings, out: Out, *, media: bool = False) -> None:
    """Write the package front to back; `out` need not be able to seek. The same content gives the same bytes, always.

    Large files are copied piece by piece. Raises PackageError, and what `content.open` and `out.write` raise.
    """
    _WRITERS[form](content, options, out, media=media)
