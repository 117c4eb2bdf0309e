"""Values are shown by what their KPI declares: unit, decimals, tone, and a sign beside each tone."""

from __future__ import annotations

import json
import math
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import altair as alt
import pytest
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from hypothesis import given
from hypothesis import strategies as st

from dashboards import look
from dashboards.ages import age
from dashboards.boards import BOARDS
from dashboards.entries import Edition
from dashboards.finished import column
from dashboards.plain import TILES_MAX
from dashboards.web import axes, charts, marks
from dashboards.web.boards import MarkKind
from dashboards.web.colours import MEANING
from dashboards.web.drawable import undrawable
from dashboards.web.drawing import bars, stat, table
from dashboards.web.lines import POINTS_FEW_MAX, lines_rows
from dashboards.web.shown import SAID, SIGNS, Field, Tone, Writer, fields, tone_of
from dashboards.web.store import Answer
from dashboards.words import NO_VALUE, Lang
from hotline.catalogue import KPIS, Better, Kpi

if TYPE_CHECKING:
    from collections.abc import Sequence

EN, ZH = (Writer(lang, ZoneInfo("Asia/Shanghai")) for lang in (Lang.EN, Lang.ZH))
TARGETED = [kpi for kpi in KPIS.values() if kpi.target is not None]


def field_of(kpi: Kpi) -> Field:
    """As a panel of that KPI has it."""
    steps = [{"value": step.value, "color": step.color} for step in look.steps(kpi)]
    defaults = {"unit": look.unit(kpi.unit, Lang.EN), "decimals": 1, "thresholds": {"steps": steps}}
    (found,) = fields({"fieldConfig": {"defaults": defaults, "overrides": []}}, [kpi.name])
    return found


@pytest.mark.parametrize("kpi", TARGETED, ids=lambda kpi: kpi.name)
def test_the_target_itself_is_good_and_the_next_number_is_not(kpi: Kpi) -> None:
    assert kpi.target is not None
    worse = math.nextafter(kpi.target, -math.inf if kpi.better is Better.HIGHER else math.inf)
    better = math.nextafter(kpi.target, math.inf if kpi.better is Better.HIGHER else -math.inf)
    found = field_of(kpi)
    assert [found.tone(value) for value in (worse, kpi.target, better)] == [Tone.BAD, Tone.GOOD, Tone.GOOD]


@pytest.mark.parametrize("kpi", KPIS.values(), ids=lambda kpi: kpi.name)
def test_no_value_is_a_dash_in_grey_and_0_is_none_of_both(kpi: Kpi) -> None:
    found = field_of(kpi)
    assert (EN.text(None, found), found.tone(None)) == (NO_VALUE, Tone.NONE)
    assert EN.text(0, found) != NO_VALUE
    assert found.tone(0) is not Tone.NONE


def test_no_tone_that_judges_stands_without_a_sign_and_words() -> None:
    assert set(SIGNS) == set(SAID) == set(Tone) - {Tone.NONE, Tone.PLAIN}
    assert len(set(SIGNS.values())) == len(SIGNS)


def test_every_colour_of_the_boards_has_a_meaning() -> None:
    assert [tone_of(c) for c in (look.NO_DATA, look.PLAIN, look.GOOD, look.WARN, look.BAD)] == list(Tone)


@pytest.mark.parametrize(
    ("value", "unit", "decimals", "en", "zh"),
    [
        (0.93251, "percentunit", 1, "93.3 %", "93.3 %"),
        (1234567, "locale", 0, "1,234,567", "1,234,567"),
        (12.34, "suffix:s", 1, "12.3 s", "12.3 s"),
        (1.5, "suffix:个工作日", 1, "1.5 个工作日", "1.5 个工作日"),
        (0, "dtdhms", 0, "0 s", "0 秒"),
        (61, "dtdhms", 0, "1 min 1 s", "1 分钟 1 秒"),
        (90_061, "dtdhms", 0, "1 d 1 h", "1 天 1 小时"),
        (3600, "dtdhms", 0, "1 h", "1 小时"),
    ],
)
def test_numbers_are_written_by_their_unit(value: float, unit: str, decimals: int, en: str, zh: str) -> None:
    of = Field(unit=unit, decimals=decimals)
    assert (EN.number(value, of), ZH.number(value, of)) == (en, zh)


def test_instants_are_of_the_hotlines_zone() -> None:
    assert EN.text(1_700_000_000, Field(), "DateTime('Asia/Shanghai')") == "2023-11-15 06:13:20"
    assert EN.text("2023-11-15", Field(), "Date") == "2023-11-15"


@pytest.mark.parametrize(
    ("pattern", "text"),
    [("YYYY-MM", "2023-11"), ("YYYY [Q]Q", "2023 Q4"), ("YYYY年Q季度", "2023年4季度"), ("YYYY", "2023")],
)
def test_months_quarters_and_years_are_written_as_their_pattern_says(pattern: str, text: str) -> None:
    assert EN.text(1_700_000_000, Field(unit=f"time:{pattern}"), "DateTime") == text


