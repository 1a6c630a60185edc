"""Makes a bag of a folder, in a process of its own: `python -P bagging.py`, with a JSON document on the standard input.

The bagit library changes the working directory of its whole process while it works, which would move the ground under every
other thread of an engine. It imports nothing of ours.
"""

import json
import sys

import bagit

CHECKSUMS = ["sha256", "sha512"]
"""RFC 8493 (2.4) asks for SHA-512 of everything new; SHA-256 is what slips have."""


def main() -> None:
    """`folder`: becomes the bag; `info`: what bag-info.txt says."""
    wanted = json.load(sys.stdin)
    bagit.make_bag(wanted["folder"], wanted["info"], checksums=CHECKSUMS)


if __name__ == "__main__":
    main()
