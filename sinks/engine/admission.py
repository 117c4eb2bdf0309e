"""Who may run what: the one place that looks at a statement before the engine does.

Everything is refused here that the engine's own ``readonly`` lets through. A stricter check
(an allow-list over ``EXPLAIN AST``) belongs into `admit`, after the statement has been cut out.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from sinks.engine.accounts import Account
from sinks.engine.errors import EngineError
from sinks.engine.tokens import Token, statements, tokens

if TYPE_CHECKING:
    from collections.abc import Iterable

READER_WORDS = (b"SELECT", b"WITH", b"SHOW", b"DESCRIBE", b"DESC", b"EXPLAIN")
# Table functions that make rows of nothing, or that are an ordinary function under the same name.
HARMLESS = frozenset(
    "numbers numbers_mt zeros zeros_mt values generateseries generate_series format null view".split()  # noqa: SIM905
)
# Ordinary functions that reach outside; ClickHouse also takes their bare names (arrayMap(file, …), APPLY file).
OUTSIDE = frozenset({"file", "catboostevaluate"})
OUTSIDE_PREFIXES = (
    *("dictget", "dicthas", "dictisin", "joinget", "addressto", "filesystem"),
    *("aigenerate", "aiclassify", "aiextract", "aitranslate", "aiembed", "aifilter", "airedact", "aisimilarity"),
)
_EDGE = Token("other", b"", 0, 0, 0)


def admit(sql: bytes, *, account: Account, table_functions: Iterable[str]) -> bytes:
    """Return the one statement in `sql` if `account` may run it.

    Raises error 62 for none or several statements, 497 for what this account may not do.
    """
    found = statements(sql)
    if not found:
        raise EngineError(62, "Syntax error: Empty query. Send one statement in the body or as query=.")
    if len(found) > 1:
        raise EngineError(62, f"Syntax error (Multi-statements are not allowed): {len(found)} statements, send one.")
    _refuse_host_files(found[0])
    if account is Account.READER:
        _refuse_changes(found[0])
        refuse_outside(found[0], table_functions=table_functions)
    return found[0]


def refuse_outside(sql: bytes, *, table_functions: Iterable[str]) -> None:
    """Refuse every use of a function that reads files, addresses or other servers (error 497)."""
    tables = {name.lower() for name in table_functions} - HARMLESS
    cut = [_EDGE, *tokens(sql), _EDGE]
    for before, token, after in zip(cut, cut[1:], cut[2:], strict=False):
        name = token.name
        if name is None:
            continue
        if token.kind == "quoted" and "\\" in name:
            raise EngineError(497, f"reader: the name {name} has a backslash in it; write it without escapes.")
        called = after.text == b"("
        if (called and name in tables) or (_reaches_outside(name) and (called or not _is_column(before))):
            raise EngineError(
                497,
                f"reader: the function {name} reaches outside the tables and is not allowed; "
                f"a column of that name is written with its table, as t.{name}.",
            )


def _reaches_outside(name: str) -> bool:
    return name in OUTSIDE or name.startswith(OUTSIDE_PREFIXES)


def _is_column(before: Token) -> bool:
    return before.text == b"." or before.is_(b"AS")


def _refuse_host_files(statement: bytes) -> None:
    for first, second in pairwise(tokens(statement)):
        to, of = first.is_(b"INTO") and second.is_(b"OUTFILE"), first.is_(b"FROM") and second.is_(b"INFILE")
        if to or of:
            words = f"{first.text.decode()} {second.text.decode()}".upper()
            raise EngineError(
                497, f"{words} is not allowed: files stay with the client, send or read the bytes by HTTP."
            )


def _refuse_changes(statement: bytes) -> None:
    first = next((t for t in tokens(statement) if t.text != b"("), None)
    if first is None or not first.is_(*READER_WORDS):
        raise EngineError(
            497,
            f"reader: Not enough privileges: {_shown(first)} is not SELECT, WITH, SHOW, DESCRIBE or EXPLAIN; "
            "use the writer account.",
        )


def _shown(token: Token | None) -> str:
    return token.text[:32].decode(errors="replace") if token else "nothing"
