"""The METS schema, out of a package that ships it for validators; nothing is loaded from a network."""

from functools import cache
from pathlib import Path

import eark_validator
from lxml import etree

SCHEMAS = Path(eark_validator.__file__).parent / "xml/resources/schema"


@cache
def mets_schema() -> etree.XMLSchema:
    """With every schema that it imports, from the same folder."""

    class Local(etree.Resolver):
        def resolve(self, url: str, _id: str, context: object) -> object:
            return self.resolve_filename(str(SCHEMAS / Path(url).name), context)

    parser = etree.XMLParser(no_network=True)
    parser.resolvers.add(Local())
    return etree.XMLSchema(etree.parse(str(SCHEMAS / "mets.xsd"), parser))
