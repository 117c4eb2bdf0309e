"""Boston's service requests: a stranger's figures, from the parquet file and from the city's own CSV."""

from __future__ import annotations

import csv
import gzip
import io
import json
from collections import Counter
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl
import pytest

from hotline.blocks import complete
from hotline.events.rules import problems
from hotline.fold import fold, with_keys
from hotline.subjects import TICKETS
from producers.adapters import ADAPTERS, Batch

DATA = Path(__file__).parents[2].parent / "shared" / "data" / "boston311"
FILE = DATA / "2015_h1.parquet"
KEY = b"a key of the tests"
BOSTON = ADAPTERS["boston311"]
ZONE = ZoneInfo("America/New_York")
HEADER = list(BOSTON.columns)
SCOPES = ("district", "department", "channel", "category")


@cache
def batches() -> list[Batch]:
    return list(BOSTON.read(FILE, key=KEY))


def events_of(read: list[Batch]) -> pl.DataFrame:
    return complete(TICKETS, pl.concat([batch.frames["tickets"] for batch in read], how="diagonal"))


@cache
def rows() -> pl.DataFrame:
    return fold(TICKETS, with_keys(TICKETS, events_of(batches())))


@cache
def expected() -> dict[str, Any]:
    return dict(json.loads((DATA / "expected.json").read_text()))


def figures(tickets: pl.DataFrame) -> dict[str, Any]:
    handled, due = pl.col("handled_at"), pl.col("due_at")
    return {
        "created": tickets["created_at"].count(),
        "closed": tickets["closed_at"].count(),
        "with_target": tickets["due_at"].count(),
        "timely_with_target": len(tickets.filter(handled <= due)),
        "official_ontime_closed": len(tickets.filter(handled.is_not_null() & ((handled <= due) | due.is_null()))),
        "closed_1d": (tickets["handling_s"] <= 86_400).sum(),
        "closed_7d": (tickets["handling_s"] <= 7 * 86_400).sum(),
    }


def truth(row: dict[str, Any], names: dict[str, Any]) -> dict[str, Any]:
    return {name: row[name] for name in names}


def test_the_half_year_equals_the_figures_of_another_engine() -> None:
    ours = figures(rows())
    days = {name: ours.pop(name) for name in ("closed_1d", "closed_7d")}
    assert ours == truth(expected()["total"], ours)
    # Theirs are differences on the wall clock; ours are seconds, an hour more or less over a change of the clock.
    assert all(abs(days[name] - expected()["total"][name]) < 60 for name in days)
    assert rows()["handled_at"].count() == ours["closed"]


def test_every_department_equals_the_figures_of_another_engine() -> None:
    ours = {str(name): figures(tickets) for (name,), tickets in rows().group_by("department")}
    theirs = {row["department"]: row for row in expected()["by_department"]}
    exact = ("created", "closed", "with_target", "timely_with_target", "official_ontime_closed")
    assert len(theirs) == 17
    assert {name: [row[what] for what in exact] for name, row in ours.items()} == {
        name: [row[what] for what in exact] for name, row in theirs.items()
    }


@pytest.mark.parametrize(("scope", "part"), [("channel", "by_source"), ("category", "top_types")])
def test_channels_and_categories_equal_the_figures_of_another_engine(scope: str, part: str) -> None:
    column = "source" if part == "by_source" else "type"
    created = Counter(rows()[scope].to_list())
    assert len(expected()[part]) > 5
    assert all(created[row[column]] == row["created"] for row in expected()[part])


def test_months_are_months_of_boston() -> None:
    local = rows()["created_at"].dt.convert_time_zone("America/New_York").dt.strftime("%Y-%m")
    assert Counter(local) == {row["month"]: row["created"] for row in expected()["by_month_opened"]}


def test_cases_closed_before_they_were_opened_count_as_closed() -> None:
    early = rows().filter(pl.col("closed_at") < pl.col("created_at"))
    assert len(early) == expected()["quality"]["closed_before_open"]
    assert (early["handling_s"] < 0).all()


