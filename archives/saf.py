"""DSpace's Simple Archive Format: a folder for each item, with its metadata, a list of its files, and the files.

    NAME/item_000/dublin_core.xml    <dcvalue element="title" qualifier="none">...</dcvalue>
    NAME/item_000/contents           a line for each file: path, bundle:, primary:true, description:, separated by tabs
    NAME/item_000/NAME/**            the files, in their folders

Paths with folders are kept: DSpace opens them below the item's folder and makes them the bitstreams' names, which is what lets
pages find each other. The folder above the items is there for the sake of zips: where an entry has more than two parts, DSpace's
importer takes the first one for the folder of all items (org.dspace.app.itemimport, `unzip`). The format has no schema; the
manual's chapter "Importing and Exporting Items via Simple Archive Format" describes it.
"""

from collections.abc import Iterator
from io import BytesIO

from archives.content import Content, Form, time_of
from archives.description import Description, describe
from archives.errors import PackageError
from archives.tree import File, Tree, grow
from archives.xmltext import Element, document, text
from archives.zipping import Out, ZipWriter
from config import PackageSettings

ITEM = "item_000"
_RESERVED = frozenset({"contents", "dublin_core.xml", "handle", "collections", "relationships", "license.txt"})


def write_saf(content: Content, options: PackageSettings, out: Out, *, media: bool = False) -> None:
    """Write the package, front to back. The same content gives the same bytes, always. Raises PackageError."""
    tree = grow(Form.SAF, content, options, media=media)
    name = tree.home.path.partition("/")[0]
    # DSpace takes a line that begins with a hyphen for a file that it has already.
    if name in _RESERVED or name.startswith(("metadata_", "-")):
        raise PackageError(f"{content.slip.url}: a folder in this form cannot be called {name!r}; change packages.name")
    item, time = f"{name}/{ITEM}", time_of(content)
    writer = ZipWriter(out)
    writer.add(f"{item}/dublin_core.xml", BytesIO(_dublin_core(describe(content, tree.layout, options))), time)
    writer.add(f"{item}/contents", BytesIO(_contents(tree)), time)
    for file in sorted(tree.files, key=lambda file: file.path):
        with tree.open(file) as stream:
            writer.add(f"{item}/{file.path}", stream, tree.modified(file))
    writer.finish()


def _dublin_core(description: Description) -> bytes:
    values = tuple(
        text("dcvalue", value, element=element, qualifier=qualifier) for element, qualifier, value in _values(description)
    )
    return document(Element("dublin_core", {"schema": "dc"}, values))


def _values(description: Description) -> Iterator[tuple[str, str, str]]:
    """Element, qualifier and value; only fields that every DSpace has."""
    yield "title", "none", description.title
    yield "date", "issued", description.date
    yield from (("contributor", "author", person) for person in description.authors)
    yield from (("contributor", "other", person) for person in description.others)
    yield "publisher", "none", description.publisher
    yield from (("identifier", "other", name) for name in description.identifiers)
    if description.url:
        yield "identifier", "uri", description.url
    if description.kind:
        yield "type", "none", description.kind
    yield "language", "iso", description.language
    yield "rights", "none", description.rights


def _contents(tree: Tree) -> bytes:
    return "".join(f"{_line(file, primary=file is tree.home)}\n" for file in tree.files).encode()


def _line(file: File, *, primary: bool) -> str:
    parts = [file.path, f"bundle:{'METADATA' if file.is_metadata else 'ORIGINAL'}"]
    if primary:
        parts.append("primary:true")
    if file.entry.resource.title and not file.is_metadata:
        parts.append(f"description:{' '.join(file.entry.resource.title.split())}")
    return "\t".join(parts)
