"""Amazon Connect's contact records: published samples against their figures, chains of contacts, and each trap."""

from __future__ import annotations

import io
import itertools
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from hotline.pseudonyms import pseudonym
from hotline.subjects import CALLS
from producers.adapters import ADAPTERS, Batch, UnreadableError
from tests.producers.telling import KEY, dead, events_of, good, read, rows

SAMPLE = Path(__file__).parents[2].parent / "shared" / "data" / "amazon_connect" / "ctr.json"
CONNECT = ADAPTERS["amazon-connect"]


def at(clock: str) -> str:
    return f"2024-03-01T10:{clock}Z"


def when(clock: str) -> datetime:
    return datetime.fromisoformat(at(clock)).astimezone(UTC)


def contact(number: int = 1, **fields: Any) -> dict[str, Any]:
    """Make a record: arrived at 10:00:00, queued at :20, answered at :50 for 100 s of talk, gone at 2:40."""
    return {
        "ContactId": f"contact-{number}",
        "Channel": "VOICE",
        "InitiationMethod": "INBOUND",
        "InitiationTimestamp": at("00:00"),
        "ConnectedToSystemTimestamp": at("00:00"),
        "CustomerEndpoint": {"Address": "+15550100", "Type": "TELEPHONE_NUMBER"},
        "Queue": {"Name": "support", "EnqueueTimestamp": at("00:20"), "DequeueTimestamp": at("00:50"), "Duration": 30},
        "Agent": agent("00:50", 100),
        "DisconnectTimestamp": at("02:40"),
        "LastUpdateTimestamp": at("04:00"),
        **fields,
    }


def agent(clock: str, talk_s: int) -> dict[str, Any]:
    groups = {"Level1": {"GroupName": "City"}, "Level2": {"GroupName": "Team 5"}, "Level3": None}
    stated = {"ConnectedToAgentTimestamp": at(clock), "AgentInteractionDuration": talk_s, "CustomerHoldDuration": 10}
    return {**stated, "Username": "jane", "HierarchyGroups": groups}


def queue(enqueued: str, dequeued: str, name: str = "second") -> dict[str, Any]:
    return {"Name": name, "EnqueueTimestamp": at(enqueued), "DequeueTimestamp": at(dequeued), "Duration": 7}


def text(*records: dict[str, Any]) -> str:
    return "".join(f"{json.dumps(record)}\n" for record in records)


def row_of(*records: dict[str, Any]) -> dict[str, Any]:
    """Row of a call, which must be the same in whatever order its records come."""
    found = [rows(CALLS, read("amazon-connect", text(*some))) for some in itertools.permutations(records)]
    assert all(one == found[0] for one in found)
    (row,) = found[0].values()
    return row


FIGURES = {"ivr_s", "wait_s", "talk_s", "answered_le30s"}
LEFT_OUT = {"after_call_work_s", "handle_s"}
"""A call ends when its caller leaves: no event says when an operator's work after it ended, and `limits` says so."""


def test_the_published_samples_give_the_figures_beside_them() -> None:
    sample = json.loads(SAMPLE.read_text())
    found = rows(CALLS, CONNECT.read(SAMPLE, key=KEY))
    assert found.keys() == sample["expected"].keys() - {"record_is_final_at"}
    assert "Work after the talk, and holds, are not part of the talk." in CONNECT.limits
    for record in sample["records"]:
        row, wanted = found[record["ContactId"]], sample["expected"][record["ContactId"]]
        assert wanted.keys() == FIGURES | LEFT_OUT
        assert wanted["handle_s"] == wanted["talk_s"] + wanted["after_call_work_s"]  # nothing else hides in it
        assert not LEFT_OUT & row.keys()
        assert (row["wait_s"], row["talk_s"]) == (wanted["wait_s"], wanted["talk_s"])
        assert (row["queued_at"] - row["born_at"]).total_seconds() == wanted["ivr_s"]
        assert (row["wait_s"] <= 30) == wanted["answered_le30s"]
        assert row["ended_at"] == datetime.fromisoformat(record["DisconnectTimestamp"])
        assert (row["outcome"], row["line"], row["direction"]) == ("answered", record["Queue"]["Name"], "inbound")


