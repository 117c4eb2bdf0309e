"""The bank's calls: a stranger's figures, a second reading of every line, and each trap as a line."""

from __future__ import annotations

import gzip
import io
import json
from collections import Counter
from datetime import UTC, datetime, time, timedelta
from functools import cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl
import pytest

from hotline.blocks import complete
from hotline.events.rules import problems
from hotline.fold import fold, with_keys
from hotline.pseudonyms import pseudonym
from hotline.subjects import CALLS
from producers.adapters import ADAPTERS, Batch

DATA = Path(__file__).parents[2].parent / "shared" / "data" / "bank1999"
ISRAEL = ZoneInfo("Asia/Jerusalem")
KEY = b"a key of the tests"
MONTHS = ("january", "february")
BANK = ADAPTERS["bank1999"]
HEADER = "\t".join(BANK.columns)
NOTHING = ("0:00:00", "0:00:00", "0")

Told = tuple[str, str, datetime, datetime, str | None, int | None, int | None, str | None, str | None]
"""Type, entity, born_at, occurred_at, line, wait_s, talk_s, caller, operator."""


# The figures of another engine


@cache
def batches(month: str) -> list[Batch]:
    return list(BANK.read(DATA / f"{month}.txt.gz", key=KEY))


@cache
def events(month: str) -> pl.DataFrame:
    frame = pl.concat([batch.frames["calls"] for batch in batches(month)], how="diagonal")
    return complete(CALLS, frame)


@cache
def rows(month: str) -> pl.DataFrame:
    calls = fold(CALLS, with_keys(CALLS, events(month)))
    local = {name: calls[name].dt.convert_time_zone(BANK.zone) for name in ("offered_at", "queued_at", "outcome_at")}
    return calls.with_columns(
        offered_day=local["offered_at"].dt.date(),
        outcome_day=local["outcome_at"].dt.date(),
        queued_clock=local["queued_at"].dt.time(),
    )


@cache
def expected() -> dict[str, list[dict[str, Any]]]:
    return dict(json.loads((DATA / "expected.json").read_text()))


def figures(calls: pl.DataFrame) -> dict[str, Any]:
    answered = calls.filter(pl.col("answered_at").is_not_null())
    abandoned = calls.filter(pl.col("abandoned_at").is_not_null())
    wait, talk = answered["wait_s"], answered["talk_s"]
    return {
        "offered": calls["offered_at"].count(),
        "answered": len(answered),
        "abandoned": len(abandoned),
        # The other engine takes 0:00:00 for "never queued", which is wrong for the call queued at midnight.
        "queued": len(calls.filter(pl.col("queued_clock") != time(0))),
        "answered_le30s": (wait <= 30).sum(),
        "answered_lt30s": (wait < 30).sum(),
        "answered_le20s": (wait <= 20).sum(),
        "abandoned_le5s": (abandoned["wait_s"] <= 5).sum(),
        "sum_wait_answered_s": wait.sum() if len(wait) else None,
        "max_wait_answered_s": wait.max(),
        "p50_wait_answered_s": quantile(wait, 0.5),
        "p90_wait_answered_s": quantile(wait, 0.9),
        "p95_wait_answered_s": quantile(wait, 0.95),
        "sum_talk_s": talk.sum() if len(talk) else None,
        "max_talk_s": talk.max(),
        "p50_talk_s": quantile(talk, 0.5),
        "p90_talk_s": quantile(talk, 0.9),
        "talk_gt600": (talk > 600).sum(),
        "agents": answered["operator"].drop_nulls().n_unique(),
    }


