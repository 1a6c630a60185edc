"""Making a package, in whichever form."""

from typing import Protocol

from archives.content import Content, Form
from archives.course import write_course
from archives.errors import PackageError
from archives.zipping import Out
from config import PackageSettings


class Writer(Protocol):
    """What makes a package of one form."""

    def __call__(self, content: Content, options: PackageSettings, out: Out, *, media: bool = False) -> None: ...


def build_package(form: Form, content: Content, options: PackageSettings, out: Out, *, media: bool = False) -> None:
    """Write the package front to back; `out` need not be able to seek. The same content gives the same bytes, always.

    Large files are copied piece by piece. Raises PackageError, and what `content.open` and `out.write` raise.
    """
    if form in (Form.DOWNLOAD, Form.IMSCP):
        write_course(form, content, options, out, media=media)
    else:
        raise PackageError(f"packages in the form {form.value} cannot be made yet; choose download or imscp")