@pytest.mark.parametrize("chunk_bytes", [1, 1000, 2**20])
def test_the_layout_of_the_file_and_the_size_of_the_chunks_change_no_event(chunk_bytes: int) -> None:
    records = json.loads(SAMPLE.read_text())["records"]
    as_lines = text(*records)
    layouts = [as_lines, as_lines.replace("\n", ""), json.dumps(records, indent=3), SAMPLE.read_text()]
    order = ["entity", "occurred_at", "type"]
    wanted = good(CALLS, CONNECT.read(SAMPLE, key=KEY)).sort(order)
    assert len(wanted) == 8
    for layout in layouts:
        told = read("amazon-connect", layout, chunk_bytes=chunk_bytes)
        assert good(CALLS, told).sort(order).equals(wanted)
        assert sum(batch.lines_read for batch in told) == 2


def test_an_answered_call_states_what_its_record_states() -> None:
    row = row_of(contact())
    assert (row["born_at"], row["offered_at"], row["queued_at"]) == (when("00:00"), when("00:20"), when("00:20"))
    assert (row["answered_at"], row["wait_s"], row["talk_s"], row["ended_at"]) == (
        when("00:50"),
        30,
        100,
        when("02:40"),
    )
    assert (row["line"], row["operator_group"]) == ("support", "Team 5")
    assert (row["caller"], row["operator"]) == (pseudonym("+15550100", KEY), pseudonym("jane", KEY))


def test_numbers_names_and_attributes_are_not_kept() -> None:
    told = good(CALLS, read("amazon-connect", text(contact(Attributes={"note": "the caller cried"}))))
    texts = told.select(pl.selectors.string()).unpivot()["value"].drop_nulls()
    assert not [value for value in texts for secret in ("15550100", "jane", "cried") if secret in value]


def test_records_as_the_api_answers_them_are_read_too() -> None:
    asked = {
        "Id": "contact-1",
        "Channel": "VOICE",
        "InitiationMethod": "INBOUND",
        "InitiationTimestamp": when("00:00").timestamp() + 0.123,
        "QueueInfo": {"Id": "q-1", "EnqueueTimestamp": at("00:20")},
        "AgentInfo": {"Id": "a-1", "ConnectedToAgentTimestamp": at("00:50")},
        "DisconnectTimestamp": at("02:40"),
        "SegmentAttributes": {"connect:Subtype": {"ValueString": "connect:Telephony"}},
    }
    row = row_of(asked)
    assert (row["line"], row["wait_s"], row["talk_s"]) == ("q-1", 30, 110)


ENDINGS: dict[str, tuple[dict[str, Any], str | None]] = {
    "hung up": ({"DisconnectReason": "CUSTOMER_DISCONNECT"}, "abandoned"),
    "an old record says no reason": ({}, "abandoned"),
    "the line broke": ({"DisconnectReason": "TELECOM_PROBLEM"}, None),
    "the flow ended it": ({"DisconnectReason": "CONTACT_FLOW_DISCONNECT"}, None),
    "a reason of tomorrow": ({"DisconnectReason": "SOLAR_FLARE"}, None),
    "something followed": ({"DisconnectReason": "CUSTOMER_DISCONNECT", "NextContactId": "x"}, None),
}


@pytest.mark.parametrize("name", ENDINGS)
def test_a_queued_call_that_nobody_answered_is_abandoned_or_lost(name: str) -> None:
    fields, outcome = ENDINGS[name]
    row = row_of(contact(Agent=None, **fields))
    assert (row["outcome"], row["left_queue_at"], row["talk_s"]) == (outcome, when("00:50"), None)
    assert row["wait_s"] == (30 if outcome else None)


def test_a_record_without_an_end_says_nothing_of_one() -> None:
    row = row_of(contact(Agent=None, Queue={"Name": "q", "EnqueueTimestamp": at("00:20")}, DisconnectTimestamp=None))
    assert (row["queued_at"], row["outcome"], row["lost_at"]) == (when("00:20"), None, None)


# Chains of contacts

