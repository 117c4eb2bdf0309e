"""What the structs themselves say of their fields: the string below a field, as the source has it."""

from __future__ import annotations

import ast
import functools
import inspect
import itertools
import textwrap

import msgspec


@functools.cache
def field_docs(struct: type[msgspec.Struct]) -> dict[str, str]:
    """Field → its docstring on one line; fields without one are absent. Inherited ones included."""
    found: dict[str, str] = {}
    for base in reversed(struct.__mro__):
        if base is not msgspec.Struct and issubclass(base, msgspec.Struct):
            found |= _own_docs(base)
    return found


def _own_docs(struct: type[msgspec.Struct]) -> dict[str, str]:
    (definition,) = ast.parse(textwrap.dedent(inspect.getsource(struct))).body
    body = definition.body if isinstance(definition, ast.ClassDef) else []
    return {
        field.target.id: " ".join(inspect.cleandoc(text.value.value).split())
        for field, text in itertools.pairwise(body)
        if isinstance(field, ast.AnnAssign)
        and isinstance(field.target, ast.Name)
        and isinstance(text, ast.Expr)
        and isinstance(text.value, ast.Constant)
        and isinstance(text.value.value, str)
    }
