"""METS packages as DSpace takes them in: the DSpace METS Document Profile for Submission Information Packages, 1.0.

A zip with mets.xml first. Descriptive metadata is MODS, of which DSpace's crosswalk (mods-submission.xsl) makes Dublin Core:
an identifier of type `local` becomes dc.identifier.other, one of type `uri` dc.identifier.uri, a name its role's contributor.
Each file has PREMIS metadata, of which DSpace takes the bitstream's name and format, and checks the size.
The profile: https://wiki.lyrasis.org/display/DSPACE/DSpaceMETSSIPProfile.
"""

import re
from collections.abc import Iterable, Iterator
from io import BytesIO

from archives.content import Content, Form, time_of
from archives.description import Description, describe
from archives.naming import uri_name
from archives.tree import File, Tree, grow
from archives.xmltext import Element, branch, document, text
from archives.zipping import Out, ZipWriter
from config import PackageSettings
from packageslip import format_time

METS = "mets.xml"
PROFILE = "DSpace METS SIP Profile 1.0"
_NAMESPACES = {
    "xmlns": "http://www.loc.gov/METS/",
    "xmlns:xlink": "http://www.w3.org/1999/xlink",
    "xmlns:mods": "http://www.loc.gov/mods/v3",
    "xmlns:premis": "http://www.loc.gov/standards/premis",
}
_ITEM = "dmd-item"
_UNFIT = re.compile(r"[^A-Za-z0-9.-]")
_LARGEST_INT = 2**31 - 1
"""DSpace reads a size in PREMIS as a Java int, and refuses the package if it is none."""
CONTENT, METADATA = "CONTENT", "METADATA"
"""Names of bundles: DSpace shows the first one, and keeps the other."""


def write_mets(content: Content, options: PackageSettings, out: Out, *, media: bool = False) -> None:
    """Write the package, front to back. The same content gives the same bytes, always. Raises PackageError."""
    tree = grow(Form.METS, content, options, media=media)
    writer = ZipWriter(out)
    writer.add(METS, BytesIO(_manifest(tree, options)), time_of(content))
    for file in sorted(tree.files, key=lambda file: file.path):
        with tree.open(file) as stream:
            writer.add(uri_name(file.path), stream, tree.modified(file))
    writer.finish()


def _manifest(tree: Tree, options: PackageSettings) -> bytes:
    description = describe(tree.content, tree.layout, options)
    name = tree.home.path.partition("/")[0]
    root = Element(
        "mets",
        {
            **_NAMESPACES,
            "ID": _xml_id("mets", name),
            "OBJID": description.identifiers[0],
            "LABEL": description.title,
            "TYPE": "DSpace ITEM",
            "PROFILE": PROFILE,
        },
        (
            _header(tree, options),
            branch("dmdSec", _wrapped("MODS", _mods(description)), ID=_ITEM),
            *(_technical(file) for file in tree.files),
            branch("fileSec", *_groups(tree)),
            _structure(tree, description),
        ),
    )
    return document(root)


def _header(tree: Tree, options: PackageSettings) -> Element:
    agent = branch("agent", text("name", options.system), ROLE="CREATOR", TYPE="OTHER", OTHERTYPE="SOFTWARE")
    return branch("metsHdr", agent, CREATEDATE=format_time(time_of(tree.content)))


def _wrapped(kind: str, metadata: Element) -> Element:
    return branch("mdWrap", branch("xmlData", metadata), MDTYPE=kind)


def _mods(description: Description) -> Element:
    uri = [text("mods:identifier", description.url, type="uri")] if description.url else []
    return branch(
        "mods:mods",
        branch("mods:titleInfo", text("mods:title", description.title)),
        *(_name(person, "author") for person in description.authors),
        *(_name(person, "other") for person in description.others),
        text("mods:genre", description.kind) if description.kind else None,
        branch(
            "mods:originInfo",
            text("mods:publisher", description.publisher),
            text("mods:dateIssued", description.date, encoding="iso8601"),
        ),
        branch("mods:language", text("mods:languageTerm", description.language, type="code", authority="rfc3066")),
        *(text("mods:identifier", each, type="local") for each in description.identifiers),
        *uri,
        text("mods:accessCondition", description.rights, type="use and reproduction"),
    )


def _name(person: str, role: str) -> Element:
    return branch("mods:name", text("mods:namePart", person), branch("mods:role", text("mods:roleTerm", role, type="text")))


def _technical(file: File) -> Element:
    premis = branch("premis:premis", _premis(file))
    return branch(
        "amdSec", branch("techMD", _wrapped("PREMIS", premis), ID=_xml_id("tech", file.path)), ID=_xml_id("amd", file.path)
    )


def _premis(file: File) -> Element:
    fixity = [text("premis:messageDigestAlgorithm", "SHA-256"), text("premis:messageDigest", file.sha256.hex())]
    media_type = file.entry.resource.type
    designation = branch("premis:formatDesignation", text("premis:formatName", media_type))
    return branch(
        "premis:object",
        branch(
            "premis:objectIdentifier",
            text("premis:objectIdentifierType", "path"),
            text("premis:objectIdentifierValue", file.path),
        ),
        text("premis:objectCategory", "File"),
        branch(
            "premis:objectCharacteristics",
            branch("premis:fixity", *fixity),
            text("premis:size", str(file.size)) if file.size <= _LARGEST_INT else None,
            # Without it DSpace goes by the name, which says more than this does.
            branch("premis:format", designation) if media_type != "application/octet-stream" else None,
        ),
        text("premis:originalName", file.path),
    )


def _groups(tree: Tree) -> Iterator[Element]:
    """A group for each bundle. A file and its metadata have the same GROUPID."""
    for use, is_metadata in ((CONTENT, False), (METADATA, True)):
        files = [_file(file) for file in tree.files if file.is_metadata is is_metadata]
        if files:
            yield branch("fileGrp", *files, USE=use)


def _file(file: File) -> Element:
    described = file.path.removesuffix(".xml") if file.is_metadata else file.path
    return branch(
        "file",
        Element("FLocat", {"LOCTYPE": "URL", "xlink:type": "simple", "xlink:href": uri_name(file.path)}),
        ID=_id(file),
        ADMID=_xml_id("amd", file.path),
        GROUPID=_xml_id("group", described),
        MIMETYPE=file.entry.resource.type,
        SIZE=str(file.size),
        CHECKSUM=file.sha256.hex(),
        CHECKSUMTYPE="SHA-256",
    )


def _structure(tree: Tree, description: Description) -> Element:
    """The first pointer of the first division names the primary bitstream."""
    shown = [file for file in tree.files if not file.is_metadata]
    divisions = list(_divisions(shown))
    item = branch(
        "div", _pointer(tree.home), *divisions, TYPE="DSpace Object Contents", LABEL=description.title, DMDID=_ITEM, ID="div-item"
    )
    return branch("structMap", item, TYPE="LOGICAL", LABEL="DSpace Object", ID="struct-item")


def _divisions(files: Iterable[File]) -> Iterator[Element]:
    for number, file in enumerate(files, 1):
        label = file.entry.resource.title or file.path.rpartition("/")[2]
        yield branch("div", _pointer(file), TYPE="DSpace BITSTREAM", LABEL=label, ORDER=str(number))


def _pointer(file: File) -> Element:
    return Element("fptr", {"FILEID": _id(file)})


def _id(file: File) -> str:
    return _xml_id("file", file.path)


def _xml_id(prefix: str, path: str) -> str:
    """An NCName in ASCII; different paths have different ones."""
    return f"{prefix}-{_UNFIT.sub(lambda found: f'_{ord(found[0]):x}_', path)}"