def test_cases_without_target_have_no_deadline_and_those_without_neighborhood_the_empty_district() -> None:
    assert rows()["due_at"].null_count() == expected()["quality"]["without_target"]
    assert (rows()["district"] == "").sum() == 6365


def test_every_row_is_accounted_for_sorted_and_passes_the_rules() -> None:
    events = events_of(batches())
    assert sum(batch.lines_read for batch in batches()) == expected()["total"]["created"]
    assert sum(batch.lines_broken for batch in batches()) == 0
    assert problems(TICKETS, events).null_count() == len(events)
    assert all(batch.frames["tickets"]["born_at"].is_sorted() for batch in batches())
    assert batches()[-1].bytes_read == FILE.stat().st_size


def test_free_text_is_not_kept() -> None:
    texts = pl.concat(batch.frames["tickets"] for batch in batches()).select(pl.selectors.string()).unpivot()["value"]
    closures = set(pl.read_parquet(FILE, columns=["closure"])["closure"].drop_nulls())
    assert len(closures) > 5
    assert not closures & set(texts.drop_nulls().unique())


def test_the_size_of_the_chunks_changes_no_event() -> None:
    small = list(BOSTON.read(FILE, key=KEY, chunk_bytes=400_000))
    order = ["entity", "occurred_at", "type"]
    assert len(small) > 10
    assert events_of(small).sort(order).equals(events_of(batches()).sort(order))


@cache
def as_csv() -> bytes:
    """Write the file as the city writes it."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(HEADER)
    form = "%m/%d/%Y %I:%M:%S %p"
    for row in pl.read_parquet(FILE).iter_rows():
        writer.writerow(cell.strftime(form) if isinstance(cell, datetime) else cell for cell in row)
    return out.getvalue().encode()


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("chunk_bytes", [300_000, 5 * 2**20])
def test_the_citys_csv_tells_the_same_events_as_the_parquet_file(*, packed: bool, chunk_bytes: int) -> None:
    content = gzip.compress(as_csv(), 1) if packed else as_csv()
    read = list(BOSTON.read(io.BytesIO(content), key=KEY, chunk_bytes=chunk_bytes))
    order = ["entity", "occurred_at", "type"]
    assert events_of(read).sort(order).equals(events_of(batches()).sort(order))
    assert read[-1].bytes_read == len(content)


# Lines of the CSV


def line(**cells: str) -> str:
    known = {
        "CASE_ENQUIRY_ID": "101",
        "OPEN_DT": "01/05/2015 09:00:00 AM",
        "TARGET_DT": "01/06/2015 05:00:00 PM",
        "CLOSED_DT": "01/06/2015 01:02:03 PM",
        "TYPE": "Street Light Outages",
        "Department": "PWDx",
        "neighborhood": "Dorchester",
        "Source": "Constituent Call",
        **cells,
    }
    return ",".join(known.get(name, "") for name in HEADER)


def read(*lines: str, header: list[str] | None = None, chunk_bytes: int = 2**20) -> list[Batch]:
    text = "\n".join([",".join(header or HEADER), *lines]) + "\n"
    return list(BOSTON.read(io.BytesIO(text.encode()), key=KEY, origin="cases.csv", chunk_bytes=chunk_bytes))


def test_a_case_is_told_by_four_events() -> None:
    (batch,) = read(line())
    events = complete(TICKETS, batch.frames["tickets"])
    opened, closed = (
        datetime(2015, 1, day, hour, m, s, tzinfo=ZONE) for day, hour, m, s in ((5, 9, 0, 0), (6, 13, 2, 3))
    )
    assert events.select("type", "occurred_at").rows() == [
        ("ticket.created", opened.astimezone(UTC)),
        ("ticket.dispatched", opened.astimezone(UTC)),
        ("ticket.handled", closed.astimezone(UTC)),
        ("ticket.closed", closed.astimezone(UTC)),
    ]
    assert events["due_at"].drop_nulls().to_list() == [datetime(2015, 1, 6, 22, tzinfo=UTC)]
    scopes = fold(TICKETS, with_keys(TICKETS, events)).select(SCOPES).row(0)
    assert scopes == ("Dorchester", "PWDx", "Constituent Call", "Street Light Outages")


def test_an_open_case_without_target_is_created_and_dispatched() -> None:
    (batch,) = read(line(CLOSED_DT="", TARGET_DT=""))
    assert batch.frames["tickets"]["type"].to_list() == ["ticket.created", "ticket.dispatched"]


def test_quotes_hold_commas_line_ends_and_quotes() -> None:
    told = line(TYPE='"Trees, ""old"" ones"', CLOSURE_REASON='"Case closed.\r\nThe crew said\n""done, twice"""')
    for chunk_bytes in (20, 2**20):
        read_batches = read(line(CASE_ENQUIRY_ID="1"), told, line(CASE_ENQUIRY_ID="3"), chunk_bytes=chunk_bytes)
        events = events_of(read_batches)
        assert events["entity"].unique().sort().to_list() == ["1", "101", "3"]
        assert 'Trees, "old" ones' in events["category"].to_list()
        assert events["problem"].null_count() == len(events)