def quantile(values: pl.Series, share: float) -> int | None:
    """Find the smallest value with at least that share of all values at or below it."""
    return int(values.sort()[max(0, -int(-len(values) * share // 1) - 1)]) if len(values) else None


@pytest.mark.parametrize("month", MONTHS)
def test_a_month_equals_the_figures_of_another_engine(month: str) -> None:
    (truth,) = [row for row in expected()["by_month"] if row["month"] == month]
    ours = figures(rows(month))
    assert ours == {name: truth[name] for name in ours}


@pytest.mark.parametrize("month", MONTHS)
def test_every_queue_of_a_month_equals_the_figures_of_another_engine(month: str) -> None:
    truths = {row["type"]: row for row in expected()["by_month_type"] if row["month"] == month}
    ours = {str(line): figures(calls) for (line,), calls in rows(month).group_by("line")}
    assert len(truths) >= 6
    assert ours == {line: {name: truth[name] for name in ours[line]} for line, truth in truths.items()}


def test_one_call_is_queued_at_midnight_and_waits_27_seconds() -> None:
    (call,) = rows("february").filter(pl.col("queued_clock") == time(0)).iter_rows(named=True)
    assert (str(call["offered_day"]), call["wait_s"]) == ("1999-02-15", 27)


def test_offered_calls_of_every_day_equal_the_figures_of_another_engine() -> None:
    ours = Counter(str(day) for month in MONTHS for day in rows(month)["offered_day"])
    assert ours == {row["day"]: row["offered"] for row in expected()["by_day"]}


def test_seven_answers_and_two_abandonments_lie_on_the_day_after_the_arrival() -> None:
    calls = pl.concat([rows(month) for month in MONTHS])
    late = calls.filter(pl.col("outcome_day") > pl.col("offered_day"))
    assert (late["answered_at"].count(), late["abandoned_at"].count()) == (7, 2)


@pytest.mark.parametrize("month", MONTHS)
def test_phantoms_are_counted_as_skipped_and_every_line_is_accounted_for(month: str) -> None:
    (truth,) = [row for row in expected()["by_month"] if row["month"] == month]
    assert sum((Counter(batch.skipped) for batch in batches(month)), Counter()) == {"phantom": truth["phantom"]}
    assert sum(batch.lines_read for batch in batches(month)) == truth["records"]
    assert sum(batch.lines_broken for batch in batches(month)) == 0
    assert batches(month)[-1].bytes_read == (DATA / f"{month}.txt.gz").stat().st_size


@pytest.mark.parametrize("month", MONTHS)
def test_every_event_passes_the_rules_and_is_sorted_by_birth(month: str) -> None:
    assert problems(CALLS, events(month)).null_count() == len(events(month))
    assert all(batch.frames["calls"]["born_at"].is_sorted() for batch in batches(month))


@pytest.mark.parametrize("month", MONTHS)
def test_the_size_of_the_chunks_changes_no_event(month: str) -> None:
    small = list(BANK.read(DATA / f"{month}.txt.gz", key=KEY, chunk_bytes=70_001))
    assert len(small) > 30
    frame = complete(CALLS, pl.concat([batch.frames["calls"] for batch in small], how="diagonal"))
    order = ["entity", "occurred_at", "type"]
    assert frame.sort(order).equals(events(month).sort(order))


# A second reading, line by line


@pytest.mark.parametrize("month", MONTHS)
def test_a_second_reading_of_the_lines_tells_the_same_events(month: str) -> None:
    lines = gzip.decompress((DATA / f"{month}.txt.gz").read_bytes()).decode().splitlines()[1:]
    assert Counter(told(events(month))) == Counter(event for line in lines for event in read_again(line))


def read_again(line: str) -> list[Told]:
    f = dict(zip(HEADER.split("\t"), line.split("\t"), strict=True))
    if f["outcome"] == "PHANTOM":
        return []
    entity, day = f"{f['vru+line']}/{f['call_id']}", datetime.fromisoformat("19" + f["date"])
    entry = clock(f["vru_entry"])

    def at(name: str) -> datetime:
        told = clock(f[name])
        moved = told + timedelta(days=1) if entry - told > timedelta(hours=12) else told
        return (day + moved).replace(tzinfo=ISRAEL).astimezone(UTC)

    born = at("vru_exit")
    waited, talked = int(f["q_time"]), int(f["ser_time"])
    queued = f["q_exit"] != "0:00:00" or f["q_start"] != "0:00:00" or waited > 0
    caller = None if f["customer_id"] == "0" else pseudonym(f["customer_id"], KEY)
    server = None if f["server"] == "NO_SERVER" else pseudonym(f["server"], KEY)
    found: list[Told] = [("call.offered", entity, born, born, f["type"], None, None, caller, None)]
    if queued:
        found.append(("call.queued", entity, born, at("q_start"), None, None, None, None, None))
    left = at("q_exit") if queued else born
    if f["outcome"] == "HANG":
        return [*found, ("call.abandoned", entity, born, left, None, waited, None, None, None)]
    served = f["ser_start"] != "0:00:00" or f["ser_exit"] != "0:00:00"
    start, stop = (at("ser_start"), at("ser_exit")) if served else (left, left)
    return [
        *found,
        ("call.answered", entity, born, start, None, waited, None, None, server),
        ("call.ended", entity, born, stop, None, None, talked if served else 0, None, None),
    ]


def clock(text: str) -> timedelta:
    hours, minutes, seconds = (int(part) for part in text.split(":"))
    return timedelta(hours=hours, minutes=minutes, seconds=seconds)


def told(frame: pl.DataFrame) -> list[Told]:
    columns = ["type", "entity", "born_at", "occurred_at", "line", "wait_s", "talk_s", "caller", "operator"]
    return frame.filter(pl.col("problem").is_null()).select(columns).rows()


# The traps, a line each


def line(
    *,
    call: str = "7",
    customer: str = "0",
    kind: str = "PS",
    date: str = "990215",
    vru: tuple[str, str, str] = ("10:00:00", "10:00:05", "5"),
    queue: tuple[str, str, str] = NOTHING,
    outcome: str = "AGENT",
    served: tuple[str, str, str] = NOTHING,
    server: str = "MICHAL",
) -> str:
    return "\t".join(["AA0101", call, customer, "0", kind, date, *vru, *queue, outcome, *served, server])


def read(*lines: str, header: bool = True, zone: str | None = None) -> Batch:
    text = "\r\n".join([HEADER, *lines] if header else lines) + "\r\n"
    (batch,) = BANK.read(io.BytesIO(text.encode()), key=KEY, zone=zone, origin="calls.txt")
    return batch


def instants(batch: Batch) -> dict[str, str]:
    local = batch.frames["calls"]["occurred_at"].dt.convert_time_zone("Asia/Jerusalem").dt.strftime("%d %H:%M:%S")
    return dict(zip(batch.frames["calls"]["type"].str.strip_prefix("call."), local, strict=True))


def value(batch: Batch, column: str) -> Any:
    values = batch.frames["calls"][column].drop_nulls().unique().to_list()
    assert len(values) <= 1
    return values[0] if values else None


def test_a_call_is_told_by_four_events_at_their_own_instants() -> None:
    queue, served = ("10:00:06", "10:00:16", "10"), ("10:00:15", "10:02:15", "120")
    batch = read(line(queue=queue, served=served))
    assert instants(batch) == {
        "offered": "15 10:00:05",
        "queued": "15 10:00:06",
        "answered": "15 10:00:15",
        "ended": "15 10:02:15",
    }
    assert (value(batch, "line"), value(batch, "wait_s"), value(batch, "talk_s")) == ("PS", 10, 120)
    assert (value(batch, "direction"), value(batch, "leg")) == ("inbound", "operator")
    assert (value(batch, "source"), value(batch, "entity")) == ("bank1999", "AA0101/7")


def test_durations_are_as_stated_and_never_differences() -> None:
    batch = read(line(queue=("10:00:06", "10:00:16", "4"), served=("10:00:15", "10:02:15", "99")))
    assert (value(batch, "wait_s"), value(batch, "talk_s")) == (4, 99)


def test_a_negative_menu_time_is_no_fault() -> None:
    batch = read(line(vru=("10:02:24", "10:00:05", "-139"), served=("10:00:04", "10:01:04", "60")))
    assert instants(batch) == {"offered": "15 10:00:05", "answered": "15 10:00:04", "ended": "15 10:01:04"}


def test_an_answer_without_service_counts_where_the_queue_ended() -> None:
    batch = read(line(queue=("10:00:05", "10:00:45", "40"), server="NO_SERVER"))
    assert instants(batch) == {
        "offered": "15 10:00:05",
        "queued": "15 10:00:05",
        "answered": "15 10:00:45",
        "ended": "15 10:00:45",
    }
    assert (value(batch, "wait_s"), value(batch, "talk_s"), value(batch, "operator")) == (40, 0, None)


def test_an_answer_without_service_or_queue_counts_where_the_menu_ended() -> None:
    batch = read(line())
    assert instants(batch) == {"offered": "15 10:00:05", "answered": "15 10:00:05", "ended": "15 10:00:05"}
    assert (value(batch, "wait_s"), value(batch, "talk_s")) == (0, 0)


def test_an_answer_by_nobody_named_still_counts() -> None:
    batch = read(line(served=("10:00:05", "10:00:10", "5"), server="NO_SERVER"))
    assert (instants(batch)["answered"], value(batch, "operator")) == ("15 10:00:05", None)


def test_a_talk_of_no_seconds_counts() -> None:
    batch = read(line(served=("10:00:05", "10:00:05", "0")))
    assert (instants(batch)["ended"], value(batch, "talk_s")) == ("15 10:00:05", 0)


def test_who_hung_up_has_no_talk_whatever_the_line_says() -> None:
    batch = read(line(outcome="HANG", queue=("10:00:05", "10:00:45", "40"), served=("10:00:44", "10:01:44", "60")))
    assert instants(batch) == {"offered": "15 10:00:05", "queued": "15 10:00:05", "abandoned": "15 10:00:45"}
    assert (value(batch, "wait_s"), value(batch, "operator")) == (40, None)


def test_who_hung_up_before_any_queue_did_so_where_the_menu_ended() -> None:
    batch = read(line(outcome="HANG", server="NO_SERVER"))
    assert (instants(batch), value(batch, "wait_s")) == ({"offered": "15 10:00:05", "abandoned": "15 10:00:05"}, 0)


def test_a_queue_of_no_seconds_is_a_queue() -> None:
    batch = read(line(outcome="HANG", queue=("10:00:05", "10:00:05", "0")))
    assert (instants(batch)["queued"], value(batch, "wait_s")) == ("15 10:00:05", 0)


def test_a_call_queued_at_midnight_waits_on_the_next_day() -> None:
    late = ("23:59:54", "23:59:54", "0")
    batch = read(line(vru=late, queue=("0:00:00", "0:00:27", "27"), served=("0:00:26", "0:01:33", "67")))
    assert instants(batch) == {
        "offered": "15 23:59:54",
        "queued": "16 00:00:00",
        "answered": "16 00:00:26",
        "ended": "16 00:01:33",
    }


@pytest.mark.parametrize("took", ["10", "0"])
def test_a_queue_that_ends_at_midnight_ends_there(took: str) -> None:
    batch = read(line(vru=("23:59:40", "23:59:50", "10"), queue=("23:59:50", "0:00:00", took), outcome="HANG"))
    assert instants(batch) == {"offered": "15 23:59:50", "queued": "15 23:59:50", "abandoned": "16 00:00:00"}


def test_a_duration_alone_says_that_a_time_is_midnight() -> None:
    late = ("22:30:00", "22:30:00", "0")
    talked = read(line(vru=late, served=("22:30:00", "0:00:00", "5400")))
    waited = read(line(vru=late, queue=("0:00:00", "0:00:00", "27"), outcome="HANG"))
    menu = read(line(vru=("22:30:00", "0:00:00", "5400"), outcome="HANG"))
    assert instants(talked)["ended"] == "16 00:00:00"
    assert instants(waited) == {"offered": "15 22:30:00", "queued": "16 00:00:00", "abandoned": "16 00:00:00"}
    assert instants(menu) == {"offered": "16 00:00:00", "abandoned": "16 00:00:00"}


def test_a_neighbour_far_from_midnight_says_that_nothing_was_recorded() -> None:
    batch = read(line(queue=("0:00:00", "14:00:00", "0"), outcome="HANG"))
    assert instants(batch) == {"offered": "15 10:00:05", "abandoned": "15 14:00:00"}


def test_a_menu_of_no_seconds_left_at_midnight_was_left_there() -> None:
    assert instants(read(line(vru=("23:59:58", "0:00:00", "0"), outcome="HANG")))["offered"] == "16 00:00:00"


def test_empty_times_were_not_recorded_and_an_empty_wait_is_not_stated() -> None:
    batch = read(line(queue=("", "", ""), served=("", "", "")))
    assert instants(batch) == {"offered": "15 10:00:05", "answered": "15 10:00:05", "ended": "15 10:00:05"}
    assert (value(batch, "wait_s"), value(batch, "talk_s")) == (None, 0)


def test_a_call_offered_at_midnight_is_born_on_the_next_day() -> None:
    batch = read(line(vru=("23:59:50", "0:00:00", "10"), outcome="HANG"))
    assert instants(batch) == {"offered": "16 00:00:00", "abandoned": "16 00:00:00"}


def test_a_menu_left_at_no_time_is_a_broken_line() -> None:
    assert value(read(line(vru=("14:00:00", "0:00:00", "0"))), "problem") == "missing_field"


def test_a_time_exactly_twelve_hours_before_the_arrival_is_of_the_same_day() -> None:
    noon = ("13:00:00", "13:00:00", "0")
    same = read(line(vru=noon, queue=("1:00:00", "1:00:01", "1"), outcome="HANG"))
    after = read(line(vru=noon, queue=("0:59:59", "0:59:59", "0"), outcome="HANG"))
    assert (instants(same)["queued"], instants(after)["queued"]) == ("15 01:00:00", "16 00:59:59")


def test_a_talk_over_new_year_ends_in_the_next_year() -> None:
    batch = read(line(date="991231", vru=("23:50:00", "23:50:00", "0"), served=("23:50:01", "0:10:01", "1200")))
    assert batch.frames["calls"]["occurred_at"].dt.year().to_list() == [1999, 1999, 1999]  # UTC
    assert instants(batch)["ended"] == "01 00:10:01"


def test_a_customer_stays_the_same_one_and_nobody_can_be_read_back() -> None:
    batch = read(line(call="1", customer="9664491"), line(call="2", customer="9664491"), line(call="3", customer="0"))
    calls = batch.frames["calls"].filter(pl.col("type") == "call.offered")
    assert calls["caller"].to_list() == [pseudonym("9664491", KEY)] * 2 + [None]
    assert "9664491" not in str(calls.rows())
    assert "MICHAL" not in str(batch.frames["calls"].rows())


def test_the_same_call_id_on_two_lines_is_two_calls() -> None:
    other = line().replace("AA0101", "AA0102")
    assert read(line(), other).frames["calls"]["entity"].n_unique() == 2


def test_a_phantom_is_no_call_however_broken() -> None:
    batch = read(line(outcome="PHANTOM", date="never"), line())
    assert (batch.lines_read, batch.lines_broken, batch.skipped) == (2, 0, {"phantom": 1})
    assert batch.frames["calls"]["entity"].n_unique() == 1


def test_the_header_is_optional_and_may_come_again() -> None:
    plain, headed = read(line(), header=False), read(line(), HEADER, line(call="8"))
    assert (plain.lines_read, headed.lines_read) == (1, 2)
    assert plain.lines_broken == headed.lines_broken == 0


def test_other_months_count_summer_time() -> None:
    august, october = read(line(date="990815")), read(line(date="991015"))
    assert august.frames["calls"]["born_at"].dt.hour().unique().to_list() == [7]
    assert october.frames["calls"]["born_at"].dt.hour().unique().to_list() == [8]


def test_a_time_that_summer_time_skips_breaks_its_line() -> None:
    batch = read(line(date="990402", vru=("2:30:00", "2:30:00", "0")), line(date="990402"))
    assert batch.frames["calls"]["problem"].to_list().count("time_skipped") == batch.lines_broken == 1


def test_a_time_that_the_end_of_summer_time_repeats_is_its_first_pass() -> None:
    batch = read(line(date="990903", vru=("1:30:00", "1:30:00", "0"), outcome="HANG"))
    assert value(batch, "born_at") == datetime(1999, 9, 2, 22, 30, tzinfo=UTC)


def test_another_zone_moves_the_instants() -> None:
    assert value(read(line(outcome="HANG"), zone="Asia/Shanghai"), "born_at").hour == 2


BROKEN = {
    "fifteen columns": (line().rsplit("\t", 2)[0], "undecodable"),
    "eighteen columns": (line() + "\tmore", "undecodable"),
    "a NUL": (line(kind="P\0S"), "undecodable"),
    "a bell in a name": (line(kind="P\aS"), "bad_value"),
    "a date in words": (line(date="monday"), "bad_value"),
    "a day that no month has": (line(date="990231"), "bad_value"),
    "year 0": (line(date="00000215"), "time_out_of_range"),
    "year 9999": (line(date="99990215"), "time_out_of_range"),
    "no date": (line(date=""), "missing_field"),
    "no call id": (line(call=" "), "missing_field"),
    "no outcome": (line(outcome=""), "missing_field"),
    "an unknown outcome": (line(outcome="VOICEMAIL"), "unknown_word"),
    "hour 24": (line(vru=("24:00:00", "10:00:05", "5")), "bad_value"),
    "a time in words": (line(vru=("10:00:00", "soon", "5")), "bad_value"),
    "a wait in words": (line(queue=("10:00:00", "10:00:05", "five")), "bad_value"),
    "a negative wait": (line(queue=("10:00:06", "10:00:05", "-1")), "bad_value"),
    "a talk of two years": (line(served=("10:00:06", "10:00:07", "63072000")), "bad_value"),
    "a number beyond all": (line(served=("10:00:06", "10:00:07", "9" * 30)), "bad_value"),
    "a name of 201 bytes": (line(kind="x" * 201), "too_large"),
    "a line beyond a mebibyte": (line(kind="x" * 2**20), "too_large"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_line_is_one_dead_row_and_the_others_count(name: str) -> None:
    text, reason = BROKEN[name]
    batch = read(line(call="1"), text, line(call="2"))
    dead = batch.frames["calls"].filter(pl.col("problem").is_not_null())
    assert dead.select("problem", "origin", "original").rows() == [(reason, "calls.txt:3", text.encode()[: 64 * 1024])]
    assert (batch.lines_read, batch.lines_broken) == (3, 1)
    assert len(batch.frames["calls"]) == 7
