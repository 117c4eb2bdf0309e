"""Open311 GeoReport v2: Chicago's requests against a second reading, and each trap of the format."""

from __future__ import annotations

import functools
import json
import operator
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

from hotline.subjects import TICKETS
from producers.adapters import ADAPTERS, UnreadableError
from tests.producers.telling import KEY, dead, events_of, good, read, rows

if TYPE_CHECKING:
    from producers.adapters import Batch

SAMPLE = Path(__file__).parents[2].parent / "shared" / "data" / "open311_chicago" / "requests.json"


@functools.cache
def batches() -> tuple[Batch, ...]:
    return tuple(ADAPTERS["open311"].read(SAMPLE, key=KEY))


@functools.cache
def requests() -> list[dict[str, Any]]:
    return list(json.loads(SAMPLE.read_text()))


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def test_every_request_of_chicago_lives_as_its_notes_say() -> None:
    found = rows(TICKETS, batches())
    assert len(found) == len(requests()) == 50
    for request in requests():
        row = found[request["service_request_id"]]
        closed_at = next((at(note["datetime"]) for note in request["notes"] if note["type"] == "closed"), None)
        duplicate = request["extended_attributes"].get("duplicate", False)
        assert row["created_at"] == row["dispatched_at"] == row["born_at"] == at(request["requested_datetime"])
        assert row["closed_at"] == row["merged_at" if duplicate else "handled_at"] == closed_at
        assert row["handled_at" if duplicate else "merged_at"] is None
        assert row["reopenings"] == 0


def test_figures_of_chicago_equal_a_second_reading() -> None:
    found = rows(TICKETS, batches()).values()
    counts = {name: sum(row[name] is not None for row in found) for name in ("handled_at", "merged_at", "closed_at")}
    assert counts == {"handled_at": 48, "merged_at": 1, "closed_at": 49}
    for scope, path in {
        "department": ("agency_responsible",),
        "category": ("service_name",),
        "channel": ("extended_attributes", "channel"),
        "district": ("extended_attributes", "ward"),
    }.items():
        wanted = Counter(functools.reduce(operator.getitem, path, request) for request in requests())
        assert Counter(row[scope] for row in found) == wanted
    assert [row["merged_into"] for row in found if row["merged_at"]] == ["15-05164921"]


def test_every_request_is_accounted_for_and_every_batch_sorted() -> None:
    assert [(batch.lines_read, batch.lines_broken, batch.skipped) for batch in batches()] == [(50, 0, {})]
    assert batches()[0].frames["tickets"]["born_at"].is_sorted()
    assert batches()[-1].bytes_read == SAMPLE.stat().st_size
    assert len(good(TICKETS, batches())) == 50 * 2 + 49 * 2


def test_free_text_and_addresses_are_not_kept() -> None:
    texts = set(good(TICKETS, batches()).select(pl.selectors.string()).unpivot()["value"].drop_nulls())
    for request in requests():
        told = [request["status_notes"], request["address"], *(note.get("description") for note in request["notes"])]
        assert not texts & set(filter(None, told))


@pytest.mark.parametrize("chunk_bytes", [1, 3_000, 50_000])
def test_the_size_of_the_chunks_and_the_layout_of_the_file_change_no_event(chunk_bytes: int) -> None:
    lines = "\n".join(map(json.dumps, requests()))
    layouts = [SAMPLE.read_text(), lines, lines.replace("\n", ""), json.dumps({"service_requests": requests()})]
    order = ["entity", "occurred_at", "type"]
    for layout in layouts:
        told = good(TICKETS, read("open311", layout, chunk_bytes=chunk_bytes)).sort(order)
        assert told.equals(good(TICKETS, batches()).sort(order))


# Requests of other cities