@pytest.mark.parametrize("chunk_bytes", [20, 2**20])
def test_a_quote_that_never_closes_breaks_its_own_line_alone(chunk_bytes: int) -> None:
    others = [line(CASE_ENQUIRY_ID=str(number)) for number in range(130)]
    stray = line(CASE_ENQUIRY_ID="stray", CLOSURE_REASON='"never closed')
    several = line(CASE_ENQUIRY_ID="several", CLOSURE_REASON='"two\nlines"')
    read_batches = read(*others[:10], stray, several, *others[10:], chunk_bytes=chunk_bytes)
    events = events_of(read_batches)
    dead = events.filter(pl.col("problem").is_not_null())
    assert dead.select("problem", "origin", "original").rows() == [("undecodable", "cases.csv:12", stray.encode())]
    assert events["entity"].drop_nulls().n_unique() == 131


def test_an_inch_mark_inside_a_field_is_no_quote() -> None:
    told = [line(CASE_ENQUIRY_ID=str(number), TYPE='Pipe of 5" burst') for number in range(3)]
    events = events_of(read(*told))
    assert events["category"].to_list().count('Pipe of 5" burst') == 3
    assert events["problem"].null_count() == len(events)


def test_an_open_quote_does_not_hold_back_the_rest_of_the_file() -> None:
    others = [line(CASE_ENQUIRY_ID=str(number)) for number in range(150)]
    read_batches = read(line(CLOSURE_REASON='"never closed'), *others, chunk_bytes=20)
    assert len(read_batches) > 40
    assert events_of(read_batches)["entity"].drop_nulls().n_unique() == 150


def test_years_are_those_of_utc() -> None:
    edges = [line(OPEN_DT=f"12/31/{year} 11:00:00 PM", TARGET_DT="", CLOSED_DT="") for year in (1989, 2099)]
    (batch,) = read(*edges)
    assert batch.frames["tickets"]["born_at"].unique().drop_nulls().to_list() == [datetime(1990, 1, 1, 4, tzinfo=UTC)]
    assert batch.frames["tickets"]["problem"].drop_nulls().to_list() == ["time_out_of_range"]


def test_columns_are_found_by_name_in_any_order_and_case() -> None:
    header = ["source", "neighborhood", "extra", "case_enquiry_id", "open_dt", "sla_target_dt", "closed_dt", "type"]
    (batch,) = read("Self Service,Roxbury,x,5,2015-07-05 10:00:00,,,Graffiti,PROP", header=[*header, "department"])
    events = complete(TICKETS, batch.frames["tickets"])
    assert events["born_at"].unique().to_list() == [datetime(2015, 7, 5, 14, tzinfo=UTC)]
    assert fold(TICKETS, with_keys(TICKETS, events)).select(SCOPES).row(0) == (
        "Roxbury",
        "PROP",
        "Self Service",
        "Graffiti",
    )


