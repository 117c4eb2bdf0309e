"""SQL as ClickHouse's lexer cuts it: enough to find statements, clauses and function names, never inside quotes.

Works on bytes, since what follows an ``INSERT … FORMAT Native`` is no text at all.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

# Typographic quotes count as quotes for ClickHouse, other non-ASCII characters at most as blanks (U+00A0 …):
# taking either for anything else would let a quote or a bracket hide behind it.
_LEXER = re.compile(
    rb"""(?P<skip>\s++|--[^\n]*+|\#[!\x20][^\n]*+|(?:(?!\xe2\x80[\x98\x9c])[\x80-\xff])++)
    |(?P<string>'(?:[^'\\]++|\\.|'')*+'|\xe2\x80\x98.*?\xe2\x80\x99|\$(?P<tag>\w*)\$.*?\$(?P=tag)\$)
    |(?P<quoted>"(?:[^"\\]++|\\.|"")*+"|`(?:[^`\\]++|\\.|``)*+`|\xe2\x80\x9c.*?\xe2\x80\x9d)
    |(?P<word>[A-Za-z_][A-Za-z0-9_$]*+)
    |(?P<comment>/\*)
    |(?P<open>['"`]|\xe2\x80[\x98\x9c])
    |(?P<other>.)""",
    re.DOTALL | re.VERBOSE,
)
_COMMENT_EDGE = re.compile(rb"/\*|\*/")
_DOUBLED = re.compile(rb"\"\"|``")


@dataclass(frozen=True, slots=True)
class Token:
    """One piece of SQL: its kind (string, quoted, word, open, other), text, place, and depth in parentheses."""

    kind: str
    text: bytes
    start: int
    end: int
    depth: int

    def is_(self, *words: bytes) -> bool:
        """Whether this is one of these bare words, given in upper case."""
        return self.kind == "word" and self.text.upper() in words

    @property
    def name(self) -> str | None:
        """The name it spells when it can be an identifier, in lower case and without quotes."""
        if self.kind == "word":
            return self.text.decode().lower()
        if self.kind != "quoted":
            return None
        inner = self.text[3:-3] if self.text[:1] == b"\xe2" else self.text[1:-1]
        return _DOUBLED.sub(lambda m: m[0][:1], inner).decode(errors="replace").lower()


def tokens(sql: bytes) -> Iterator[Token]:
    """Cut `sql`, without blanks and comments; a quote or comment that does not end is the last token, kind open."""
    at = depth = 0
    while match := _LEXER.match(sql, at):
        kind, text, start = match.lastgroup or "skip", match[0], at
        kind = "string" if kind == "tag" else kind
        at = match.end()
        if kind == "comment":
            at = _comment_end(sql, at)
            kind = "skip" if at else "open"
        if kind == "skip":
            continue
        depth -= text == b")" and depth > 0
        yield Token(kind, text, start, match.end(), depth)
        if kind == "open":
            return
        depth += text == b"("


def _comment_end(sql: bytes, at: int) -> int:
    """Where the comment ends whose inside begins at `at`, 0 if it does not: comments nest."""
    nested = 1
    for edge in _COMMENT_EDGE.finditer(sql, at):
        nested += 1 if edge[0] == b"/*" else -1
        if not nested:
            return edge.end()
    return 0


def statements(sql: bytes) -> list[bytes]:
    """Cut at every ``;`` outside quotes and comments; empty statements are left out."""
    found, start, filled = [], 0, False
    for token in tokens(sql):
        if token.text == b";":
            if filled:
                found.append(sql[start : token.start])
            start, filled = token.end, False
        else:
            filled = True
    if filled:
        found.append(sql[start:])
    return found


def literal(text: str) -> str:
    """Write `text` as a string literal of SQL."""
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"
