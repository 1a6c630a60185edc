"""Who must have signed a source's slips."""

from pydantic import Field

from config.section import Section


class SignatureSettings(Section):
    """Signatures beside the slips of a source: docs/signing.md."""

    required: bool = True
    """Whether a slip without a signature is refused. One that was signed before and is no more needs a person in any case."""
    keys: tuple[str, ...] = Field(min_length=1)
    """Public keys, as `slipway slip keygen` prints them: ed25519:BASE64."""
    threshold: int = Field(default=1, ge=1)
    """How many of the keys must have signed."""
    max_jump: int = Field(default=10_000, ge=1)
    """How far a module's serial may rise at once."""