def test_a_text_with_a_title_is_shown_by_it_and_others_as_they_are() -> None:
    panel = {
        "fieldConfig": {
            "defaults": {"mappings": [{"type": "value", "options": {"consult": {"text": "咨询", "index": 0}}}]},
            "overrides": [],
        }
    }
    (of,) = fields(panel, ["name"])
    assert [EN.text(value, of) for value in ("consult", "咨询", "x", None)] == ["咨询", "咨询", "x", "—"]


def test_a_hidden_column_of_a_table_is_not_shown_and_links_of_others_read_it() -> None:
    link = {"title": "Why", "url": "/numbers/x?from=${__data.fields.from_ms:percentencode}", "targetBlank": False}
    overrides = [column("from_ms", "from_ms", unit="string", hidden=True), column("calls", "Calls", links=[link])]
    panel = {"fieldConfig": {"defaults": {}, "overrides": json.loads(json.dumps(overrides, cls=JSONEncoder))}}
    assert list(undrawable({"type": "table", **panel})) == []
    found = table(panel, Answer({"from_ms": "String", "calls": "Int64"}, [["1680000000000", 7], ["12345", None]]), EN)
    assert found["columns"] == [{"title": "Calls", "kind": "number"}]
    assert [[(cell["text"], cell["href"]) for cell in row] for row in found["rows"]] == [
        [("7", "/numbers/x?from=1680000000000")],
        [("—", "/numbers/x?from=12345")],
    ]


@pytest.mark.parametrize(("kind", "draw", "limit"), [("stat", stat, TILES_MAX), ("bargauge", bars, 10)])
def test_of_many_scopes_as_many_are_drawn_as_grafana_would(kind: str, draw: Any, limit: int) -> None:
    """Not more, and for tiles not the 25 that Grafana draws when it is told no number."""
    calls = next(board for board in BOARDS if board.name == "calls").json(Edition(Lang.EN, "Asia/Shanghai"))
    panels = [panel for panel in calls["panels"] if panel["type"] == kind]
    panel = next(each for each in panels if each["options"]["reduceOptions"]["values"])
    assert panel["options"]["reduceOptions"]["limit"] == limit
    rows = [[f"{place:03}", place] for place in range(limit + 1)]
    (drawn,) = [
        value
        for value in draw(panel, Answer({"name": "String", "n": "Int64"}, rows), EN).values()
        if type(value) is list
    ]
    assert [each["name"] for each in drawn] == [name for name, _ in rows[:limit]]


@given(st.integers(0, 10**9))
def test_an_age_says_its_two_largest_units(seconds: int) -> None:
    words = age(seconds, Lang.EN).split()
    size = {"d": 86_400, "h": 3600, "min": 60, "s": 1}
    told = sum(int(count) * size[unit] for count, unit in zip(words[::2], words[1::2], strict=True))
    assert told <= seconds < told + max(1, size[words[-1]])


def test_the_web_draws_every_panel_of_every_board() -> None:
    for lang in Lang:
        for board in BOARDS:
            for panel in board.json(Edition(lang, "Asia/Shanghai"))["panels"]:
                assert list(undrawable(panel)) == []


@pytest.mark.parametrize(
    ("panel", "said"),
    [
        ({"type": "piechart"}, "kind 'piechart'"),
        ({"type": "stat", "options": {"graphMode": "area"}}, "graphMode = 'area'"),
        ({"type": "stat", "options": {"sparkle": 1}}, "option sparkle"),
        (
            {"type": "table", "fieldConfig": {"defaults": {"mappings": [{"type": "range", "options": {}}]}}},
            "mapping type = 'range'",
        ),
        (
            {
                "type": "table",
                "fieldConfig": {"defaults": {"mappings": [{"type": "value", "options": {"a": {"color": "red"}}}]}},
            },
            "mapping option color",
        ),
        ({"type": "table", "fieldConfig": {"defaults": {"unit": "bytes"}}}, "unit 'bytes'"),
        (
            {
                "type": "table",
                "fieldConfig": {
                    "overrides": [{"matcher": {"id": "byRegexp", "options": ""}, "properties": []}],
                },
            },
            "override by 'byRegexp'",
        ),
        (
            {
                "type": "timeseries",
                "fieldConfig": {
                    "overrides": [
                        {"matcher": {"id": "byName"}, "properties": [{"id": "custom.drawStyle", "value": "points"}]}
                    ]
                },
            },
            "custom.drawStyle = 'points'",
        ),
    ],
)
def test_what_the_web_cannot_draw_is_told(panel: dict[str, object], said: str) -> None:
    assert [breach for breach in undrawable(panel) if said in breach]


