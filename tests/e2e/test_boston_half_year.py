"""Half a year of a city's real service requests through the whole product, and a stranger's figures of the same."""

from __future__ import annotations

import json
from functools import cache
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

from tests.e2e.stacks import DATA, Hotline

if TYPE_CHECKING:
    from collections.abc import Callable

FILE = DATA / "boston311" / "2015_h1.parquet"
ALL_TIME = "2015-01-01..2021-01-01"
"""Requests of the half-year were closed until 2016, and fell due until 2019."""
NAMES = (
    "tickets_created",
    "tickets_dispatched",
    "tickets_handled",
    "tickets_closed",
    "timely_handling_rate",
    "timely_share_of_handled",
    "not_late_share_of_handled",
    "completion_rate",
)


@pytest.fixture(scope="module")
def hotline(new_hotline: Callable[..., Hotline]) -> Hotline:
    made = new_hotline(HOTLINE_ZONE="America/New_York")
    made.running()
    account = made.load("boston311", str(FILE))
    assert account["counted"] == account["read"] > 58_119 * 2
    assert account["lines"] == {"read": 58_119, "broken": 0, "skipped": {}}
    return made


@cache
def expected() -> dict[str, Any]:
    return dict(json.loads((DATA / "boston311" / "expected.json").read_text()))


@cache
def cases() -> pl.DataFrame:
    """Read the file a second time: what each case took in seconds, on a clock that knows summer time."""
    local = [
        pl.col(name).cast(pl.Datetime("us")).dt.replace_time_zone("America/New_York", ambiguous="earliest").alias(name)
        for name in ("open_dt", "closed_dt", "target_dt")
    ]
    frame = pl.read_parquet(FILE).with_columns(local)
    # 84 were closed before they were opened: less than no time, as the file says it.
    took = (pl.col("closed_dt") - pl.col("open_dt")).dt.total_seconds()
    return frame.with_columns(took_s=took)


def wanted(truth: dict[str, Any], in_time_with_target: int, closed_with_target: int) -> dict[str, tuple[int, Any]]:
    closed = truth["closed"]
    return {
        "tickets_created": (truth["created"], None),
        "tickets_dispatched": (truth["created"], None),
        "tickets_handled": (closed, None),
        "tickets_closed": (closed, None),
        "timely_handling_rate": (truth["timely_with_target"], truth["with_target"]),
        "timely_share_of_handled": (in_time_with_target, closed_with_target),
        "not_late_share_of_handled": (truth["official_ontime_closed"], closed),
        "completion_rate": (closed, truth["created"]),
    }


def pairs(found: list[dict[str, Any]]) -> dict[str, tuple[Any, Any]]:
    return {result["kpi"]: (result["numerator"], result["denominator"]) for result in found}


def of(frame: pl.DataFrame) -> tuple[int, int]:
    closed = frame.filter(pl.col("closed_dt").is_not_null() & pl.col("target_dt").is_not_null())
    return len(closed.filter(pl.col("closed_dt") <= pl.col("target_dt"))), len(closed)


def test_the_half_year_equals_the_figures_of_another_engine(hotline: Hotline) -> None:
    total = expected()["total"]
    found = hotline.figures(*NAMES, period=ALL_TIME)
    assert pairs(found) == wanted(total, *of(cases()))
    values = {result["kpi"]: result["value"] for result in found}
    assert (total["created"], total["closed"], total["with_target"]) == (58_119, 49_126, 43_592)
    assert values["timely_handling_rate"] == total["timely_with_target"] / total["with_target"]
    # The city divides by the cases that have its flag; 63 closed ones, all late, have none.
    assert values["not_late_share_of_handled"] == 39_101 / 49_126
    assert round(39_101 / (49_126 - 63), 6) == total["official_timely_share_of_closed"] == 0.796955


def test_every_department_equals_the_figures_of_another_engine(hotline: Hotline) -> None:
    found = hotline.figures(*NAMES, period=ALL_TIME, more=("--split", "department"))
    truths = {row["department"]: row for row in expected()["by_department"]}
    assert len(truths) == 17
    for name, truth in truths.items():
        ours = pairs([result for result in found if result["scope"] == {"kind": "department", "value": name}])
        theirs = wanted(truth, *of(cases().filter(pl.col("department") == name)))
        assert ours == {kpi: pair for kpi, pair in theirs.items() if pair[0] or pair[1]}, name
    assert {result["scope"]["value"] for result in found} == truths.keys()


def test_requests_of_every_month_and_channel_equal_the_figures_of_another_engine(hotline: Hotline) -> None:
    by_month = hotline.figures("tickets_created", period="2015-01-01..2015-07-01", more=("--by", "month"))
    theirs = {row["month"]: row["created"] for row in expected()["by_month_opened"]}
    assert {result["from"][:7]: result["value"] for result in by_month} == theirs
    by_channel = hotline.figures("tickets_created", period=ALL_TIME, more=("--split", "channel"))
    of_channel = {result["scope"]["value"]: result["value"] for result in by_channel}
    assert {row["source"]: row["created"] for row in expected()["by_source"]}.items() <= of_channel.items()
    assert sum(of_channel.values()) == 58_119


def test_a_split_adds_up_to_the_total_whoever_has_no_district(hotline: Hotline) -> None:
    by_district = hotline.figures("tickets_created", period=ALL_TIME, more=("--split", "district"))
    of_district = {result["scope"]["value"]: result["value"] for result in by_district}
    assert of_district[""] == 6_365
    assert sum(of_district.values()) == 58_119


def test_handling_times_equal_a_second_reading_and_the_other_engine_but_for_summer_time(hotline: Hotline) -> None:
    average, p90 = hotline.figures("average_handling_days", "handling_p90_days", period=ALL_TIME)
    took = cases()["took_s"].drop_nulls().sort()
    assert (average["numerator"], average["denominator"]) == (took.sum(), 49_126)
    assert average["value"] == pytest.approx(took.sum() / 86_400 / 49_126, rel=1e-12)
    assert (p90["numerator"], p90["denominator"]) == (None, 49_126)
    assert p90["value"] == pytest.approx(took[-(-49_126 * 9 // 10) - 1] / 86_400, rel=1e-12)
    hour = 1 / 24
    assert abs(average["value"] - expected()["total"]["mean_days"]) < hour
    assert abs(p90["value"] - expected()["total"]["p90_days"]) <= hour * 1.001


def test_what_is_open_at_the_end_of_all_time_was_never_closed(hotline: Hotline) -> None:
    still_open, overdue = hotline.figures("tickets_open", "tickets_overdue", period=ALL_TIME)
    assert still_open["value"] == 58_119 - 49_126
    never = cases().filter(pl.col("closed_dt").is_null() & pl.col("target_dt").is_not_null())
    assert overdue["value"] == len(never)


def test_sums_rows_and_events_agree_to_the_last_unit(hotline: Hotline) -> None:
    assert hotline.reconciled("2015-01")["rows"] > 7_000
