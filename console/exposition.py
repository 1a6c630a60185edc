"""The text in which Prometheus reads numbers (its exposition format 0.0.4): enough of it to write. Pure."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from math import isfinite

TYPE = "text/plain; version=0.0.4; charset=utf-8"
Labels = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Sample:
    """One number. `suffix`: _sum or _count, of a summary."""

    value: float
    labels: Labels
    suffix: str = ""


@dataclass(frozen=True, slots=True)
class Family:
    """Everything under one name. `kind`: gauge, counter or summary; a counter's name ends with _total."""

    name: str
    kind: str
    help: str
    samples: tuple[Sample, ...]


def gauge(name: str, help_: str, values: Iterable[tuple[float, Labels]]) -> Family:
    """What goes up and down."""
    return Family(name, "gauge", help_, tuple(Sample(value, labels) for value, labels in values))


def counter(name: str, help_: str, values: Iterable[tuple[float, Labels]]) -> Family:
    """What only grows."""
    return Family(name, "counter", help_, tuple(Sample(value, labels) for value, labels in values))


def summary(name: str, help_: str, values: Iterable[tuple[float, int, Labels]]) -> Family:
    """Sums and how many they are of; the mean is one divided by the other."""
    samples = [(Sample(total, labels, "_sum"), Sample(count, labels, "_count")) for total, count, labels in values]
    return Family(name, "summary", help_, tuple(sample for pair in samples for sample in pair))


def text_of(families: Iterable[Family]) -> str:
    """All of them; each under its help and its type."""
    return "".join(line + "\n" for family in families for line in _lines(family))


def _lines(family: Family) -> Iterator[str]:
    yield f"# HELP {family.name} {_escaped(family.help)}"
    yield f"# TYPE {family.name} {family.kind}"
    for sample in family.samples:
        labels = ",".join(f'{name}="{_quoted(value)}"' for name, value in sample.labels.items())
        yield (
            f"{family.name}{sample.suffix}{{{labels}}} {_number(sample.value)}"
            if labels
            else (f"{family.name}{sample.suffix} {_number(sample.value)}")
        )


def _number(value: float) -> str:
    if not isfinite(value):
        return "NaN" if value != value else "+Inf" if value > 0 else "-Inf"  # noqa: PLR0124 - what NaN is known by
    return str(int(value)) if float(value).is_integer() else repr(float(value))


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("\n", "\\n")


def _quoted(text: str) -> str:
    return _escaped(text).replace('"', '\\"')