FIRST = contact(1, NextContactId="contact-2")
MOVED = contact(
    2,
    InitiationMethod="TRANSFER",
    PreviousContactId="contact-1",
    InitialContactId="contact-1",
    InitiationTimestamp=at("02:30"),
    Queue=queue("02:45", "03:00"),
    Agent=agent("03:00", 60),
    DisconnectTimestamp=at("04:00"),
    LastUpdateTimestamp=at("06:00"),
)
MOVED_AGAIN = {
    **MOVED,
    "ContactId": "contact-3",
    "PreviousContactId": "contact-2",
    "InitiationTimestamp": at("03:50"),
    "Queue": queue("04:05", "04:10", "third"),
    "Agent": agent("04:10", 25),
    "DisconnectTimestamp": at("05:00"),
}


def test_a_call_handed_on_is_one_call_with_the_talk_of_all_its_contacts() -> None:
    row = row_of(FIRST, MOVED)
    assert (row["entity"], row["born_at"], row["offered_at"]) == ("contact-1", when("00:00"), when("00:20"))
    assert (row["answered_at"], row["wait_s"], row["transfers"]) == (when("00:50"), 30, 1)
    assert (row["talk_s"], row["ended_at"], row["line"]) == (160, when("04:00"), "second")
    row = row_of(FIRST, MOVED, MOVED_AGAIN)
    assert (row["talk_s"], row["transfers"], row["ended_at"]) == (185, 2, when("05:00"))


def test_a_caller_moved_to_another_queue_waits_from_the_first() -> None:
    first = contact(1, Agent=None, NextContactId="contact-2", DisconnectReason="OTHER")
    moved = {**MOVED, "InitiationMethod": "QUEUE_TRANSFER"}
    row = row_of(first, moved)
    assert (row["outcome"], row["wait_s"], row["talk_s"]) == ("answered", 160, 60)
    row = row_of(first, {**moved, "Agent": None, "DisconnectReason": "CUSTOMER_DISCONNECT"})
    assert (row["outcome"], row["wait_s"], row["abandoned_at"]) == ("abandoned", 160, when("03:00"))


def test_a_call_answered_and_then_given_up_in_another_queue_stays_answered() -> None:
    row = row_of(FIRST, {**MOVED, "Agent": None})
    assert (row["outcome"], row["talk_s"], row["ended_at"]) == ("answered", 100, when("02:40"))


def test_a_contact_that_goes_on_waits_for_the_one_before_it_in_any_file_of_the_load() -> None:
    memory: dict[str, Any] = {}
    told: list[Batch] = []
    for record in (MOVED_AGAIN, MOVED, FIRST):
        told += CONNECT.read(io.BytesIO(text(record).encode()), key=KEY, memory=memory)
    assert list(CONNECT.rest_of(memory)) == []
    order = ["occurred_at", "type"]
    assert (
        good(CALLS, told)
        .sort(order)
        .equals(good(CALLS, read("amazon-connect", text(FIRST, MOVED, MOVED_AGAIN))).sort(order))
    )
    assert [batch.lines_read for batch in told] == [0, 0, 3]


def test_a_contact_whose_call_is_not_in_the_load_is_a_dead_row_that_says_what_is_missing() -> None:
    told = read("amazon-connect", text(contact(9), MOVED, MOVED_AGAIN))
    assert sorted(dead(told)) == [("missing_field", "the file:2"), ("missing_field", "the file:3")]
    assert sum(batch.lines_read for batch in told) == 3
    assert rows(CALLS, told).keys() == {"contact-9"}
    originals = events_of(CALLS, told)["original"].drop_nulls().to_list()
    assert [json.loads(original)["ContactId"] for original in originals] == ["contact-2", "contact-3"]


def test_no_more_contacts_are_held_than_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("producers.adapters.amazon_connect.HELD_MAX", 5)
    strays = [{**MOVED, "ContactId": f"s-{number}", "PreviousContactId": f"p-{number}"} for number in range(8)]
    first, *others = read("amazon-connect", text(contact(), *strays))
    assert dead([first]) == [("missing_field", f"the file:{line}") for line in (2, 3, 4)]
    assert len(dead(others)) == 5


def test_a_call_moved_out_of_the_centre_was_transferred() -> None:
    row = row_of(contact(TransferCompletedTimestamp=at("02:30"), TransferredToEndpoint={"Address": "+15550199"}))
    assert (row["transfers"], row["transferred_at"], row["outcome"]) == (1, when("02:30"), "answered")