def request(**fields: Any) -> dict[str, Any]:
    return {
        "service_request_id": "17",
        "status": "open",
        "service_name": "Potholes",
        "agency_responsible": "Streets",
        "requested_datetime": "2024-03-01T09:00:00-06:00",
        "updated_datetime": "2024-03-02T09:00:00-06:00",
        "expected_datetime": "2024-03-05T17:00:00-06:00",
        **fields,
    }


def notes(*told: tuple[str, str]) -> list[dict[str, str]]:
    return [{"type": kind, "datetime": when, "summary": "…"} for kind, when in told]


def row_of(*copies: dict[str, Any]) -> dict[str, Any]:
    """Row of a request of which these copies were fetched, in this order and in the other one."""
    once = rows(TICKETS, read("open311", json.dumps(list(copies))))
    again = rows(TICKETS, read("open311", json.dumps(list(reversed(copies)))))
    (one,) = once.values()
    assert once == again
    return one


def test_a_closed_request_without_notes_was_closed_when_it_was_updated() -> None:
    row = row_of(request(status="closed"))
    assert row["handled_at"] == row["closed_at"] == datetime(2024, 3, 2, 15, tzinfo=UTC)
    assert row["due_at"] == datetime(2024, 3, 5, 23, tzinfo=UTC)


def test_a_request_reopened_by_its_notes_stands_as_the_last_of_them_says() -> None:
    told = [
        ("opened", "2024-03-01T09:00:00-06:00"),
        ("closed", "2024-03-02T09:00:00-06:00"),
        ("opened", "2024-03-03T09:00:00-06:00"),
    ]
    row = row_of(request(notes=notes(*told)))
    assert (row["reopenings"], row["handled_at"], row["closed_at"]) == (1, None, None)
    assert row["reopened_at"] == datetime(2024, 3, 3, 15, tzinfo=UTC)
    row = row_of(request(status="closed", notes=notes(*told, ("closed", "2024-03-04T09:00:00-06:00"))))
    assert (row["reopenings"], row["handled_at"]) == (1, datetime(2024, 3, 4, 15, tzinfo=UTC))
    assert row["first_handled_at"] == datetime(2024, 3, 2, 15, tzinfo=UTC)


def test_notes_stand_in_any_order_and_of_any_kind() -> None:
    told = notes(
        ("closed", "2024-03-03T09:00:00-06:00"),
        ("weather", "2024-03-02T10:00:00-06:00"),
        ("reopened", "2024-03-02T12:00:00-06:00"),
        ("closed", "2024-03-02T09:00:00-06:00"),
    )
    row = row_of(request(status="closed", notes=told))
    assert (row["reopenings"], row["handled_at"]) == (1, datetime(2024, 3, 3, 15, tzinfo=UTC))


def test_an_open_request_whose_notes_end_closed_was_reopened_when_it_was_updated() -> None:
    closed = notes(("closed", "2024-03-01T12:00:00-06:00"))
    row = row_of(request(notes=closed))
    assert (row["reopened_at"], row["handled_at"]) == (datetime(2024, 3, 2, 15, tzinfo=UTC), None)
    row = row_of(request(notes=closed, updated_datetime=None))
    assert (row["reopenings"], row["first_handled_at"], row["handled_at"]) == (0, None, None)


def test_a_closed_request_whose_notes_end_open_was_closed_when_it_was_updated() -> None:
    told = notes(("closed", "2024-03-01T10:00:00-06:00"), ("reopened", "2024-03-01T12:00:00-06:00"))
    row = row_of(request(status="closed", notes=told))
    assert (row["reopenings"], row["handled_at"]) == (1, datetime(2024, 3, 2, 15, tzinfo=UTC))


def test_of_copies_of_a_request_the_newest_stands_whichever_is_read_last() -> None:
    older = request(agency_responsible="Water", expected_datetime=None, service_name="Leak")
    newer = request(
        status="CLOSED", updated_datetime="2024-04-01T09:00:00-06:00", expected_datetime="2024-03-09T09:00Z"
    )
    row = row_of(older, newer)
    assert (row["department"], row["category"], row["handled"]) == ("Streets", "Potholes", True)
    assert row["due_at"] == datetime(2024, 3, 9, 9, tzinfo=UTC)


