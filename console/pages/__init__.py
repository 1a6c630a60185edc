"""The pages, one module each."""

from console.pages import files, overview, signin

__all__ = ["files", "overview", "signin"]