# Copies


def test_of_copies_of_a_record_the_last_update_stands_whichever_is_read_last() -> None:
    late = contact(Agent=agent("00:50", 111), LastUpdateTimestamp="2024-03-02T10:00:00Z")
    later = contact(Agent=agent("00:50", 122), LastUpdateTimestamp="2024-05-02T10:00:00Z")
    assert row_of(contact(), late)["talk_s"] == 111
    assert row_of(contact(), late, later)["talk_s"] == 122


# Other contacts

OUTBOUND: dict[str, Any] = {
    "InitiationMethod": "OUTBOUND",
    "Queue": {"Name": "support"},
    "ConnectedToSystemTimestamp": at("01:05"),
}


@pytest.mark.parametrize("method", ["OUTBOUND", "EXTERNAL_OUTBOUND", "CALLBACK", "API"])
def test_an_outbound_call_is_answered_when_both_are_connected(method: str) -> None:
    row = row_of(contact(**{**OUTBOUND, "InitiationMethod": method}))
    assert (row["direction"], row["offered_at"], row["answered_at"]) == ("outbound", when("00:00"), when("01:05"))
    assert (row["queued_at"], row["talk_s"]) == (None, 100)


def test_an_outbound_call_that_nobody_took_was_lost() -> None:
    row = row_of(contact(**{**OUTBOUND, "ConnectedToSystemTimestamp": None}))
    assert (row["direction"], row["outcome"], row["lost_at"]) == ("outbound", None, when("02:40"))


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"Channel": "CHAT"}, "chat"),
        ({"Channel": "TASK", "InitiationMethod": "API"}, "task"),
        ({"Channel": "EMAIL", "InitiationMethod": "AGENT_REPLY"}, "email"),
        ({"InitiationMethod": "DISCONNECT"}, "after the call"),
        ({"InitiationMethod": "MONITOR"}, "listening in"),
        ({"Queue": None, "Agent": None}, "menu only"),
    ],
)
def test_what_is_no_call_is_left_out_and_counted(fields: dict[str, Any], why: str) -> None:
    told = read("amazon-connect", text(contact(1), contact(2, **fields)))
    assert [batch.skipped for batch in told] == [{why: 1}]
    assert rows(CALLS, told).keys() == {"contact-1"}


BROKEN = {
    "a channel that nobody knows": (contact(Channel="PIGEON"), "unknown_word"),
    "a method that nobody knows": (contact(InitiationMethod="TELEPATHY"), "unknown_word"),
    "no channel": (contact(Channel=None), "missing_field"),
    "no id": (contact(ContactId=None), "missing_field"),
    "no beginning": (contact(InitiationTimestamp=None), "missing_field"),
    "a transfer of nothing": (contact(InitiationMethod="TRANSFER"), "missing_field"),
    "a time that is none": (contact(DisconnectTimestamp="later"), "bad_value"),
    "a duration that is none": (contact(Queue={"Duration": "long"}), "bad_value"),
    "a duration below nothing": (contact(Agent={"AgentInteractionDuration": -1}), "bad_value"),
    "a queue that is none": (contact(Queue="support"), "bad_value"),
    "a queue of 201 bytes": (contact(Queue={"Name": "q" * 201}), "too_large"),
    "an id of 199 bytes": (contact(ContactId="c" * 199), "too_large"),
    "year 1970": (contact(InitiationTimestamp=0), "time_out_of_range"),
    "a number beyond all years": (contact(InitiationTimestamp=1e300), "time_out_of_range"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_record_is_one_dead_row_and_the_others_count(name: str) -> None:
    broken, reason = BROKEN[name]
    told = read("amazon-connect", text(contact(7), broken, contact(8)))
    assert dead(told) == [(reason, "the file:2")]
    assert rows(CALLS, told).keys() == {"contact-7", "contact-8"}
    assert sum(batch.lines_read for batch in told) == 3


def test_a_file_of_other_objects_is_refused() -> None:
    with pytest.raises(UnreadableError, match="no object at its start has a ContactId and an InitiationMethod"):
        read("amazon-connect", '{"eventType": "INITIATED", "contactId": "x"}\n')
