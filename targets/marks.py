"""How far a queue had come when it last wrote to a target: a database that stands lower was put back from an older copy."""

import re

from targets.area import SLIP, Area
from targets.disk import Readable
from targets.hold import names_in

LOOKED_AT = 32
"""Modules that are asked: those that changed last. To ask all of a big site would take as long as to publish much of it."""

_SERIAL = re.compile(rb' serial="(\d{1,19})"')


def highest_fence(disk: Readable, area: Area) -> int:
    """The highest fence with which this queue wrote one of the commit records that changed last; 0 without any.

    Records that were adopted from another queue do not count: its numbers are not this one's. A folder's time changes with its
    record, by the target's own clock; times of one host are compared with each other only.
    """
    modules = names_in(disk, area.modules)
    newest = sorted(modules, key=lambda name: (modules[name].modified, name), reverse=True)[:LOOKED_AT]
    return max((_serial(disk, f"{area.modules}/{module}/{SLIP}", area.queue) for module in newest), default=0)


def _serial(disk: Readable, path: str, queue: str) -> int:
    try:
        head = disk.read(path)[:4096]
    except FileNotFoundError:
        return 0
    found = _SERIAL.search(head)
    return int(found[1]) if found and f' queue="{queue}"'.encode() in head else 0