def test_what_is_missing_unknown_or_empty_does_no_harm() -> None:
    bare = {"service_request_id": 638344, "status": "open", "requested_datetime": "2024-03-01T09:00:00Z"}
    row = row_of(
        {**bare, "agency_responsible": " ", "notes": None, "extended_attributes": {"ward": 7}, "colour": {"a": []}}
    )
    assert (row["entity"], row["department"], row["district"], row["category"]) == ("638344", "", "7", "")
    assert row_of({**bare, "service_code": "pot.1"})["category"] == "pot.1"


def test_times_without_an_offset_are_of_the_zone_that_the_reader_names() -> None:
    text = json.dumps([request(requested_datetime="2024-07-01 09:00:00.987")])
    for zone, hour in {None: 9, "America/Chicago": 14, "Asia/Shanghai": 1}.items():
        (row,) = rows(TICKETS, read("open311", text, zone=zone)).values()
        assert row["created_at"] == datetime(2024, 7, 1, hour, tzinfo=UTC)


BROKEN = {
    "a status that nobody knows": (request(status="investigating"), "unknown_word"),
    "no status": (request(status=None), "missing_field"),
    "no id": (request(service_request_id=""), "missing_field"),
    "no time of the request": (request(requested_datetime=None), "missing_field"),
    "closed and nobody says when": (request(status="closed", updated_datetime=""), "missing_field"),
    "a time that is none": (request(updated_datetime="yesterday"), "bad_value"),
    "a note without a time": (request(notes=[{"type": "closed"}]), "missing_field"),
    "notes that are none": (request(notes="closed"), "bad_value"),
    "year 9999": (request(expected_datetime="9999-01-01T00:00:00Z"), "time_out_of_range"),
    "a list as a name": (request(agency_responsible=["Streets"]), "bad_value"),
    "a name of 201 bytes": (request(service_name="x" * 201), "too_large"),
    "a number as no number is": (request(requested_datetime=10**400), "time_out_of_range"),
    "half a character": (request(service_name="\ud800"), "undecodable"),
    "a bell in a name": (request(service_name="a\ab"), "bad_value"),
    "text as attributes": (request(extended_attributes="ward 7"), "bad_value"),
    "a list as a note's type": (request(status="closed", updated_datetime=None, notes=[{"type": []}]), "missing_field"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_request_is_one_dead_row_and_the_others_count(name: str) -> None:
    broken, reason = BROKEN[name]
    asked = [request(service_request_id="1"), broken, request(service_request_id="3")]
    for text, line in ((json.dumps(asked, indent=1), 11), ("\n".join(map(json.dumps, asked)), 2)):
        told = read("open311", text)
        assert dead(told) == [(reason, f"the file:{line}")]
        assert rows(TICKETS, told).keys() == {"1", "3"}
        assert sum(batch.lines_read for batch in told) == 3


def test_a_dead_row_keeps_the_bytes_of_its_object() -> None:
    broken = json.dumps(request(status="?"), indent=2)
    told = events_of(TICKETS, read("open311", f"[{json.dumps(request())},\n\n{broken}]"))
    assert told["original"].drop_nulls().to_list() == [broken.encode()]
    assert told["origin"].drop_nulls().to_list() == ["the file:3"]


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("<?xml version='1.0'?><service_requests/>", "it is XML. Ask the server for JSON"),
        ('[{"code": 404, "description": "not found"}]', "no object at its start has a service_request_id"),
        ("[]", "no object"),
        ('[{"service_request_id": "1", "status"', "the JSON ends too early, inside what begins at line 1"),
    ],
)
def test_what_is_no_answer_of_a_server_is_refused_with_the_reason(content: str, why: str) -> None:
    with pytest.raises(UnreadableError, match=why):
        read("open311", content)
