"""Packages and trees made from modules: course packages in four forms, rewritten links, deposits by SWORD."""

__all__: list[str] = []
