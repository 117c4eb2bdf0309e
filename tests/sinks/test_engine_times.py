"""Statements that differ in the times of their range alone, as those of a board do at every tick, are judged once."""

from __future__ import annotations

import random
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

if TYPE_CHECKING:
    from tests.sinks.engines import Running

PLACES = [
    "SELECT toDateTime({t}) AS a, toUnixTimestamp(toDateTime({u})) AS b",
    "WITH toDateTime({t}) AS a SELECT a - toDateTime({u}) AS d, toDateTime({t}) IN (toDateTime({u})) AS i",
    "SELECT toUnixTimestamp(toDateTime({t})) AS a, 'toDateTime({u})' AS b FORMAT JSONEachRow",
    "SELECT 'it''s \\' toDateTime({t}) --' AS a, toDateTime({u}) AS b",
    'SELECT 1 AS `toDateTime({t})`, 2 AS "toDateTime({u})"',
    "/* toDateTime({t}) */ SELECT toUnixTimestamp(toDateTime({u})) AS a -- toDateTime({t})",
    "SELECT $x$toDateTime({t})$x$ AS a, toDateTime({u}) AS b",
    "SELECT toDateTime({t}) AS a SETTINGS max_threads = 1, log_comment = 'toDateTime({u})'",
    "SELECT toDateTime({t}) AS a FORMAT CSV SETTINGS max_threads = 1",
    "SELECT xtoDateTime({t}) AS a, toDateTime({u}.5) AS b",
    "SELECT * FROM `toDateTime({t})`, `toDateTime({u})`",
    "SELECT toDateTime({t}) AS a, file('toDateTime({u})')",
    "SELECT * FROM values('a DateTime DEFAULT toDateTime({t})', toDateTime({u}))",
    "SELECT toDateTime({t}); SELECT toDateTime({u})",
    "SELECT toDateTime({t}",
]
"""Code, texts, comments, names, settings and formats; what is refused, and what is none."""


def asked(engine: Running, sql: str) -> tuple[int, str | None, bytes]:
    status, headers, body = engine.ask(sql.encode(), account="reader")
    return status, headers.get("x-clickhouse-exception-code"), body if status == 200 else b""


@given(place=st.sampled_from(PLACES), times=st.lists(st.integers(0, 4_000_000_000), min_size=4, max_size=4))
@settings(max_examples=80, deadline=None)
def test_a_statement_that_was_judged_is_answered_as_if_it_were_judged_anew(
    engine: Running, place: str, times: list[int]
) -> None:
    first, second, *_ = zip(times, reversed(times), strict=True)
    asked(engine, place.format(t=first[0], u=first[1]))
    later = place.format(t=second[0], u=second[1])
    never_seen = f"/* {random.getrandbits(64)} */ {later}"
    assert asked(engine, later) == asked(engine, never_seen)


def queries(engine: Running) -> int:
    return int(engine.ask(b"SELECT value FROM system.events WHERE event = 'Query'")[2])


@pytest.mark.parametrize("place", PLACES[:3])
def test_the_engine_parses_such_a_statement_once(engine: Running, place: str) -> None:
    """The engine counts what it is asked: each time the same, and the first time a parse besides."""
    unique = f"{place.partition('FORMAT')[0]} LIMIT {random.getrandbits(40)}"
    asked(engine, "SELECT 1")  # the session that the reader's statements share
    counted = [queries(engine)]
    for moment in (1_700_000_000, 1_700_000_005, 1_700_000_010):
        assert asked(engine, unique.format(t=moment, u=moment + 1))[0] == 200
        counted.append(queries(engine))
    first, *others = (later - earlier for earlier, later in pairwise(counted))
    assert others == [first - 1, first - 1]
