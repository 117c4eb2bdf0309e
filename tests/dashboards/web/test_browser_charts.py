"""Values of charts, read out of what Chromium paints, against what `hotline kpi` says of the same time and scope."""

from __future__ import annotations

import itertools
import re
from contextlib import contextmanager
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import TYPE_CHECKING
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Browser, Page, expect

from dashboards.boards import BOARDS
from dashboards.boards.annual import ANNUAL
from dashboards.boards.pipeline import PIPELINE
from dashboards.entries import Edition
from dashboards.web.shown import fields
from dashboards.words import NO_VALUE, Lang
from hotline.buckets import By
from hotline.catalogue import ALL, Grain
from hotline.catalogue import kpi as find
from hotline.periods import Period
from tests.dashboards.conftest import BORN_AT, ZONE
from tests.dashboards.web.browsing import CHOSEN, charts_drawn, opened
from tests.dashboards.web.drawn import WATCHED, Box, Scene, scene
from tests.dashboards.web.said import Said
from tests.dashboards.web.sites import AT, LOCAL, WEB, Site, written

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from dashboards.board import Board
    from dashboards.entries import Entry
    from tests.hotline.stored_rows import Stored

MIDNIGHT = BORN_AT.astimezone(LOCAL).replace(hour=0)
HALF_A_DAY = Period(MIDNIGHT - timedelta(hours=1), MIDNIGHT + timedelta(hours=11))
"""By the minute: an hour of which nobody knows anything, hours in which nothing happened, and some that have values."""
FIVE_DAYS = Period(MIDNIGHT - timedelta(days=2), MIDNIGHT + timedelta(days=3))
"""Only the one in the middle has data; the last hours are to come."""
AND_THE_DAY_BEFORE = Period(FIVE_DAYS.start - timedelta(days=1), FIVE_DAYS.end)
"""What a heat map has, which would be nothing in Grafana for a single day."""
A_WEEK = timedelta(days=7)
TRENDS = {
    board: [entry for row in board.rows for entry in row.entries if entry.key.startswith("trend")] for board in BOARDS
}
GREY = "#8E8E8E"
"""A line of a week before, which is dashed."""
THIN, DASH = 1.5, 6.0
"""So far from its value a line has paint, in dots."""
EVERYTHING: dict[str, str] = {}
A_PART = CHOSEN | {"department": "a"}
OPENINGS = [pytest.param(board, Lang.EN, EVERYTHING, 0, id=board.name) for board in BOARDS if TRENDS[board]]
OPENINGS += [
    pytest.param(board, Lang.ZH, A_PART, 0, id=f"{board.name} chosen")
    for board in BOARDS
    if TRENDS[board] and board.variables
]
OPENINGS += [
    pytest.param(board, Lang.EN, EVERYTHING, 1, id=f"{board.name} a week later")
    for board in BOARDS
    if board.name in {"wall", "tickets"}
]


@pytest.mark.parametrize(("board", "lang", "chosen", "weeks"), OPENINGS)
def test_every_value_of_a_line_stands_where_hotline_kpi_says_and_a_gap_is_a_gap(
    board: Board, lang: Lang, chosen: dict[str, str], weeks: int, browser: Browser, standing: Site, city: Stored
) -> None:
    """By the minute or the hour, and under the pointer; what no line can show has a point, and a gap has no paint.

    A week later the line of a week before has values, and the one of now, which nobody knows yet, has none.
    """
    period = Period(HALF_A_DAY.start + weeks * A_WEEK, HALF_A_DAY.end + weeks * A_WEEK)
    known = {variable.name: chosen[variable.name] for variable in board.variables if variable.name in chosen}
    said = Said(city, "7d", AT, lang, known)
    seen = []
    with drawn(browser, standing, Edition(lang, ZONE).uid(board.name), period, known) as page:
        for entry in TRENDS[board]:
            wanted = lines(entry, period, said)
            if not wanted:
                assert is_empty(page, entry)
                continue
            found = scene(page, entry.id)
            assert found.at(0) == period.start
            shown = found.series()
            assert set(shown) == set(wanted), entry.key
            for title, values in wanted.items():
                assert shown[title] == pytest.approx(values, abs=1e-6), (entry.key, title)
            found.check_clock()
            check_told(found, wanted, told_names(entry, lang), lang)
            check_paint(page, found)
            seen += [value for values in wanted.values() for value in values.values()]
    assert None in seen
    assert any(seen)


@contextmanager
def drawn(
    browser: Browser, standing: Site, uid: str, period: Period, chosen: Mapping[str, str] = MappingProxyType({})
) -> Iterator[Page]:
    """A page with all its charts, over a period."""
    span = {"from": period.start_s * 1000, "to": period.end_s * 1000}
    query = urlencode(span | {f"var-{kind}": name for kind, name in chosen.items()})
    with opened(browser, f"{standing.url}/d/{uid}?{query}", watched=WATCHED) as page:
        charts_drawn(page, uid)
        expect(page.locator(".waiting")).to_have_count(0)
        yield page


