"""What every table of the configuration is made of."""

from pathlib import Path

from pydantic import BaseModel, ConfigDict


class Section(BaseModel):
    """A table of the configuration file: an unknown key is a fault, values never change after loading."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True, allow_inf_nan=False)


class Secret(Section):
    """Where a secret comes from: a file, a command's output, or a systemd credential. Exactly one is set."""

    file: Path | None = None
    """A file whose first line is the secret."""
    command: tuple[str, ...] | None = None
    """A program and its arguments; the first line of its output is the secret."""
    credential: str | None = None
    """A name in $CREDENTIALS_DIRECTORY (systemd's LoadCredential=)."""


class Selection(Section):
    """Which modules something is for. A module is selected by its type or by its URL; an empty selection takes all."""

    types: tuple[str, ...] = ()
    """Module types."""
    urls: tuple[str, ...] = ()
    """URLs; each takes itself and what lies below it."""
    except_types: tuple[str, ...] = ()
    """Module types that are left out, whatever else selects them."""
    except_urls: tuple[str, ...] = ()
    """URLs that are left out, with what lies below them."""
    zip_required: bool = False
    """Only modules whose slip says that a zip is required."""

    def takes(self, url: str, module_type: str | None, *, zip_required: bool = True) -> bool:
        """Whether this module is selected."""
        if module_type in self.except_types or _lies_below(url, self.except_urls):
            return False
        if self.zip_required and not zip_required:
            return False
        if not self.types and not self.urls:
            return True
        return _lies_below(url, self.urls) or (module_type is not None and module_type in self.types)


def _lies_below(url: str, roots: tuple[str, ...]) -> bool:
    return any(url == root or url.startswith(root.rstrip("/") + "/") for root in roots)
