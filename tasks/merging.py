"""Two feeds, or two lists, as one: every entry of the first, then what the second has more. Pure.

An entry is known by a key. Where both have it, the first's counts. The order stays, and the same two give the same bytes.
"""

import json
from collections.abc import Callable, Iterable, Iterator
from copy import deepcopy
from typing import Any

from tasks.errors import Malformed
from tasks.forms import read_json, read_xml

_ATOM = "{http://www.w3.org/2005/Atom}"
_RDF = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}"
_KEYS = {"rss": ("guid", "link"), "feed": ("id", "link"), "RDF": ("link",)}
"""What an entry is known by, in each kind of feed, where the task does not say."""


def merge(form: str, first: tuple[str, bytes], second: tuple[str, bytes], key: str | None) -> bytes:
    """Both as one, each given as (where it is from, its bytes). Raises Malformed."""
    return _merge_xml(first, second, key) if form == "xml" else _merge_json(first, second, key or "id")


def _merge_json(first: tuple[str, bytes], second: tuple[str, bytes], key: str) -> bytes:
    lists = [_list_of(where, read_json(content, where), key) for where, content in (first, second)]
    try:
        merged = [*lists[0], *_new(lists[0], lists[1], lambda entry: json.dumps(entry[key], sort_keys=True))]
        return json.dumps(merged, ensure_ascii=False, indent=1, allow_nan=False).encode() + b"\n"
    except (ValueError, RecursionError) as error:
        # Half a surrogate pair, or a number that no float can hold: it can be read, and not be written again.
        raise Malformed(f"{first[0]} and {second[0]} cannot be written as one list: {error}; what is live stays") from error


def _list_of(where: str, value: object, key: str) -> list[Any]:
    if not isinstance(value, list) or not all(isinstance(entry, dict) and key in entry for entry in value):
        raise Malformed(f"{where} is not a list of objects that each have {key!r}, so it cannot be merged; what is live stays")
    return value


def _new(old: Iterable[Any], more: Iterable[Any], name: Callable[[Any], str | None]) -> Iterator[Any]:
    """Those of `more` that are not in `old`, each once. What has no name cannot be known again and always counts as new."""
    seen = {name(entry) for entry in old}
    for entry in more:
        known = name(entry)
        if known is None or known not in seen:
            seen.add(known)
            yield entry


def _merge_xml(first: tuple[str, bytes], second: tuple[str, bytes], key: str | None) -> bytes:
    from lxml import etree  # noqa: PLC0415 - only this task needs it

    root, more = (read_xml(content, where) for where, content in (first, second))
    kind = etree.QName(root).localname
    if kind not in _KEYS or root.tag != more.tag:
        raise Malformed(
            f"{first[0]} is <{kind}> and {second[0]} is <{etree.QName(more).localname}>; "
            "two RSS or two Atom feeds can be merged, and nothing else; what is live stays"
        )
    keys = (key,) if key else _KEYS[kind]
    parent, entries = _entries(root)
    place = parent.index(entries[-1]) + 1 if entries else len(parent)
    for entry in _new(entries, _entries(more)[1], lambda entry: _name(entry, keys)):
        parent.insert(place, deepcopy(entry))
        _list_in_channel(root, entry)
        place += 1
    made: bytes = etree.tostring(root.getroottree(), xml_declaration=True, encoding="UTF-8")
    return made + b"\n"


def _entries(root: Any) -> tuple[Any, list[Any]]:  # noqa: ANN401 - lxml's elements, here and below
    """The element that holds the entries, and these: `item` of RSS 2.0 (in `channel`) and 1.0 (beside it), `entry` of Atom."""
    if root.tag == "rss":
        channel = root.find("channel")
        holder = root if channel is None else channel
        return holder, holder.findall("item")
    return root, [child for child in root if _local(child) in {"item", "entry"}]


def _local(element: Any) -> str:  # noqa: ANN401
    """The name without its namespace; comments and instructions have none."""
    return element.tag.rpartition("}")[2] if isinstance(element.tag, str) else ""


def _name(entry: Any, keys: tuple[str, ...]) -> str | None:  # noqa: ANN401
    """The text of the first of these elements that the entry has; Atom's link has an href instead."""
    for key in keys:
        for child in entry:
            text = (child.text or child.get("href") or "").strip() if _local(child) == key else ""
            if text:
                return f"{key} {text}"
    return entry.get(f"{_RDF}about")  # type: ignore[no-any-return]


def _list_in_channel(root: Any, entry: Any) -> None:  # noqa: ANN401
    """RSS 1.0 lists its items in the channel too."""
    about = entry.get(f"{_RDF}about")
    listed = root.find(f".//{_RDF}Seq")
    if about and listed is not None:
        listed.append(listed.makeelement(f"{_RDF}li", {f"{_RDF}resource": about}))
