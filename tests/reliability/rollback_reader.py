"""One reader of a versioned module, in a process of its own: `ROOT PORT MODULE COUNT SEED`.

It prints a line when it begins, and its counts as JSON when stdin closes.

By turns it asks the web server for a file, and resolves the module's link once and reads several files behind it, which have
to be of one version. File number n says `<version> <n>`, with version `-` in files that all versions share.
"""

import json
import random
import select
import sys
import time
from collections import Counter
from pathlib import Path

import urllib3

SHARED = "-"
CHANGES = 10
"""Every so many files differs from version to version."""
BEHIND_ONE_LINK = 12


def name_of(number: int) -> str:
    return f"d{number // 200:04d}/f{number:06d}.htm"


def text_of(number: int, version: str) -> str:
    return f"{version if number % CHANGES == 0 else SHARED} {number}\n"


def read_on(root: Path, port: int, module: str, count: int, chance: random.Random) -> Counter[str]:
    """Until stdin closes."""
    seen: Counter[str] = Counter()
    web = urllib3.HTTPConnectionPool("127.0.0.1", port, retries=False, timeout=30)
    while not select.select([sys.stdin], [], [], 0)[0]:
        over_http(web, module, chance.randrange(count), seen)
        behind_the_link(root / module, [chance.randrange(count // CHANGES) * CHANGES for _ in range(BEHIND_ONE_LINK)], seen)
        time.sleep(0.002)
    return seen


def over_http(web: urllib3.HTTPConnectionPool, module: str, number: int, seen: Counter[str]) -> None:
    answer = web.request("GET", f"/{module}/{name_of(number)}")
    seen["reads"] += 1
    right = answer.status == 200 and whole(answer.data.decode(), number)
    seen["errors"] += not right


def whole(text: str, number: int) -> bool:
    """Whether these are the bytes of some version of this file."""
    return text in {text_of(number, version) for version in "ab"}


def behind_the_link(link: Path, numbers: list[int], seen: Counter[str]) -> None:
    tree = link.parent / link.readlink()
    versions = set()
    for number in numbers:
        seen["reads"] += 1
        try:
            text = (tree / name_of(number)).read_text()
        except OSError:
            seen["errors"] += 1
            continue
        seen["errors"] += not whole(text, number)
        versions.add(text.partition(" ")[0])
    seen["resolved"] += 1
    seen["mixed"] += len(versions) > 1


if __name__ == "__main__":
    print("begins", flush=True)
    place, served, below, files, seed = sys.argv[1:]
    print(json.dumps(read_on(Path(place), int(served), below, int(files), random.Random(int(seed)))))
