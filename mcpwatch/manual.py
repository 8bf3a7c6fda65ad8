"""Docstrings of fields, which are the manual of what the fields hold."""

import ast
import inspect

from msgspec import Struct


def manual(table: type[Struct]) -> dict[str, str]:
    """The docstrings that follow a struct's own fields."""
    body = ast.parse(inspect.getsource(table)).body[0]
    assert isinstance(body, ast.ClassDef)  # noqa: S101
    docs: dict[str, str] = {}
    for line, following in zip(body.body, body.body[1:], strict=False):
        if (
            isinstance(line, ast.AnnAssign)
            and isinstance(line.target, ast.Name)
            and isinstance(following, ast.Expr)
            and isinstance(following.value, ast.Constant)
        ):
            docs[line.target.id] = str(following.value.value)
    return docs
