"""The headers of an answer."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any


class Headers(Mapping[str, str]):
    """Headers by their names in any case. Several of one name are one, with commas between (RFC 9110 5.3)."""

    __slots__ = ("_held",)

    def __init__(self, items: Iterable[tuple[str, str]]) -> None:
        pairs = [(name.lower(), value) for name, value in items]
        self._held = dict(pairs)
        if len(self._held) < len(pairs):
            self._held = _joined(pairs)

    def __getitem__(self, name: str) -> str:
        return self._held[name.lower()]

    def get(self, name: str, default: Any = None) -> Any:  # noqa: ANN401 - as Mapping's own, which is slower
        """The value of this header, else the default."""
        return self._held.get(name.lower(), default)

    def __contains__(self, name: object) -> bool:
        return str(name).lower() in self._held

    def __iter__(self) -> Iterator[str]:
        return iter(self._held)

    def __len__(self) -> int:
        return len(self._held)


def _joined(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    held = dict[str, list[str]]()
    for name, value in pairs:
        held.setdefault(name, []).append(value)
    return {name: ", ".join(values) for name, values in held.items()}