def test_every_chart_is_sound_vega_lite() -> None:
    """By Vega-Lite's own schema, which altair holds."""
    drawn = 0
    for board in BOARDS:
        for panel in board.json(Edition(Lang.EN, "Asia/Shanghai"))["panels"]:
            if panel["type"] in charts.SPECS:
                spec = charts.SPECS[panel["type"]](panel)
                (alt.LayerChart if "layer" in spec else alt.Chart).from_dict(spec)
                drawn += 1
    assert drawn > 20


@given(st.integers(0, 4_000_000_000), st.sampled_from(["Asia/Shanghai", "Europe/Berlin", "Australia/Lord_Howe"]))
def test_a_chart_shows_the_hotlines_clock(at_s: int, zone: str) -> None:
    """What UTC shows at that instant is what the clock there shows."""
    local = datetime.fromtimestamp(at_s, ZoneInfo(zone)).replace(tzinfo=UTC)
    assert datetime.fromtimestamp(axes.local_ms(at_s, ZoneInfo(zone)) / 1000, UTC) == local.replace(fold=0)


def rows_of(values: Sequence[float | None], **custom: str) -> list[dict[str, Any]]:
    """The rows of a trend of one column, an hour apart."""
    answer = Answer({"time": "DateTime", "n": "Int64"}, [[3600 * hour, value] for hour, value in enumerate(values)])
    panel = {"interval": "1h", "fieldConfig": {"defaults": {"custom": custom}, "overrides": []}}
    rows: list[dict[str, Any]] = lines_rows(panel, [answer], EN)["rows"]
    return rows


def points(values: Sequence[float | None], **custom: str) -> list[int]:
    """The places of the values that are seen as points."""
    return [place for place, row in enumerate(rows_of(values, **custom)) if row.get("point")]


@given(st.lists(st.one_of(st.none(), st.floats(0, 9)), max_size=3 * POINTS_FEW_MAX))
def test_points_are_seen_as_the_panel_asks(values: list[float | None]) -> None:
    """`always`: all; `auto`: all while they are few, else each that no line touches; of bars none, unless `always`."""
    there = [place for place, value in enumerate(values) if value is not None]
    alone = [place for place in there if not {place - 1, place + 1} & set(there)]
    assert points(values, showPoints="always") == points(values, showPoints="always", drawStyle="bars") == there
    assert points(values, showPoints="auto") == points(values) == (there if len(there) <= POINTS_FEW_MAX else alone)
    assert points(values, showPoints="auto", drawStyle="bars") == []


def test_a_day_by_the_minute_is_a_line_and_a_minute_between_gaps_a_point() -> None:
    day: list[float | None] = [1.0] * 1440
    day[700], day[702] = None, None
    assert points(day, showPoints="auto") == [701]


def test_bars_stand_side_by_side_within_their_hour() -> None:
    answer = Answer({"time": "DateTime", "a": "Int64", "b": "Int64"}, [[0, 1, 2], [3600, 3, None], [36_000, 5, 6]])
    panel = {"interval": "1h", "fieldConfig": {"defaults": {"custom": {"drawStyle": "bars"}}, "overrides": []}}
    rows = lines_rows(panel, [answer], EN)["rows"]
    a, b = ([row for row in rows if row["s"] == name] for name in "ab")
    for left, right in zip(a, b, strict=True):
        start = left["time"]
        assert start < left["since"] < left["middle"] < left["until"] == right["since"] < right["until"]
        assert right["until"] < start + axes.HOUR_MS
    (alone,) = rows_of([1], drawStyle="bars")
    assert 0 < alone["until"] - alone["since"] < axes.HOUR_MS


def test_marks_say_their_kind_and_stand_in_their_order_with_a_colour_each() -> None:
    kinds = [MarkKind("Incidents", Tone.BAD, ""), MarkKind("Holidays", Tone.PLAIN, "")]
    answers = [Answer({"time": "DateTime", "text": "String"}, rows) for rows in ([[7200, "b"]], [[3600, "<i>"]])]
    since_s = 5400
    made = marks.marks(zip(kinds, answers, strict=True), since_s, EN)
    assert [(one["at"], one["kind"], one["tone"], one["text"]) for one in made] == [
        ("1970-01-01 09:00:00", "Holidays", "plain", "<i>"),
        ("1970-01-01 10:00:00", "Incidents", "bad", "b"),
    ]
    assert [one["place"] for one in made] == [axes.local_ms(at, EN.zone) for at in (since_s, 7200)]
    scale = marks.layer()["encoding"]["color"]["scale"]
    assert dict(zip(scale["domain"], scale["range"], strict=True)) == MEANING
    assert len(set(scale["range"])) == len(Tone)


def test_every_trend_has_marks_in_it() -> None:
    """Bars as well as lines."""
    for board in BOARDS:
        for panel in board.json(Edition(Lang.EN, "Asia/Shanghai"))["panels"]:
            if panel["type"] == "timeseries":
                assert marks.layer() in charts.SPECS["timeseries"](panel)["layer"], panel["title"]
