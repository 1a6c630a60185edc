"""How far a queue had come when it last wrote to a target: a database that stands lower was put back from an older copy."""

from targets.area import Area, fence_of
from targets.disk import Readable
from targets.hold import names_in

LOOKED_AT = 32
"""Modules that are asked: those that changed last. Fences are given out in batches, so not only the very last counts; and to ask
all of a big site would take as long as to publish much of it."""


def highest_fence(disk: Readable, area: Area) -> int:
    """The highest fence among the tokens of the modules that changed last; 0 without any.

    A token's renaming changes its folder's time, by the target's own clock; times of one host are compared with each other only.
    """
    modules = names_in(disk, area.modules)
    newest = sorted(modules, key=lambda name: (modules[name].modified, name), reverse=True)[:LOOKED_AT]
    fences = (fence_of(name) or 0 for module in newest for name in names_in(disk, f"{area.modules}/{module}"))
    return max(fences, default=0)
