"""What the models say of their keys: the docstrings below them.

They are read from the source when somebody asks. Pydantic would do so in every process that starts, at a third of what the
configuration takes of the processor.
"""

import ast
import inspect
from collections.abc import Iterator, Mapping
from functools import cache
from itertools import pairwise
from textwrap import dedent


def meaning(model: type, name: str) -> str:
    """The words below a key of a model, or of one that it is made from; empty where there are none."""
    return next((words[name] for each in model.__mro__ if name in (words := _own(each))), "")


@cache
def _own(model: type) -> Mapping[str, str]:
    try:
        source = inspect.getsource(model)
    except (OSError, TypeError):  # of classes that are built in
        return {}
    return dict(_written(ast.parse(dedent(source)).body[0]))


def _written(model: ast.stmt) -> Iterator[tuple[str, str]]:
    for key, below in pairwise(getattr(model, "body", ())):
        if isinstance(key, ast.AnnAssign) and isinstance(key.target, ast.Name) and isinstance(below, ast.Expr):
            words = below.value
            if isinstance(words, ast.Constant) and isinstance(words.value, str):
                yield key.target.id, inspect.cleandoc(words.value)