def lines(entry: Entry, period: Period, said: Said) -> dict[str, dict[datetime, float | None]]:
    """What `hotline kpi` says of each line of a trend up to now, the line of a week before at the times of today."""
    _, *names, kind = entry.key.split()
    by = By.HOUR if any(find(name).grain(kind) is Grain.HOUR for name in names) else By.MINUTE
    now = datetime.now(LOCAL)
    found = {}
    for name, ago in itertools.product(titles(entry, said.lang), (A_WEEK * 0, A_WEEK)):
        if name.endswith("_before") == bool(ago):
            asked = Period(period.start - ago, period.end - ago)
            values = said.line(name.removesuffix("_before"), kind, asked, by)
            found[titles(entry, said.lang)[name]] = {at + ago: value for at, value in values.items() if at <= now}
    return {title: values for title, values in found.items() if values}


def is_empty(page: Page, entry: Entry) -> bool:
    """Whether a chart shows that there is nothing to show."""
    return page.locator(f"#p{entry.id} .nothing").inner_text() == NO_VALUE


def titles(entry: Entry, lang: Lang) -> dict[str, str]:
    """What a panel calls its columns."""
    (panel,) = (one for board in WEB.values() if board.lang is lang for one in board.panels if one["id"] == entry.id)
    names = [each["matcher"]["options"] for each in panel["fieldConfig"]["overrides"]]
    return {of.name: of.title for of in fields(panel, names)}


def told_names(entry: Entry, lang: Lang) -> dict[str, str]:
    """The KPI of each line, by its title."""
    return {title: name.removesuffix("_before") for name, title in titles(entry, lang).items()}


def check_told(
    found: Scene, wanted: Mapping[str, Mapping[datetime, float | None]], names: Mapping[str, str], lang: Lang
) -> None:
    """Under the pointer each value says its time, its line and its text; `names` are the KPIs of the lines."""
    told = [
        {"time": f"{at:%Y-%m-%d %H:%M}", "s": title, "text": written(names[title], value, lang)}
        for title, values in wanted.items()
        for at, value in values.items()
        if value is not None
    ]
    assert [point["tooltip"] for point in found.points] == told


def check_paint(page: Page, found: Scene) -> None:
    """What has a value has paint, in the colour of its line or of one above it; where a line has none is none."""
    inks = [*found.lines]
    for place, ink in enumerate(inks):
        boxes = found.values(ink, DASH if ink == GREY else THIN)
        seen = zip(*(found.painted(page, each, boxes) for each in inks[place:]), strict=True)
        assert all(any(one) for one in seen), found.legend[ink]
        if ink != GREY or not found.targets:  # which is grey as well
            assert not any(found.painted(page, ink, found.gaps(ink))), found.legend[ink]


HOURS = 24
HEATS = {
    board: [entry for row in board.rows for entry in row.entries if entry.key.startswith("heat")] for board in BOARDS
}


@pytest.mark.parametrize("board", [pytest.param(board, id=board.name) for board in BOARDS if HEATS[board]])
def test_every_hour_of_a_heat_map_is_the_one_of_hotline_kpi_and_a_gap_is_a_gap(
    board: Board, browser: Browser, standing: Site, city: Stored
) -> None:
    """Days of which nobody knows anything, and hours that are to come, keep their places, and nothing stands there."""
    said = Said(city, "7d", AT, Lang.EN, EVERYTHING)
    with drawn(browser, standing, Edition(Lang.EN, ZONE).uid(board.name), FIVE_DAYS) as page:
        for entry in HEATS[board]:
            _, name, kind = entry.key.split()
            found, wanted = scene(page, entry.id), said.line(name, kind, AND_THE_DAY_BEFORE, By.HOUR)
            days = {text: x for text, x, _ in found.across}
            assert [*days] == sorted({f"{at:%Y-%m-%d}" for at in wanted if at <= datetime.now(LOCAL)})
            inks: dict[float | None, str] = {}
            for cell, box in zip(found.rects, found.boxes(), strict=True):
                (day,) = (day for day, x in days.items() if box.since < x < box.until)
                hour = round(found.value((box.above + box.below) / 2))
                value = wanted.pop(datetime.fromisoformat(f"{day}T{hour:02}:00").replace(tzinfo=LOCAL))
                assert cell["tooltip"] == {"day": day, "hour": f"{hour:02}", "text": written(name, value, Lang.EN)}
                inks[value] = inks.get(value, cell["ink"])
                assert inks[value] == cell["ink"]
            check_inks(page, found, inks)
            assert not [at for at in wanted if at <= datetime.now(LOCAL)]


