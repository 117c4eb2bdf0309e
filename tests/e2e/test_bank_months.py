"""Two real months of calls through the whole product, and a stranger's figures of the same calls."""

from __future__ import annotations

import math
from collections import defaultdict
from datetime import datetime
from typing import TYPE_CHECKING, Any

import pytest

from tests.e2e import bank
from tests.producers.test_bank1999 import ISRAEL, expected, read_again

if TYPE_CHECKING:
    from tests.e2e.stacks import Hotline

SHARES = {
    "answered_30s_share": ("answered_le30s", "answered"),
    "average_wait_s": ("sum_wait_answered_s", "answered"),
    "average_talk_s": ("sum_talk_s", "answered"),
    "long_talk_share": ("talk_gt600", "answered"),
}
COUNTS = {"calls_offered": "offered", "calls_answered": "answered", "calls_abandoned": "abandoned"}
QUANTILES = {
    "wait_p50_s": ("p50_wait_answered_s", "answered"),
    "wait_p90_s": ("p90_wait_answered_s", "answered"),
    "wait_p95_s": ("p95_wait_answered_s", "answered"),
    "talk_p90_s": ("p90_talk_s", "answered"),
}
NAMES = [*SHARES, *COUNTS, *QUANTILES, "service_level_30s", "service_level_30s_net", "answer_rate", "abandonment_rate"]
VALUES = {  # as the other engine states and rounds them
    "answered_30s_share": "answered_le30s_of_answered",
    "service_level_30s": "answered_le30s_of_offered",  # in this bank whoever is offered is answered or abandons
    "average_wait_s": "mean_wait_answered_s",
    "average_talk_s": "mean_talk_s",
    "long_talk_share": "talk_gt600_share",
    "answer_rate": "answered_share",
}
NUMBER = {"january": "01", "february": "02"}


@pytest.fixture(name="hotline")
def _hotline(calm: Hotline) -> Hotline:
    return calm


def wanted(truth: dict[str, Any]) -> dict[str, tuple[Any, Any]]:
    """KPI → numerator and denominator, by the figures of the other engine."""
    outcomes = truth["answered"] + truth["abandoned"]
    return {
        **{name: (truth[count], None) for name, count in COUNTS.items()},
        **{name: (truth[top] or 0, truth[bottom]) for name, (top, bottom) in SHARES.items()},
        **{name: (None, truth[bottom]) for name, (_, bottom) in QUANTILES.items()},
        "service_level_30s": (truth["answered_le30s"], outcomes),
        "service_level_30s_net": (truth["answered_le30s"], outcomes - truth["abandoned_le5s"]),
        "answer_rate": (truth["answered"], outcomes),
        "abandonment_rate": (truth["abandoned"], outcomes),
    }


def check(found: list[dict[str, Any]], truth: dict[str, Any]) -> None:
    """Compare numerators, denominators and values; a split lists only where there is anything to count."""
    ours = {result["kpi"]: (result["numerator"], result["denominator"]) for result in found}
    split = found[0]["scope"] is not None
    assert ours == {name: pair for name, pair in wanted(truth).items() if not split or any(pair)}
    for result in found:
        name, value = result["kpi"], result["value"]
        if name in COUNTS:
            assert value == result["numerator"]
        elif name in QUANTILES:
            assert value == truth[QUANTILES[name][0]]
        elif not result["denominator"]:
            assert value is None
        else:
            assert math.isclose(value, result["numerator"] / result["denominator"], rel_tol=1e-12)
        if name in VALUES and result["denominator"]:
            assert round(value, 6) == pytest.approx(truth[VALUES[name]], abs=1.01e-6)


@pytest.mark.parametrize("month", bank.MONTHS)
def test_a_month_equals_the_figures_of_another_engine(hotline: Hotline, month: str) -> None:
    (truth,) = [row for row in expected()["by_month"] if row["month"] == month]
    found = hotline.figures(*NAMES, period=f"1999-{NUMBER[month]}")
    assert [result["kpi"] for result in found] == NAMES
    begin = f"1999-{NUMBER[month]}-01T00:00:00+02:00"
    assert {(result["from"], result["scope"]) for result in found} == {(begin, None)}
    check(found, truth)


