"""The tables of the year, read out of the page in Chromium, against what `hotline kpi` says of the same spans."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import expect

from dashboards.boards.annual import ANNUAL
from dashboards.boards.cross import CROSS
from dashboards.entries import Edition
from dashboards.words import NO_VALUE, UNNAMED, Lang
from hotline.buckets import By
from hotline.catalogue import Unit
from hotline.catalogue import kpi as find
from hotline.periods import Period
from hotline.queries import Among, Question, answer, answer_from_rows
from tests.dashboards.conftest import BORN_AT, ZONE
from tests.dashboards.web.browsing import ROWS, opened
from tests.dashboards.web.sites import Clock, site, written

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from playwright.sync_api import Browser

    from tests.hotline.stored_rows import Stored

LOCAL = ZoneInfo(ZONE)
END = BORN_AT.astimezone(LOCAL).replace(minute=0) + timedelta(hours=26)
"""A whole hour: some of what is split is kept by the hour."""
BEGIN = datetime(BORN_AT.astimezone(LOCAL).year, 1, 1, tzinfo=LOCAL)
TOP = 5
YEARLY = (ANNUAL, CROSS)


@dataclass(frozen=True)
class Year:
    """Answers over the range of the board, and over the same range a year before."""

    city: Stored

    def values(self, name: str, years_back: int = 0, **more: Any) -> list[tuple[str, float | None]]:
        """Value by value, with the name of the scope each is of."""
        begin, end = (at.replace(year=at.year - years_back) for at in (BEGIN, END))
        question = Question(kpis=(find(name),), period=Period(begin, end), **more)
        found = (answer_from_rows if question.of_rows else answer)(question, self.city.reader.ask)
        return [((one.scope.value or UNNAMED) if one.scope else "", one.value) for one in found]

    def by_time(self, names: Sequence[str], by: By) -> list[list[str]]:
        """Rows of a table by months, quarters or years: each value and the one of a year before."""
        pairs = [(name, self.values(name, by=by), self.values(name, 1, by=by)) for name in names]
        columns = [[written(name, value, Lang.EN) for _, value in some] for name, *both in pairs for some in both]
        return [list(row) for row in zip(*columns, strict=True)]

    def by_scope(self, names: Sequence[str], kind: str) -> dict[str, list[str]]:
        """Rows of a table by scope: each value, and how it differs from the year before."""
        now, before = (
            {name: dict(self.values(name, years_back, split=kind)) for name in names} for years_back in (0, 1)
        )
        scopes = dict.fromkeys(scope for name in names for scope in now[name])
        return {
            scope: [
                text
                for name in names
                for text in _value_and_change(name, now[name].get(scope), before[name].get(scope))
            ]
            for scope in scopes
        }

    def top(self, name: str, kind: str) -> list[list[str]]:
        """Rows of the largest: name, value, share of all."""
        found = [(value or 0, scope) for scope, value in self.values(name, split=kind)]
        whole = sum(value for value, _ in found)
        return [[scope, written(name, value, Lang.EN), _share(value, whole)] for value, scope in _largest(found)[:TOP]]

    def within(self, name: str, outer: str, inner: str) -> Iterator[list[str]]:
        """Rows of a kind within another: both names, value, change on the year before, and share of the outer one."""
        for whole, scope in _largest((value or 0, scope) for scope, value in self.values(name, split=outer)):
            some = {"split": inner, "among": Among(outer, (scope.replace(UNNAMED, ""),)), "of_rows": True}
            now, before = (dict(self.values(name, years_back, **some)) for years_back in (0, 1))
            for value, part in _largest((value, part) for part, value in now.items() if value):
                yield [scope, part, *_value_and_change(name, value, before.get(part)), _share(value, whole)]


def _largest(found: Iterable[tuple[float, str]]) -> list[tuple[float, str]]:
    return sorted(found, key=lambda one: (-one[0], one[1].encode()))


def _share(value: float, whole: float) -> str:
    return f"{value / whole * 100:.1f} %"


def _value_and_change(name: str, now: float | None, before: float | None) -> tuple[str, str]:
    kpi = find(name)
    if now is None and not kpi.denominator:
        now = 0  # of a scope in which anything else counts
    shown = written(name, now, Lang.EN)
    if now is None or before is None or (kpi.unit is not Unit.SHARE and not before):
        return shown, NO_VALUE
    if kpi.unit is Unit.SHARE:
        return shown, f"{(now - before) * 100:,.2f} points"
    return shown, f"{(now / before - 1) * 100:,.2f} %"


@pytest.fixture(scope="module")
def rows(browser: Browser, city: Stored) -> dict[str, list[list[str]]]:
    """Every row of every table of the boards of the year, by the key of its panel."""
    span = f"?from={BEGIN.timestamp() * 1000:.0f}&to={END.timestamp() * 1000:.0f}"
    found: dict[str, list[list[str]]] = {}
    with site(city.settings, clock=Clock(END.timestamp(), speed=0.0)) as shown:
        for board in YEARLY:
            with opened(browser, f"{shown.url}/d/{Edition(Lang.EN, ZONE).uid(board.name)}{span}") as page:
                expect(page.locator(".waiting")).to_have_count(0)
                found |= {entry.key: page.evaluate(ROWS, entry.id) for row in board.rows for entry in row.entries}
    return found


def of_kind(*words: str) -> list[Any]:
    keys = [entry.key for board in YEARLY for row in board.rows for entry in row.entries]
    return [pytest.param(key, id=key[:60]) for key in keys if key.startswith(words)]


@pytest.mark.parametrize("key", of_kind("year table"))
def test_months_quarters_and_years(key: str, rows: dict[str, list[list[str]]], city: Stored) -> None:
    _, _, *names, by = key.split()
    assert [row[1:] for row in rows[key]] == Year(city).by_time(names, By(by))


@pytest.mark.parametrize("key", of_kind("year totals"))
def test_totals_side_by_side_and_how_they_changed(key: str, rows: dict[str, list[list[str]]], city: Stored) -> None:
    _, _, *names = key.split()
    both = [[dict(Year(city).values(name, years_back))[""] for years_back in (0, 1)] for name in names]
    expected = [_value_and_change(name, now, before) for name, (now, before) in zip(names, both, strict=True)]
    assert [row[-1] for row in rows[key]] == [text for texts in expected for text in texts]
    assert len({row[0] for row in rows[key]}) == 2 * len(names)


@pytest.mark.parametrize("key", of_kind("year split"))
def test_scopes_and_how_they_changed(key: str, rows: dict[str, list[list[str]]], city: Stored) -> None:
    _, _, *names, kind = key.split()
    assert {row[0]: row[1:] for row in rows[key]} == Year(city).by_scope(names, kind)
    assert len({row[0] for row in rows[key]}) == len(rows[key]) > 1


@pytest.mark.parametrize("key", of_kind("year top"))
def test_the_largest_with_their_shares(key: str, rows: dict[str, list[list[str]]], city: Stored) -> None:
    _, _, name, kind = key.split()
    assert rows[key] == Year(city).top(name, kind)


@pytest.mark.parametrize("key", of_kind("year within"))
def test_scopes_within_scopes(key: str, rows: dict[str, list[list[str]]], city: Stored) -> None:
    """All of them with their changes, or of each the largest."""
    _, _, name, outer, inner = key.split()
    every = list(Year(city).within(name, outer, inner))
    if outer == "audience":
        assert rows[key] == every
    else:
        firsts = [[row for row in every if row[0] == scope][:TOP] for scope in dict.fromkeys(row[0] for row in every)]
        assert rows[key] == [[*row[:3], row[-1]] for some in firsts for row in some]
    assert len({row[0] for row in every}) > 1
    assert len(every) > len({row[0] for row in every})
