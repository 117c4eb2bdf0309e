"""INSERT statements with data: where the data begins, and how the statement reads it from a file instead."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sinks.engine.errors import EngineError
from sinks.engine.tokens import Token, literal, tokens

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

_GAP = re.compile(rb"[ \t]*(\r?\n)?")


@dataclass(frozen=True)
class DataClause:
    """The end of an INSERT that announces data: place and name of its format, and where the data begins."""

    start: int
    end: int
    format: str
    data: int


def is_insert(sql: bytes) -> bool:
    """Whether the statement begins with INSERT."""
    first = next(tokens(sql), None)
    return first is not None and first.is_(b"INSERT")


def data_clause(sql: bytes, *, formats: Mapping[str, str], whole: bool) -> DataClause | None:
    """Find ``FORMAT name`` or ``VALUES`` of an INSERT.

    `formats` are the names of formats by their lower case. None while it is not there; if `sql` is not
    `whole`, a name at its very end does not count yet, since more of it may follow.
    """
    selects = False
    for before, token, after in _neighbours(sql):
        selects = selects or token.is_(b"SELECT", b"WITH")
        if token.depth or token.start == 0:
            continue
        if token.is_(b"VALUES") and not selects and (whole or after):
            return DataClause(token.start, token.end, "Values", token.end)
        if token.is_(b"FORMAT") and not (before.is_(b"AS", b"INTO", b"TABLE") or before.text in {b".", b","}):
            found = _format(sql, token, after, formats, whole=whole)
            if found:
                return found
    return None


def reading_from(sql: bytes, clause: DataClause, *, file: Path, empty: bool) -> str:
    """Rewrite the INSERT before its data so that the engine reads the data from `file`.

    ``input('structure')`` becomes ``file(…)``; without a SELECT, ``FROM INFILE`` takes the data's place.
    Raises error 36 when a SELECT has no ``input`` that could take the data.
    """
    head = sql[: clause.start]
    if any(token.is_(b"SELECT", b"WITH") and not token.depth for token in tokens(head)):
        return _from_file(head, clause, file=file, empty=empty)
    at = next((t.start for _, t, _ in _neighbours(head) if t.is_(b"SETTINGS") and _after_table(head, t)), len(head))
    source = f" FROM INFILE {literal(str(file))} COMPRESSION 'none' "
    return f"{_text(head[:at])}{source}{_text(head[at:])} FORMAT {clause.format}"


def _from_file(head: bytes, clause: DataClause, *, file: Path, empty: bool) -> str:
    found = next(
        (t for b, t, a in _neighbours(head) if t.is_(b"INPUT") and b.is_(b"FROM") and a is not None and a.text == b"("),
        None,
    )
    if found is None:
        if empty:
            return _text(head)
        raise EngineError(36, "INSERT … SELECT takes a body only through FROM input('structure'); there is none.")
    bracket = head.index(b"(", found.end) + 1
    return f"{_text(head[: found.start])}file({literal(str(file))}, {clause.format}, {_text(head[bracket:])}"


def _format(
    sql: bytes, token: Token, after: Token | None, formats: Mapping[str, str], *, whole: bool
) -> DataClause | None:
    name = formats.get(after.text.decode().lower()) if after and after.kind == "word" else None
    if after is None or name is None:
        return None
    gap = _GAP.match(sql, after.end)
    data = gap.end() if gap else after.end
    return DataClause(token.start, after.end, name, data) if whole or data < len(sql) else None


def _after_table(head: bytes, token: Token) -> bool:
    """Tell a clause from a table called settings: only what follows the table's name is a clause."""
    before = [t for t in tokens(head[: token.start]) if not t.is_(b"INSERT", b"INTO", b"TABLE")]
    return bool(before) and before[-1].text != b"."


def _neighbours(sql: bytes) -> Iterator[tuple[Token, Token, Token | None]]:
    """Every token with the one before it and the one after it."""
    before = token = Token("other", b"", 0, 0, 0)
    for after in tokens(sql):
        if token.text:
            yield before, token, after
        before, token = token, after
    if token.text:
        yield before, token, None


def _text(sql: bytes) -> str:
    try:
        return sql.decode()
    except UnicodeDecodeError as error:
        raise EngineError(62, f"Syntax error: the statement is not UTF-8 at byte {error.start}.") from error