@pytest.mark.parametrize("month", bank.MONTHS)
def test_every_queue_equals_the_figures_of_another_engine(hotline: Hotline, month: str) -> None:
    truths = {row["type"]: row for row in expected()["by_month_type"] if row["month"] == month}
    by_line: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for result in hotline.figures(*NAMES, period=f"1999-{NUMBER[month]}", more=("--split", "line")):
        assert result["scope"]["kind"] == "line"
        by_line[result["scope"]["value"]].append(result)
    assert len(truths) >= 6
    assert by_line.keys() == truths.keys()
    for line, truth in truths.items():
        check(by_line[line], truth)


@pytest.mark.parametrize("month", bank.MONTHS)
def test_one_queue_asked_for_alone_is_the_same(hotline: Hotline, month: str) -> None:
    (truth,) = [row for row in expected()["by_month_type"] if row["month"] == month and row["type"] == "PS"]
    found = hotline.figures(*NAMES, period=f"1999-{NUMBER[month]}", more=("--scope", "line=PS"))
    assert {(result["scope"]["kind"], result["scope"]["value"]) for result in found} == {("line", "PS")}
    check(found, truth)


def test_offered_calls_of_every_day_equal_the_figures_of_another_engine(hotline: Hotline) -> None:
    found = hotline.figures("calls_offered", period=bank.months(), more=("--by", "day"))
    theirs = {row["day"]: row["offered"] for row in expected()["by_day"]}
    ours = {result["from"][:10]: result["value"] for result in found}
    assert len(ours) == 59
    assert {day: count for day, count in ours.items() if count} == theirs


VOLUMES = ("calls_offered", "calls_answered", "calls_abandoned")


def test_every_volume_of_every_day_equals_a_second_reading_of_the_lines(hotline: Hotline) -> None:
    truth = second_reading()
    names = (*VOLUMES, "average_wait_s", "average_talk_s", "long_talk_share")
    found = hotline.figures(*names, period=bank.months(), more=("--by", "day"))
    assert len(found) == 59 * len(names)
    for result in found:
        day = truth[result["from"][:10]]
        pair = {
            "calls_offered": (day["call.offered"], None),
            "calls_answered": (day["call.answered"], None),
            "calls_abandoned": (day["call.abandoned"], None),
            "average_wait_s": (day["wait_s"], day["call.answered"]),
            "average_talk_s": (day["talk_s"], day["call.ended"]),
            "long_talk_share": (day["long"], day["call.ended"]),
        }[result["kpi"]]
        assert (result["numerator"], result["denominator"]) == pair, result
    assert sum(day["past midnight"] for day in truth.values()) == 9  # seven answered, two abandoned


def second_reading() -> dict[str, dict[str, int]]:
    """Day of the hotline → what happened on it, each at its own instant."""
    days: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for month in bank.MONTHS:
        for line in bank.lines(month)[1:]:
            for kind, _, born, at, _, wait, talk, _, _ in read_again(line.decode().rstrip("\r\n")):
                day = days[_day(at)]
                day[kind] += 1
                if kind == "call.answered":
                    day["wait_s"] += wait or 0
                day["talk_s"] += talk or 0
                day["long"] += (talk or 0) > 600
                day["past midnight"] += kind in {"call.answered", "call.abandoned"} and _day(at) > _day(born)
    return days


def _day(instant: datetime) -> str:
    return str(instant.astimezone(ISRAEL).date())


def test_a_figure_is_explained_by_as_many_rows_as_it_counts(hotline: Hotline) -> None:
    (truth,) = [row for row in expected()["by_day"] if row["day"] == "1999-01-07"]
    done = hotline.do("explain", "calls_offered", "--period", "1999-01-07", "--rows", "10000", "--json")
    assert done.code == 0, done.said
    assert done.json["numerator"] == done.json["rows_total"] == len(done.json["rows"]) == truth["offered"]
    assert len({row["entity"] for row in done.json["rows"]}) == truth["offered"]


def test_sums_rows_and_events_agree_to_the_last_unit(hotline: Hotline) -> None:
    report = hotline.reconciled(bank.months())
    assert report["events"] == sum(bank.EVENTS.values())
    assert report["rows"] == 64_943 - 518
