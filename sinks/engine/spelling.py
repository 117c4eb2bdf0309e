"""What is judged by the words of a statement, because the parser's tree does not show it."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import TYPE_CHECKING

from sinks.engine.errors import EngineError
from sinks.engine.tokens import Token, statements, tokens

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from sinks.engine.allowed import Functions

READER_WORDS = (b"SELECT", b"WITH", b"FROM", b"SHOW", b"DESCRIBE", b"DESC", b"EXPLAIN", b"EXISTS")
_SHOWN = (b"DATABASES", b"TABLES", b"COLUMNS", b"FIELDS", b"CREATE")
_SHOWN_AFTER = (b"FULL", b"EXTENDED")
_ODD = re.compile(r"[\x00-\x1f\x7f\\]")
_PLAIN = re.compile(r"\w+")
_COMPUTED = (b"DEFAULT", b"MATERIALIZED", b"ALIAS", b"EPHEMERAL", b"CODEC", b"TTL")
NO_TOKEN = Token("other", b"", 0, 0, 0)


def one_statement(sql: bytes) -> bytes:
    """Return the one statement in `sql`; raises error 62 for none or several."""
    found = statements(sql)
    if not found:
        raise EngineError(62, "Syntax error: Empty query. Send one statement in the body or as query=.")
    if len(found) > 1:
        raise EngineError(62, f"Syntax error (Multi-statements are not allowed): {len(found)} statements, send one.")
    return found[0]


def refuse_host_files(cut: list[Token]) -> None:
    """Refuse ``INTO OUTFILE`` and ``FROM INFILE``: files of the host are nobody's business (error 497)."""
    for first, second in pairwise(cut):
        to, of = first.is_(b"INTO") and second.is_(b"OUTFILE"), first.is_(b"FROM") and second.is_(b"INFILE")
        if to or of:
            words = f"{first.text.decode()} {second.text.decode()}".upper()
            raise EngineError(
                497, f"{words} is not allowed: files stay with the client, send or read the bytes by HTTP."
            )


def refuse_changes(cut: list[Token]) -> None:
    """Refuse every statement that does not begin like a query (error 497)."""
    first = next((token for token in cut if token.text != b"("), NO_TOKEN)
    if not first.is_(*READER_WORDS):
        raise _refusal(
            f"{_shown(first)} is not SELECT, WITH, SHOW, DESCRIBE, EXPLAIN or EXISTS; use the writer account"
        )


def refuse_odd_names(cut: list[Token], params: Mapping[str, str]) -> None:
    """Refuse names that would be printed as something else than a name: control characters, escapes (error 497)."""
    for token in cut:
        if token.kind == "quoted" and _ODD.search(token.text.decode(errors="replace")):
            raise _refusal(f"the name {token.name!r} has an escape or a control character in it; write it without")
    for name in identifier_params(cut):
        if not _PLAIN.fullmatch(params.get(name, "_")):
            raise _refusal(f"the parameter {name[:64]} is a name; use letters, digits and underscores for it")


def identifier_params(cut: list[Token]) -> list[str]:
    """List the parameters that stand for names, ``{p:Identifier}``: with them the tree depends on their values."""
    fours = zip(cut, cut[1:], cut[2:], cut[3:], strict=False)
    return [b.text.decode() for a, b, c, d in fours if a.text == b"{" and c.text == b":" and d.is_(b"IDENTIFIER")]


def judge_apply(cut: list[Token], functions: Functions) -> None:
    """Judge ``* APPLY f``, of which the tree does not show f: one allowed function, with constants at most."""
    for at, token in enumerate(cut):
        if not token.is_(b"APPLY"):
            continue
        rest = iter(cut[at + 1 :])
        named = next((t for t in rest if t.text != b"("), NO_TOKEN)
        if named.name is None or not functions.allows(named.name) or not _is_simple(rest, depth=token.depth):
            raise _refusal(f"APPLY {_shown(named)}: APPLY takes the name of one function that only computes")


def _is_simple(rest: Iterator[Token], *, depth: int) -> bool:
    """Whether nothing but constants in brackets follows, until the brackets of APPLY are closed."""
    for token in rest:
        if token.text == b"-":
            return False
        if token.depth <= depth and token.text != b")":
            return token.text != b"("
        if not (token.kind in {"string", "other"} or token.is_(b"NULL", b"TRUE", b"FALSE")):
            return False
    return True


def shown_table(cut: list[Token]) -> str | None:
    """Judge a SHOW: no conditions, and of databases, tables, columns and how a table was made only.

    Gives the table whose columns are shown, None when it shows something else. Raises error 497.
    """
    words = [token for token in cut if not token.is_(*_SHOWN_AFTER)]
    kind = words[1] if len(words) > 1 else NO_TOKEN
    if not kind.is_(*_SHOWN):
        raise _refusal(f"SHOW {_shown(kind)} is not SHOW DATABASES, TABLES, COLUMNS or CREATE TABLE")
    for token in words:
        if token.text == b"(" or token.is_(b"WHERE"):
            raise _refusal(f"SHOW with {_shown(token)}; select from system.tables or system.columns instead")
    return _table_after_from(words) if kind.is_(b"COLUMNS", b"FIELDS") else None


def _table_after_from(words: list[Token]) -> str:
    """Read ``FROM table``, ``FROM database.table`` and ``FROM table FROM database``."""
    found: list[str] = []
    for before, token in pairwise(words):
        if before.is_(b"FROM", b"IN"):
            found.insert(0, token.name or "")
        elif before.text == b"." and found:
            found[0] += f".{token.name}"
    return ".".join(found)


def defined_names(cut: list[Token]) -> frozenset[str]:
    """Names that the statement itself may give to a query: ``name AS (…``, ``name (columns) AS (…``, ``(…) AS name``.

    Their spelling is kept: names of tables are told apart by case.
    """
    found: set[str] = set()
    opened: list[int] = []
    before_brackets = NO_TOKEN
    for at, (token, after) in enumerate(zip(cut, [*cut[1:], NO_TOKEN], strict=True)):
        if token.text == b"(":
            opened.append(at)
        elif token.text == b")" and opened:
            before_brackets = cut[opened.pop() - 1]
        elif token.is_(b"AS"):
            before = cut[at - 1]
            found.update(spelled(one) for one in (before_brackets if before.text == b")" else before, after))
    return frozenset(found - {""})


def spelled(token: Token) -> str:
    """Give the name a token spells, as it is written."""
    if token.kind == "word":
        return token.text.decode()
    return token.text[1:-1].decode(errors="replace") if token.kind == "quoted" else ""


def refuse_computed(structure: str) -> None:
    """Refuse a structure of an external table that computes a column (error 497)."""
    for token in tokens(structure.encode()):
        if token.is_(*_COMPUTED):
            raise _refusal(f"{_shown(token)} in the structure of an external table; send names and types")


def _shown(token: Token) -> str:
    return token.text[:32].decode(errors="replace") or "nothing"


def _refusal(what: str) -> EngineError:
    return EngineError(497, f"reader: Not enough privileges: {what}.")
