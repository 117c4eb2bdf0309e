"""Statements with one thing hidden somewhere in them: in any clause, at any depth, under comments and odd spelling.

``{e}`` is the place of an expression, ``{t}`` that of a table, ``{q}`` that of a query; every frame is valid SQL.
"""

from __future__ import annotations

import re

from hypothesis import strategies as st

EXPRESSION_IN_EXPRESSION = [
    "if(1, {e}, {e})",
    "arrayMap(x -> {e}, [1])",
    "concat('a', toString({e}))",
    "CAST({e} AS String)",
    "CASE WHEN toString({e}) = 'x' THEN 1 ELSE 2 END",
    "toString({e}) IN ('a', toString({e}))",
    "(SELECT {e})",
    "exists(SELECT {e})",
    "tuple(1, {e}).2",
    "[toString({e})]",
    "({e})::String",
    "1 BETWEEN 0 AND length(toString({e}))",
    "any({e}) OVER (PARTITION BY toString({e}))",
    "countIf(toString({e}) = 'a')",
    "(({e}) IS NOT NULL ? 1 : 2)",
]
EXPRESSION_IN_QUERY = [
    "SELECT {e}",
    "SELECT 1 AS one WHERE toString({e}) != 'x'",
    "WITH {e} AS x SELECT x",
    "WITH c AS (SELECT {e} AS y) SELECT y FROM c",
    "SELECT number FROM numbers(3) ORDER BY toString({e})",
    "SELECT count() FROM numbers(3) GROUP BY toString({e})",
    "SELECT count() AS n FROM numbers(3) GROUP BY number HAVING toString({e}) != 'x'",
    "SELECT number FROM numbers(3) LIMIT 1 BY toString({e})",
    "SELECT number FROM numbers(3) LIMIT (SELECT length(toString({e})))",
    "SELECT * REPLACE (toString({e}) AS number) FROM numbers(1)",
    "SELECT number FROM numbers(length(toString({e})))",
    "SELECT y FROM numbers(1) ARRAY JOIN [toString({e})] AS y",
    "SELECT DISTINCT ON (toString({e})) number FROM numbers(2)",
    "SELECT number FROM numbers(3) JOIN (SELECT {e} AS k) AS j ON toString(j.k) = toString(number)",
    "SELECT row_number() OVER w FROM numbers(2) WINDOW w AS (ORDER BY toString({e}))",
    "SELECT number FROM numbers(2) QUALIFY toString({e}) != 'x'",
    "SELECT sum(number) FILTER (WHERE toString({e}) != 'x') FROM numbers(2)",
    "SELECT number, 1 AS i FROM numbers(2) ORDER BY number WITH FILL INTERPOLATE (i AS length(toString({e})))",
]
TABLE_IN_QUERY = [
    "SELECT * FROM {t}",
    "FROM {t} SELECT 1",
    "SELECT 1 FROM numbers(1) AS n CROSS JOIN {t} AS j",
    "SELECT 1 FROM numbers(1) AS n, {t} AS j",
    "SELECT 1 WHERE 1 IN (SELECT 1 FROM {t})",
    "SELECT 1 WHERE 1 GLOBAL NOT IN (SELECT 1 FROM {t})",
    "WITH c AS (SELECT * FROM {t}) SELECT * FROM c",
    "WITH RECURSIVE c AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM c, {t} WHERE n < 2) SELECT * FROM c",
    "SELECT * FROM view(SELECT * FROM {t})",
    "SELECT (SELECT count() FROM {t})",
    "SELECT 1 INTERSECT SELECT 1 FROM {t}",
    "DESCRIBE TABLE {t}",
]
QUERY_IN_QUERY = [
    "SELECT * FROM ({q})",
    "({q})",
    "SELECT 1 FROM numbers(1) WHERE (SELECT count() FROM ({q})) >= 0",
    "WITH c AS ({q}) SELECT count() FROM c",
    "SELECT count() FROM view(SELECT * FROM ({q}))",
    "SELECT toString(1) UNION ALL SELECT toString(count()) FROM ({q})",
]
ENDS = ["", ";", " FORMAT JSON", " FORMAT Null", " SETTINGS max_threads = 1", " -- ; SELECT 1", "\n/* ' */;\n"]
STARTS = ["", "-- it's\n", "/* /* */ ' */ ", " \n\t", "#! x\n", "EXPLAIN ", "EXPLAIN AST ", "EXPLAIN SYNTAX "]
_KEYWORD = re.compile(r"\b[A-Z]{2,}\b")
BLANKS = [" ", "\n", "/**/", " /* ; ' */ ", "\u00a0", " -- '\n"]


@st.composite
def hidden(draw: st.DrawFn, *, expressions: list[str], tables: list[str]) -> str:
    """Draw a statement that has one of `expressions` or `tables` in it."""
    table = draw(st.sampled_from(["", *tables]))
    if table:
        query = draw(st.sampled_from(TABLE_IN_QUERY)).replace("{t}", table)
    else:
        expression = draw(st.sampled_from(expressions))
        for frame in draw(st.lists(st.sampled_from(EXPRESSION_IN_EXPRESSION), max_size=3)):
            expression = frame.replace("{e}", expression)
        query = draw(st.sampled_from(EXPRESSION_IN_QUERY)).replace("{e}", expression)
    start = draw(st.sampled_from(STARTS))
    if not query.startswith("DESCRIBE"):
        for frame in draw(st.lists(st.sampled_from(QUERY_IN_QUERY), max_size=2)):
            query = frame.replace("{q}", query)
    elif start.startswith("EXPLAIN"):
        start = ""
    return start + _respelled(draw, query) + draw(st.sampled_from(ENDS))


def _respelled(draw: st.DrawFn, query: str) -> str:
    """Put other blanks and comments between the words, and change the case of some keywords."""
    pieces, quoted = [], False
    blank = draw(st.sampled_from(BLANKS))
    for piece in query.split(" "):
        pieces.append(piece)
        quoted ^= piece.count("'") % 2 == 1
        pieces.append(" " if quoted else blank)
    text = "".join(pieces[:-1])
    for word in ("SELECT", "FROM", "WITH", "WHERE"):
        text = text.replace(word, draw(st.sampled_from([word, word.lower(), word.title()])))
    return text


@st.composite
def camouflaged(draw: st.DrawFn, statement: str) -> str:
    """Draw `statement` as it may also be written: other blanks, comments and case of its keywords, any start and end.

    Text in single quotes is left alone.
    """
    spelling = draw(st.sampled_from([str.upper, str.lower, str.title]))
    start = draw(st.sampled_from([one for one in STARTS if not one.startswith("EXPLAIN")]))
    ends = [one for one in ENDS if "FORMAT" not in one and "SETTINGS" not in one]
    parts = statement.split("'")
    blank = draw(st.sampled_from(BLANKS))
    parts[::2] = [_KEYWORD.sub(lambda word: spelling(word[0]), part).replace(" ", blank) for part in parts[::2]]
    return start + "'".join(parts) + draw(st.sampled_from(ends))
