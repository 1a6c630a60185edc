"""How a target in a bucket is to be treated."""

from dataclasses import dataclass, field

from targets.s3.sizes import Sizes


@dataclass(frozen=True, slots=True)
class BucketOptions:
    """The settings that the protocol itself needs. `area`: below the target's prefix."""

    area: str = ".slipway"
    public_slip: bool = True
    conditional: bool = True
    read_back: bool = False
    acl: str | None = None
    cache_control: str | None = None
    sizes: Sizes = field(default_factory=Sizes)
