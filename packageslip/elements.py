"""One element against what may stand there: its name, and its attributes by a table. What does not fit is a fault with a line."""

from collections.abc import Iterable
from difflib import get_close_matches
from typing import Any

from packageslip.attributes import NAMESPACE, Table
from packageslip.document import Element, Faults
from packageslip.errors import UnsafePath
from packageslip.values import Limits

_OURS = f"{{{NAMESPACE}}}"
# Says where an editor finds the schema; not acted on.
_HINT = "{http://www.w3.org/2001/XMLSchema-instance}schemaLocation"


def require_root(element: Element, name: str, faults: Faults) -> None:
    """Refuse a document of another kind or version; nothing in it could be understood. Raises Unreadable."""
    if element.tag != _OURS + name:
        faults.end(element.line, "X5", f"the root is <{element.tag}>, not <{name}> of the namespace {NAMESPACE}")


def known(element: Element, names: Iterable[str], faults: Faults) -> str | None:
    """The element's name, if it is one of these in our namespace; otherwise a fault."""
    if element.tag.startswith(_OURS) and (name := element.tag[len(_OURS) :]) in names:
        return name
    name = local(element.tag)
    faults.add(element.line, "X5", f"there is no element <{name}> here{_nearest(name, names)}")
    return None


def read_attributes(element: Element, table: Table, faults: Faults, limits: Limits) -> dict[str, Any]:
    """The values by field. An attribute that is unknown, wrong or missing is a fault, and left out."""
    values: dict[str, Any] = {}
    parsers, longest = table.parsers, limits.attribute
    for name, value in element.attributes:
        if name not in parsers:
            _refuse_attribute(element, name, table, faults)
        elif len(value) > longest:
            faults.add(element.line, "X4", f"the attribute {name!r} is longer than {longest} characters")
        else:
            field, parse = parsers[name]
            try:
                values[field] = parse(value)
            except UnsafePath as error:
                faults.add(element.line, error.rule, f"{name} {value!r} is refused: {error.why}")
            except ValueError as error:
                faults.add(element.line, "X8", f"{name}: {error}")
    for name in table.required:
        if table[name].field not in values and name not in dict(element.attributes):
            faults.add(element.line, "X5", f"<{local(element.tag)}> lacks the attribute {name!r}")
    return values


def _refuse_attribute(element: Element, name: str, table: Table, faults: Faults) -> None:
    if name != _HINT or element.depth > 1:
        message = f"<{local(element.tag)}> has no attribute {local(name)!r}{_nearest(name, table)}"
        faults.add(element.line, "X5", message)


def local(tag: str) -> str:
    """The name without its namespace."""
    return tag.rpartition("}")[2]


def _nearest(name: str, names: Iterable[str]) -> str:
    near = get_close_matches(name, list(names), n=1)
    return f"; did you mean {near[0]!r}?" if near else ""
