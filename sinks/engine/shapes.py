"""What kind of statement one is: whether it gives rows, whether its result goes to a file, and its FORMAT clause."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from sinks.engine.tokens import Token

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_ROWS = (b"SELECT", b"WITH", b"SHOW", b"DESCRIBE", b"DESC", b"EXPLAIN", b"EXISTS", b"FROM")
_FILED = (b"SELECT", b"WITH", b"FROM")
_KEEPS_TABLES = (*_ROWS, b"INSERT", b"OPTIMIZE")
_NONE = Token("other", b"", 0, 0, 0)


@dataclass(frozen=True)
class Shape:
    """Of one statement: it gives `rows`; they are many perhaps and go to a file (`filed`); it may change `tables`."""

    rows: bool
    filed: bool
    insert: bool
    tables: bool


def shape_of(cut: Sequence[Token]) -> Shape:
    """Tell the shape of a statement by its words."""
    first = next((token for token in cut if token.text != b"("), _NONE)
    inserts = any(token.is_(b"INSERT") and not token.depth for token in cut)  # WITH x AS (...) INSERT too
    return Shape(
        rows=first.is_(*_ROWS),
        filed=first.is_(*_FILED) and not inserts,
        insert=first.is_(b"INSERT"),
        tables=not first.is_(*_KEEPS_TABLES),
    )


def split_format(sql: bytes, cut: Sequence[Token], formats: Mapping[str, str]) -> tuple[bytes, str]:
    """Take the FORMAT clause at the end of a query out; gives the rest, and the name of the format or ""."""
    ends = [token for token in cut if not token.depth]
    for at, (word, name) in enumerate(pairwise(ends)):
        last = at + 2 == len(ends)
        if word.is_(b"FORMAT") and name.kind == "word" and (last or ends[at + 2].is_(b"SETTINGS")):
            known = formats.get(name.text.decode().lower())
            if known or last:
                return sql[: word.start] + sql[name.end :], name.text.decode()
    return sql, ""