def check_inks(page: Page, found: Scene, inks: dict[float | None, str]) -> None:
    """More is darker; where nothing is known nothing is painted."""
    assert inks.pop(None) == "transparent"
    of_values = sorted((value, ink) for value, ink in inks.items() if value is not None)
    light = [sum(map(int, re.findall(r"\d+", ink))) for _, ink in of_values]
    assert light == sorted(set(light), reverse=True)
    assert len(light) > 2
    boxes = dict(zip(found.boxes(), (cell["ink"] for cell in found.rects), strict=True))
    assert found.painted(page, "", [*boxes]) == [ink != "transparent" for ink in boxes.values()]
    for _, ink in of_values:
        assert all(found.painted(page, ink, [box for box, of in boxes.items() if of == ink]))


YEAR_LINES = [entry for row in ANNUAL.rows for entry in row.entries if entry.key.startswith("year line")]
A_YEAR = Period(MIDNIGHT.replace(month=1, day=1), datetime.fromtimestamp(AT, LOCAL))


def test_every_month_of_the_year_is_the_one_of_hotline_kpi_and_a_gap_is_a_gap(
    browser: Browser, standing: Site, city: Stored
) -> None:
    """Bars and points of this year and of the one before, side by side."""
    said = Said(city, "7d", AT, Lang.EN, EVERYTHING)
    bars = 0
    with drawn(browser, standing, "hotline-annual", A_YEAR) as page:
        for entry in YEAR_LINES:
            wanted = months(entry, said)
            known = {
                (title, at): value for title, of in wanted.items() for at, value in of.items() if value is not None
            }
            if not known:
                assert is_empty(page, entry)
                continue
            found = scene(page, entry.id)
            found.check_clock()
            check_told(found, wanted, told_names(entry, Lang.EN), Lang.EN)
            if found.lines:
                assert found.series() == {title: pytest.approx(of, abs=1e-6) for title, of in wanted.items()}
                check_paint(page, found)
                continue
            shown = [(found.legend[bar["ink"]], found.at((bar["left"] + bar["right"]) / 2)) for bar in found.rects]
            heights = [found.value(bar["top"]) for bar in found.rects]
            assert dict(zip(((title, month(at)) for title, at in shown), heights, strict=True)) == pytest.approx(known)
            assert {found.value(bar["bottom"]) for bar in found.rects} == {0}
            assert len(shown) == len(known)
            for bar, box in zip(found.rects, found.boxes(), strict=True):
                assert found.painted(page, bar["ink"], [box]) == [box.above < box.below]
            bars += len(shown)
    assert bars > 2


def months(entry: Entry, said: Said) -> dict[str, dict[datetime, float | None]]:
    """What `hotline kpi` says of the months of a year, and of those a year before, at the times of this one."""
    own, before = titles(entry, said.lang).values()
    name = entry.key.split()[2]
    ends = (A_YEAR.start, A_YEAR.end)
    ago = Period(*(at.replace(year=at.year - 1, day=28 if (at.month, at.day) == (2, 29) else at.day) for at in ends))
    of_then = said.line(name, ALL, ago, By.MONTH)
    return {
        own: said.line(name, ALL, A_YEAR, By.MONTH),
        before: {at.replace(year=at.year + 1): value for at, value in of_then.items()},
    }


def month(at: datetime) -> datetime:
    return at.replace(day=1, hour=0, minute=0, second=0)


def test_days_with_data_are_those_of_which_hotline_kpi_knows_anything(
    browser: Browser, standing: Site, city: Stored
) -> None:
    """Day by day over more than a year, most of which has none."""
    said = Said(city, "7d", AT, Lang.EN, EVERYTHING)
    period = Period(month(A_YEAR.end.replace(year=A_YEAR.end.year - 1)), MIDNIGHT + timedelta(days=1))
    (entry,) = (entry for row in PIPELINE.rows for entry in row.entries if entry.key == "covered days")
    with drawn(browser, standing, "hotline-pipeline", period) as page:
        found = scene(page, entry.id)
        found.check_clock()
        shown: dict[str, list[datetime]] = {}
        for bar, box in zip(found.rects, found.boxes(), strict=True):
            (title,) = (text for text, y in found.upward if box.above < y < box.below)
            first, end = found.at(bar["left"]), found.at(bar["right"])
            shown.setdefault(title, []).extend(first + timedelta(days=n) for n in range((end - first).days))
            assert found.painted(page, bar["ink"], [Box(bar["left"], bar["right"], box.above, box.below)]) == [True]
    for title, name in (("Calls", "calls_offered"), ("Tickets", "tickets_created")):
        known = [at for at, value in said.line(name, ALL, period, By.DAY).items() if value is not None]
        assert shown[title] == known
        assert known
