"""The ClickHouse plug-in's macros and Grafana's variables, expanded as those two do it.

For whoever shows a board without them. Each text is read once, so a name that looks like a macro stays a name.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

ALL_VALUE = "$__all"
"""What a variable holds when everything is chosen."""
MACROS = frozenset({"__fromTime", "__toTime", "__interval_s", "__conditionalAll"})
FORMATS = frozenset({"singlequote"})

_CONDITIONAL = "$__conditionalAll("
_TOKEN = re.compile(r"\$(?:\{(?P<name>\w+)(?::(?P<format>\w+))?\}|(?P<bare>\w+))")


class MacroError(ValueError):
    """A text that cannot be expanded; its message says what is wrong with it."""


@dataclass(frozen=True, kw_only=True)
class Chosen:
    """What the reader of a board chose: a range in epoch seconds, the step of a series, values of variables."""

    from_s: int
    to_s: int
    interval_s: int = 60
    variables: Mapping[str, str | Sequence[str]] = field(default_factory=dict)

    def values(self, name: str) -> list[str]:
        """The values of a variable. Raises MacroError."""
        if name not in self.variables:
            known = ", ".join(sorted(self.variables)) or "none"
            raise MacroError(f"unknown variable {name!r}; there are {known}")
        value = self.variables[name]
        return [value] if isinstance(value, str) else list(value)

    def has_all(self, name: str) -> bool:
        """Whether a variable leaves nothing out; nothing chosen counts as that, as in the plug-in."""
        values = self.values(name)
        return values in ([], [""]) or ALL_VALUE in values


def expand(sql: str, chosen: Chosen) -> str:
    """Give the statement that a data source would be asked. Raises MacroError.

    Backslashes in values are escaped as well, which Grafana's `singlequote` leaves out.
    """
    return _TOKEN.sub(lambda found: _value(found, chosen), _conditions(sql, chosen))


def variables_of(sql: str) -> set[str]:
    """Name the variables that a text reads. Raises MacroError for a macro or a format that is not known."""
    return {found[0] for found in _tokens(sql)}


def _tokens(sql: str) -> list[tuple[str, str]]:
    found = [(match["name"] or match["bare"], match["format"] or "") for match in _TOKEN.finditer(sql)]
    for name, kind in found:
        if name.startswith("__") and name not in MACROS:
            raise MacroError(f"unknown macro ${name}; there are {', '.join(sorted(MACROS))}")
        if kind and kind not in FORMATS:
            raise MacroError(f"unknown format {kind!r} of ${{{name}}}; write ${{{name}:singlequote}}")
    return [(name, kind) for name, kind in found if not name.startswith("__")]


def _conditions(sql: str, chosen: Chosen) -> str:
    """Replace each `$__conditionalAll(condition, $variable)`, the last one first."""
    while (at := sql.rfind(_CONDITIONAL)) >= 0:
        condition, variable, end = _arguments(sql, at + len(_CONDITIONAL))
        name = variable.strip().lstrip("$").strip("{}")
        kept = "1=1" if chosen.has_all(name) else condition
        sql = sql[:at] + kept + sql[end:]
    return sql


def _arguments(sql: str, start: int) -> tuple[str, str, int]:
    """Both arguments and where the macro ends. Raises MacroError."""
    depth, commas = 1, []
    for at in range(start, len(sql)):
        depth += {"(": 1, ")": -1}.get(sql[at], 0)
        if sql[at] == "," and depth == 1:
            commas.append(at)
        if depth == 0:
            if len(commas) != 1:
                raise MacroError(f"$__conditionalAll takes a condition and a variable: {sql[start:at]!r}")
            return sql[start : commas[0]], sql[commas[0] + 1 : at], at + 1
    raise MacroError(f"$__conditionalAll is not closed: {sql[start : start + 80]!r}")


def _value(found: re.Match[str], chosen: Chosen) -> str:
    name = found["name"] or found["bare"]
    if name == "__fromTime":
        return f"toDateTime({chosen.from_s})"
    if name == "__toTime":
        return f"toDateTime({chosen.to_s})"
    if name == "__interval_s":
        return str(max(1, chosen.interval_s))
    _tokens(found[0])
    if found["format"] != "singlequote":
        raise MacroError(f"${name} would stand unquoted: write ${{{name}:singlequote}}")
    return ",".join(_quoted(value) for value in chosen.values(name))


def _quoted(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"
