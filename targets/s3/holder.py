"""Who holds a module, and which release it has prepared: one small object, changed by compare and swap.

    <area>/modules-<queue id>/modules/<module id>/holder

Where the service honours conditions on a PUT, each change names the ETag that it replaces, so that of two engines one is
refused. A release counts as prepared from the moment this object names it: a note that no holder names is not read.
"""

import json
from dataclasses import asdict, dataclass

from targets.errors import PermanentTargetError
from targets.s3.bucket import Bucket
from targets.s3.faults import Conflict

HOLDER = "holder"


@dataclass(frozen=True, slots=True)
class Holder:
    """`token`: the holder's. `release`: the tag of a release that is prepared and not finished. `moved`: who adopts the area."""

    token: str
    release: str = ""
    moved: str = ""


@dataclass(frozen=True, slots=True)
class Register:
    """One module's holder object. `conditional`: the service honours conditions on a PUT."""

    bucket: Bucket
    path: str
    conditional: bool

    def read(self) -> tuple[Holder, str] | None:
        """The holder and the object's ETag; None if the module never had one. Raises PermanentTargetError for a damaged one."""
        try:
            document, etag = self.bucket.read_tagged(self.path)
        except FileNotFoundError:
            return None
        try:
            return Holder(**{key: str(value) for key, value in json.loads(document).items()}), etag
        except (ValueError, TypeError, AttributeError) as error:
            raise PermanentTargetError(
                f"{self.bucket.target}: {self.bucket.key(self.path)} cannot be read ({error}). Remove it, then run 'slipway "
                "verify' with --repair for this module",
                target=self.bucket.target,
            ) from error

    def change(self, etag: str | None, holder: Holder) -> str | None:
        """Replace what has this ETag (None: nothing may be there). The new ETag; None if somebody else was first."""
        document = json.dumps(asdict(holder)).encode()
        if not self.conditional:
            found = self.read()
            return self.bucket.write(self.path, document) if (found[1] if found else None) == etag else None
        try:
            condition = {"IfMatch": etag} if etag else {"IfNoneMatch": "*"}
            return self.bucket.write(self.path, document, None, **condition)
        except (Conflict, FileNotFoundError):
            # The answer to a first try may have been lost, and the library's second try met its own work.
            found = self.read()
            return found[1] if found and found[0] == holder else None
