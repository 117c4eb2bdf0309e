"""What the engine's own parser makes of a statement: the tree that ``EXPLAIN AST`` prints, read back.

Names are printed as they are, so a name could try to look like lines of a tree. A tree whose counts of children do
not agree with its lines is therefore refused, and so is every kind of node that nobody has looked at (`KINDS`).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sinks.engine.errors import EngineError

if TYPE_CHECKING:
    from collections.abc import Iterator

# Nodes of queries that read. What is not here is refused: SYSTEM, KILL, SET, CHECK, INSERT, CREATE …
KINDS = frozenset(
    {
        *("SelectWithUnionQuery", "SelectIntersectExceptQuery", "SelectQuery", "Subquery", "WithElement"),
        *("ExpressionList", "Function", "Identifier", "TableIdentifier", "Literal", "SampleRatio"),
        *("TablesInSelectQuery", "TablesInSelectQueryElement", "TableExpression", "TableJoin", "ArrayJoin"),
        *("OrderByElement", "InterpolateElement", "WindowListElement", "WindowDefinition"),
        *("Asterisk", "QualifiedAsterisk", "ColumnsRegexpMatcher", "ColumnsListMatcher"),
        *("QualifiedColumnsRegexpMatcher", "QualifiedColumnsListMatcher", "ColumnsTransformerList"),
        *("ColumnsApplyTransformer", "ColumnsExceptTransformer", "ColumnsReplaceTransformer"),
        *("ColumnsReplaceTransformer::Replacement", "Set", "Explain", "DescribeQuery", "ShowTables", "ShowColumns"),
        *("ShowCreateTableQuery", "ShowCreateViewQuery", "ExistsTableQuery", "ExistsViewQuery"),
    }
)
_LINE = re.compile(r"( *)(\S+)(.*?)(?: \(children (\d+)\))?\Z", re.DOTALL)
# No slash, quote or bracket: neither a path nor a second alias fits into the name of a table or its alias.
_NAMED = re.compile(r" ([^\s()/\\'\"`]+)(?: \(alias ([^()/\\'\"`\n]+)\))?\Z")
_FUNCTION = re.compile(r" ([^\s()]+)(?: \(alias .*\))?\Z")


@dataclass(slots=True)
class Node:
    """One node: its kind, what is printed behind it, and its children; names of tables and functions without alias."""

    kind: str
    text: str
    children: list[Node] = field(default_factory=list)

    def walk(self, parent: Node | None = None) -> Iterator[tuple[Node, Node | None]]:
        """Give this node and all below it, each with its parent."""
        waiting = [(self, parent)]
        while waiting:
            node, above = waiting.pop()
            yield node, above
            waiting.extend((child, node) for child in reversed(node.children))


def read_tree(printed: str) -> Node:
    """Read what ``EXPLAIN AST`` printed. Raises error 497 for a tree that is not one, or has unknown nodes."""
    path: list[tuple[Node, int]] = []
    root: Node | None = None
    for line in printed.rstrip("\n").split("\n"):
        depth, node, count = _node(line)
        _close(path, depth)
        if depth != len(path) or (root is not None and not path):
            raise _forged(line)
        if path:
            path[-1][0].children.append(node)
        root = root or node
        path.append((node, count))
    _close(path, 0)
    if root is None:
        raise _forged("")
    return root


def _node(line: str) -> tuple[int, Node, int]:
    match = _LINE.match(line)
    if not match:
        raise _forged(line)
    depth, kind, rest, count = match.groups()
    if kind not in KINDS:
        raise EngineError(497, f"reader: Not enough privileges: {kind[:48]}{rest[:48].rstrip()} is not allowed.")
    return len(depth), Node(kind, _text(kind, rest, has_children=count is not None)), int(count or 0)


def _text(kind: str, rest: str, *, has_children: bool) -> str:
    if kind in {"Identifier", "TableIdentifier"} and has_children:
        raise _forged(rest)
    if kind in {"TableIdentifier", "Function"}:
        named = (_NAMED if kind == "TableIdentifier" else _FUNCTION).match(rest)
        if not named:
            raise EngineError(
                497,
                f"reader: the name{rest[:64]} is not allowed for a table or function; "
                "use letters, digits and underscores.",
            )
        return named[1]
    return rest.strip()


def _close(path: list[tuple[Node, int]], depth: int) -> None:
    """Leave the nodes deeper than `depth`; each must have had as many children as it said."""
    while len(path) > depth:
        node, count = path.pop()
        if len(node.children) != count:
            raise _forged(node.text)


def _forged(line: str) -> EngineError:
    return EngineError(
        497,
        f"reader: the statement cannot be checked at {line.strip()[:64]!r}; "
        "use names of letters, digits and underscores.",
    )
