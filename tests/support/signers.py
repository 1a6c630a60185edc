"""Keys of the tests' own, and signatures beside slips."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from packageslip import SIGNATURE_SUFFIX, Packageslip, Signed, make_key, read_slip, sign, write_signature

LATER = 4_000_000_000
"""An expiry that no test lives to see."""


@dataclass
class Signers:
    """Named keys in a folder, made when they are first used."""

    folder: Path
    public: dict[str, str] = field(default_factory=dict)

    def key(self, name: str = "cms") -> str:
        """The public key of this name."""
        if name not in self.public:
            self.folder.mkdir(exist_ok=True)
            self.public[name] = make_key(self.folder / name)
        return self.public[name]

    def sign(
        self, document: bytes, *names: str, serial: int = 1, expires: int = LATER, to: Sequence[str] = ("STAGING",)
    ) -> Signed:
        """Sign a slip's document."""
        for name in names or ("cms",):
            self.key(name)
        slip = read_slip(document, "a slip to sign")
        files = [self.folder / name for name in names or ("cms",)]
        return sign(slip, document, files, serial=serial, expires=expires, environments=to)

    def beside(self, slip: Path, *names: str, change: Callable[[Any], None] | None = None, **how: Any) -> bytes:
        """Write the signature of a slip's file beside it, perhaps changed afterwards; what was written."""
        written = write_signature(self.sign(slip.read_bytes(), *names, **how))
        if change is not None:
            whole = json.loads(written)
            change(whole)
            written = json.dumps(whole).encode()
        slip.with_name(slip.name + SIGNATURE_SUFFIX).write_bytes(written)
        return written


def with_signature(slip: Packageslip, signed: Signed) -> Packageslip:
    """The slip as a source gives it."""
    from dataclasses import replace

    return replace(slip, signature=write_signature(signed))
