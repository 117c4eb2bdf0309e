"""The SETTINGS clause at the end of a reader's statement: taken out of the text, so that it can be bounded."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sinks.engine.errors import EngineError
from sinks.engine.tokens import Token, tokens

if TYPE_CHECKING:
    from collections.abc import Iterator

_CLAUSES_MAX = 2  # one of the query, one behind FORMAT


def lift_settings(sql: bytes) -> tuple[bytes, dict[str, str]]:
    """Give the statement without the settings that stand outside of all brackets, and the settings.

    Only numbers, words and strings are values here (error 497 for others, 62 for none); a SETTINGS clause that is
    not found this way stays in the text, where the parser sees it.
    """
    found: dict[str, str] = {}
    for _ in range(_CLAUSES_MAX):
        clause = _clause(sql)
        if clause is None:
            break
        start, end, settings = clause
        found |= settings
        sql = sql[:start] + b" " + sql[end:]
    return sql, found


def _clause(sql: bytes) -> tuple[int, int, dict[str, str]] | None:
    cut = list(tokens(sql))
    for at, (word, name, equals) in enumerate(zip(cut, cut[1:], cut[2:], strict=False)):
        if word.is_(b"SETTINGS") and not word.depth and name.kind == "word" and equals.text == b"=":
            settings, end = _pairs(iter(cut[at + 1 :]))
            return word.start, end, settings
    return None


def _pairs(rest: Iterator[Token]) -> tuple[dict[str, str], int]:
    """Read ``name = value, name = value`` up to whatever else follows."""
    settings: dict[str, str] = {}
    token = next(rest, None)
    end = 0
    while token is not None and token.kind == "word":
        name, equals = token.text.decode(), next(rest, None)
        if equals is None or equals.text != b"=":
            break
        value, end, token = _value(rest, name)
        settings[name] = value
        if token is None or token.text != b",":
            break
        token = next(rest, None)
    return settings, end


def _value(rest: Iterator[Token], name: str) -> tuple[str, int, Token | None]:
    """Read one value: a string, or pieces without a gap between them (``-1.5e3``). Gives it, its end, what follows."""
    first = next(rest, None)
    if first is not None and first.kind == "string" and first.text[:1] == b"'" and b"\\" not in first.text:
        return first.text[1:-1].replace(b"''", b"'").decode(errors="replace"), first.end, next(rest, None)
    if first is None:
        raise EngineError(62, f"Syntax error: the setting {name[:64]} has no value.")
    if not (first.kind == "word" or first.text.isdigit() or first.text in {b"-", b"+", b"."}):
        raise EngineError(497, f"reader: the value of the setting {name[:64]} must be a number, a word or a string.")
    text, end, token = first.text, first.end, next(rest, None)
    while token is not None and token.start == end and (token.kind == "word" or token.text not in {b",", b")", b"("}):
        text, end, token = text + token.text, token.end, next(rest, None)
    return text.decode(errors="replace"), end, token