def test_a_repeated_hour_is_read_as_its_first_pass() -> None:
    (batch,) = read(line(OPEN_DT="11/01/2015 01:30:00 AM", CLOSED_DT="", TARGET_DT=""))
    assert batch.frames["tickets"]["born_at"].unique().to_list() == [datetime(2015, 11, 1, 5, 30, tzinfo=UTC)]


BROKEN = {
    "a time that summer time skips": (line(OPEN_DT="03/08/2015 02:30:00 AM"), "time_skipped"),
    "year 0": (line(OPEN_DT="01/05/0000 09:00:00 AM"), "time_out_of_range"),
    "year 9999": (line(TARGET_DT="01/05/9999 09:00:00 AM"), "time_out_of_range"),
    "a day that no month has": (line(CLOSED_DT="02/30/2015 09:00:00 AM"), "bad_value"),
    "no id": (line(CASE_ENQUIRY_ID=""), "missing_field"),
    "no opening": (line(OPEN_DT=""), "missing_field"),
    "too few columns": (line().rsplit(",", 1)[0], "undecodable"),
    "too many columns": (line() + ",", "undecodable"),
    "a NUL": (line(TYPE="a\0b"), "undecodable"),
    "a bell in a name": (line(TYPE="a\ab"), "bad_value"),
    "a name of 201 bytes": (line(TYPE="x" * 201), "too_large"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_line_is_one_dead_row_and_the_others_count(name: str) -> None:
    text, reason = BROKEN[name]
    (batch,) = read(line(CASE_ENQUIRY_ID="1"), text, line(CASE_ENQUIRY_ID="2"))
    dead = batch.frames["tickets"].filter(pl.col("problem").is_not_null())
    assert dead.select("problem", "origin", "original").rows() == [(reason, "cases.csv:3", text.encode())]
    assert (batch.lines_read, batch.lines_broken, len(batch.frames["tickets"])) == (3, 1, 9)


def test_a_broken_row_of_a_parquet_file_is_a_dead_row_with_its_json(tmp_path: Path) -> None:
    frame = (
        pl.read_parquet(FILE)
        .head(3)
        .with_columns(
            open_dt=pl.Series([datetime(2015, 1, 1), datetime(9999, 1, 1), datetime(2015, 1, 2)])  # noqa: DTZ001
        )
    )
    frame.write_parquet(tmp_path / "cases.parquet")
    (batch,) = BOSTON.read(tmp_path / "cases.parquet", key=KEY, origin="cases.parquet")
    dead = batch.frames["tickets"].filter(pl.col("problem").is_not_null())
    assert dead.select("problem", "origin").rows() == [("time_out_of_range", "cases.parquet:2")]
    assert json.loads(dead["original"][0])["entity"] == str(frame["case_id"][1])
    assert (batch.lines_read, batch.lines_broken) == (3, 1)


def test_parts_of_a_second_in_a_parquet_file_are_cut_off_and_times_with_a_zone_are_instants(tmp_path: Path) -> None:
    opened = datetime(2015, 1, 1, 9, 0, 0, 999_000)  # noqa: DTZ001
    frame = (
        pl.read_parquet(FILE)
        .head(1)
        .with_columns(
            open_dt=pl.lit(opened), closed_dt=pl.lit(opened.replace(tzinfo=UTC)), target_dt=pl.lit(None, pl.Datetime)
        )
    )
    frame.write_parquet(tmp_path / "cases.parquet")
    (batch,) = BOSTON.read(tmp_path / "cases.parquet", key=KEY)
    created, closed = datetime(2015, 1, 1, 14, tzinfo=UTC), datetime(2015, 1, 1, 9, tzinfo=UTC)
    assert batch.frames["tickets"]["occurred_at"].to_list() == [created, created, closed, closed]
