"""Asterisk's queue log: two traces of others against a second reading, every event of the log, and each trap."""

from __future__ import annotations

import io
import itertools
import json
import tracemalloc
from collections import Counter
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

from hotline.fold import fold, with_keys
from hotline.pseudonyms import pseudonym
from hotline.subjects import CALLS
from producers.adapters import ADAPTERS, UnreadableError, queue_calls
from producers.adapters.queue_calls import KEPT_S
from tests.producers.telling import KEY, dead, events_of, good, read, rows

if TYPE_CHECKING:
    from producers.adapters import Batch

SAMPLE = Path(__file__).parents[2].parent / "shared" / "data" / "asterisk" / "queue_log_cases.json"
T = 1_700_000_000
CALL = f"{T - 20}.7"
"""A call whose channel was made twenty seconds before the first line below."""


@cache
def logs() -> list[list[dict[str, Any]]]:
    return [log["queue_log"] for log in json.loads(SAMPLE.read_text())["logs"]]


def when(second: int) -> datetime:
    return datetime.fromtimestamp(T + second, UTC)


def lines(*told: str) -> str:
    """Lines with their seconds after T, their call and event: `5 CONNECT|data`, or `5 other.id EVENT|data`."""
    made = []
    for text in told:
        second, *call, rest = text.split(" ")
        event, _, data = rest.partition("|")
        queue, _, event = event.rpartition("/")
        agent = "NONE" if event in {"ENTERQUEUE", "ABANDON"} else "SIP/8007"
        made.append(f"{T + int(second)}|{call[0] if call else CALL}|{queue or 'support'}|{agent}|{event}|{data}\n")
    return "".join(made)


def row_of(*told: str) -> dict[str, Any]:
    (row,) = rows(CALLS, read("asterisk", lines(*told))).values()
    return row


ENTER, CONNECT, COMPLETE = "0 ENTERQUEUE||0123456|1", "12 CONNECT|12|x.1|3", "72 COMPLETEAGENT|12|60|1"


# The traces


def test_the_traces_of_others_are_two_calls_answered_after_all_their_queues() -> None:
    found = rows(CALLS, ADAPTERS["asterisk"].read(SAMPLE, key=KEY))
    assert found.keys() == {log[0]["callid"] for log in logs()}
    for log in logs():
        row = found[log[0]["callid"]]
        at: dict[str, list[datetime]] = {line["event"]: [] for line in log}
        for line in log:
            at[line["event"]].append(datetime.fromisoformat(line["time"] + ":00").replace(microsecond=0))
        left = [
            at_
            for event, ats in at.items()
            if event in {"COMPLETEAGENT", "COMPLETECALLER", "BLINDTRANSFER"}
            for at_ in ats
        ]
        talks = sum((end - begin).total_seconds() for begin, end in zip(at["CONNECT"], sorted(left), strict=True))
        assert row["offered_at"] == row["queued_at"] == at["ENTERQUEUE"][0]
        assert (row["outcome"], row["answered_at"]) == ("answered", at["CONNECT"][0])
        assert row["wait_s"] == (at["CONNECT"][0] - at["ENTERQUEUE"][0]).total_seconds()
        assert (row["ended_at"], row["talk_s"]) == (max(left), talks)
        assert row["transfers"] == len(at.get("BLINDTRANSFER", []))
        assert row["line"] == "queue2"


def test_callers_left_an_empty_queue_as_often_as_the_traces_say() -> None:
    events = good(CALLS, ADAPTERS["asterisk"].read(SAMPLE, key=KEY))
    lost = events.filter(pl.col("type") == "call.lost")
    wanted = Counter((row["callid"], row["queuename"]) for log in logs() for row in log if row["event"] == "LEAVEEMPTY")
    assert Counter(lost.select("entity", "line").iter_rows()) == wanted
    assert wanted.total() == 3


def as_text(row: dict[str, Any]) -> str:
    at = datetime.fromisoformat(row["time"] + ":00")
    return f"{int(at.timestamp())}|{row['callid']}|{row['queuename']}|NONE|{row['event']}|\n"


def test_the_traces_as_text_as_rows_a_line_and_in_any_chunks_are_the_same_events() -> None:
    every = [row for log in logs() for row in log]
    texts = ["".join(map(as_text, every)), "\n".join(map(json.dumps, every)), SAMPLE.read_text()]
    order = ["entity", "occurred_at", "type", "id"]
    first = good(CALLS, read("asterisk", texts[0])).sort(order)
    assert len(first) == 18
    for text, chunk_bytes in itertools.product(texts, (1, 200, 2**20)):
        assert good(CALLS, read("asterisk", text, chunk_bytes=chunk_bytes)).sort(order).equals(first)


# A call's way


def test_an_answered_call_states_its_wait_and_talk_and_was_born_with_its_channel() -> None:
    told = good(CALLS, read("asterisk", lines(ENTER, CONNECT, COMPLETE)))
    assert told.select("type", "occurred_at", "wait_s", "talk_s").rows() == [
        ("call.offered", when(0), None, None),
        ("call.queued", when(0), None, None),
        ("call.answered", when(12), 12, None),
        ("call.ended", when(72), None, 60),
    ]
    assert told["born_at"].unique().to_list() == [when(-20)]
    assert told["caller"].drop_nulls().to_list() == [pseudonym("0123456", KEY)]
    assert told["operator"].drop_nulls().to_list() == [pseudonym("SIP/8007", KEY)]


def test_numbers_and_names_are_not_kept() -> None:
    named = lines("0 ENTERQUEUE|http://crm/7|0123456|1|Jane_Doe", CONNECT)
    texts = good(CALLS, read("asterisk", named)).select(pl.selectors.string()).unpivot()["value"].drop_nulls()
    assert not [text for text in texts for told in ("0123456", "Jane", "8007", "crm") if told in text]


@pytest.mark.parametrize("caller", ["", "unknown", "Anonymous"])
def test_a_caller_without_a_number_has_no_pseudonym(caller: str) -> None:
    assert row_of(f"0 ENTERQUEUE||{caller}|1")["caller"] is None


OUTCOMES = {
    "hung up": ("30 ABANDON|2|3|30", "abandoned", 30, None),
    "left by a key": ("30 EXITWITHKEY|1|2|3|30", "abandoned", 30, None),
    "out of time": ("30 EXITWITHTIMEOUT|2|3|30", None, None, 30),
    "nobody there": ("30 EXITEMPTY|2|3|30", None, None, 30),
    "channels that do not fit": ("30 SYSCOMPAT|", None, None, 30),
    "still waiting": ("30 RINGNOANSWER|1000", None, None, None),
    "the operator went away": ("30 AGENTDUMP|", None, None, None),
}


@pytest.mark.parametrize("name", OUTCOMES)
def test_a_call_that_nobody_answers_ends_as_its_line_says(name: str) -> None:
    line, outcome, wait_s, lost = OUTCOMES[name]
    row = row_of(ENTER, line)
    assert (row["outcome"], row["wait_s"]) == (outcome, wait_s)
    assert row["lost_at"] == (when(lost) if lost else None)


def test_the_wait_over_two_queues_is_the_whole_wait_and_the_line_the_last_queue() -> None:
    way = [ENTER, "25 EXITWITHTIMEOUT|1|1|25", "26 second/ENTERQUEUE||0123456|1"]
    row = row_of(*way, "36 second/CONNECT|10|x.2|2")
    assert (row["wait_s"], row["line"], row["queued_at"], row["left_queue_at"]) == (36, "second", when(0), when(36))
    row = row_of(*way, "46 second/ABANDON|1|1|20")
    assert (row["outcome"], row["wait_s"], row["line"]) == ("abandoned", 46, "second")


def test_a_queue_entered_again_in_the_same_second_is_its_own_event() -> None:
    way = [ENTER, "0 EXITEMPTY|1|1|0", "0 second/ENTERQUEUE||0123456|1", "9 second/CONNECT|9|x|1"]
    told = good(CALLS, read("asterisk", lines(*way)))
    assert told.filter(pl.col("type") == "call.queued")["id"].n_unique() == 2
    assert row_of(*way)["line"] == "second"


TRANSFERS = {
    "before Asterisk 12": "72 TRANSFER|200|default|12|60|1",
    "before Asterisk 1.6": "72 TRANSFER|200|default|12|60",
    "blind": "72 BLINDTRANSFER|200|default|12|60|1",
    "attended, into a bridge": "72 ATTENDEDTRANSFER|BRIDGE|0f3c|12|60|1",
    "attended, to an application": "72 ATTENDEDTRANSFER|APP|Queue|12|60|1",
    "attended, between two bridges": "72 ATTENDEDTRANSFER|LINK|Local/a;1|Local/a;2|12|60|1",
}


@pytest.mark.parametrize("name", TRANSFERS)
def test_a_transfer_ends_the_talk_with_this_operator(name: str) -> None:
    row = row_of(ENTER, CONNECT, TRANSFERS[name])
    assert (row["transfers"], row["transferred_at"], row["ended_at"], row["talk_s"]) == (1, when(72), when(72), 60)


def test_a_transfer_back_into_a_queue_goes_on_with_the_call_and_its_talk() -> None:
    back = ["80 second/ENTERQUEUE||0123456|1", "100 second/CONNECT|20|x|2", "140 second/COMPLETECALLER|20|40|1"]
    row = row_of(ENTER, CONNECT, TRANSFERS["blind"], *back)
    assert (row["wait_s"], row["answered_at"], row["talk_s"], row["ended_at"]) == (12, when(12), 100, when(140))
    row = row_of(ENTER, CONNECT, TRANSFERS["blind"], *back[:1], "95 second/ABANDON|1|1|15")
    assert (row["outcome"], row["talk_s"], row["ended_at"]) == ("answered", 60, when(72))


def test_a_log_without_durations_gives_them_by_its_times() -> None:
    row = row_of("0 ENTERQUEUE", "12 CONNECT", "72 BLINDTRANSFER", "80 ENTERQUEUE", "100 CONNECT", "140 COMPLETEAGENT")
    assert (row["wait_s"], row["talk_s"]) == (12, 100)


# Many calls at once


def day(calls: int = 400) -> list[str]:
    """Lines of overlapping calls, some of which wait in two queues or talk to two operators."""
    told: list[tuple[int, str]] = []
    for number in range(calls):
        begin, call = number * 7, f"{T + number * 7 - 3}.{number}"
        way = [(0, "ENTERQUEUE||01234|1"), (20, "CONNECT|20|x|1"), (80, "COMPLETEAGENT|20|60|1")]
        if number % 3 == 0:
            way = [(0, "ENTERQUEUE||01234|1"), (20, "EXITWITHTIMEOUT|1|1|20"), (21, "second/ENTERQUEUE||01234|1")]
            way += [(30, "second/CONNECT|9|x|1"), (50, "second/BLINDTRANSFER|2|d|9|20|1")]
            way += [(60, "ENTERQUEUE||01234|1"), (65, "CONNECT|5|x|1"), (95, "COMPLETECALLER|5|30|1")]
        told += [(begin + second, f"{begin + second} {call} {event}") for second, event in way]
    return lines(*(line for _, line in sorted(told, key=lambda line: line[0]))).splitlines(keepends=True)


def test_calls_that_overlap_do_not_disturb_one_another() -> None:
    found = rows(CALLS, read("asterisk", "".join(day())))
    assert len(found) == 400
    for row in found.values():
        twice = row["transfers"] == 1
        assert (row["wait_s"], row["talk_s"], row["line"]) == ((30, 50, "support") if twice else (20, 60, "support"))
    assert sum(row["transfers"] for row in found.values()) == 134


@pytest.mark.parametrize("cut", [1, 7, 100, 801, 1500])
def test_a_log_read_from_its_middle_and_then_whole_gives_the_same_rows_in_either_order(cut: int) -> None:
    told = day()
    whole, part = (good(CALLS, read("asterisk", "".join(some))) for some in (told, told[cut:]))
    wanted = fold(CALLS, with_keys(CALLS, whole)).drop("version").sort("entity")
    for both in ((part, whole), (whole, part), (part, whole, part)):
        assert fold(CALLS, with_keys(CALLS, pl.concat(both))).drop("version").sort("entity").equals(wanted)


def test_files_of_one_load_share_what_is_known_of_their_calls() -> None:
    told = day()
    memory: dict[str, Any] = {}
    parts: list[Batch] = []
    for part in (told[:777], told[777:]):
        parts += ADAPTERS["asterisk"].read(io.BytesIO("".join(part).encode()), key=KEY, memory=memory)
    order = ["entity", "occurred_at", "type", "id"]
    assert good(CALLS, parts).sort(order).equals(good(CALLS, read("asterisk", "".join(told))).sort(order))


def test_a_call_whose_beginning_was_not_seen_is_answered_with_its_stated_wait_and_not_offered() -> None:
    row = row_of(CONNECT, COMPLETE)
    assert (row["offered_at"], row["queued_at"], row["outcome"]) == (None, None, "answered")
    assert (row["wait_s"], row["talk_s"], row["born_at"]) == (12, 60, when(-20))
    assert row_of(COMPLETE)["ended_at"] == when(72)


def test_an_id_of_another_form_is_born_in_its_first_queue_or_dead_without_it() -> None:
    other = "0 c0ffee-uuid ENTERQUEUE||01234|1", "9 c0ffee-uuid CONNECT|9|x|1", "5 stray CONNECT|5|x|1"
    told = read("asterisk", lines(*other))
    (row,) = rows(CALLS, told).values()
    assert (row["born_at"], row["wait_s"]) == (when(0), 9)
    assert dead(told) == [("missing_field", "the file:3")]


def test_ids_may_name_the_system_and_stranger_numbers_are_no_moments() -> None:
    named = f"pbx-east-{T - 5}.12"
    told = lines(f"0 {named} ENTERQUEUE||1|1", "1 12.5 ENTERQUEUE||1|1", "2 0000000009.5 ENTERQUEUE||1|1")
    born = {entity: row["born_at"] for entity, row in rows(CALLS, read("asterisk", told)).items()}
    assert born == {named: when(-5), "12.5": when(1), "0000000009.5": when(2)}


def test_a_call_is_forgotten_a_day_after_its_last_line() -> None:
    late = KEPT_S + 100
    told = lines("0 odd ENTERQUEUE||1|1", f"{late} {T}.9 ENTERQUEUE||1|1", f"{late + 1} odd CONNECT|9|x|1")
    assert dead(read("asterisk", told)) == [("missing_field", "the file:3")]
    told = lines("0 odd ENTERQUEUE||1|1", f"{KEPT_S - 100} {T}.9 ENTERQUEUE||1|1", f"{KEPT_S} odd CONNECT|9|x|1")
    assert dead(read("asterisk", told)) == []


def test_a_log_of_calls_that_never_end_is_read_in_constant_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    kept = 500
    monkeypatch.setattr(queue_calls, "CALLS_KEPT", kept)
    content = lines(*(f"0 {T}.{number} ENTERQUEUE||1|1" for number in range(kept * 16))).encode()

    def peak(part: bytes) -> int:
        tracemalloc.start()
        batches = ADAPTERS["asterisk"].read(io.BytesIO(part), key=KEY, chunk_bytes=2**14)
        assert sum(batch.lines_read for batch in batches) > kept * 7
        found = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return found

    peak(content[: len(content) // 2])  # whatever is loaded at the first use is no part of it
    assert peak(content) < peak(content[: len(content) // 2]) * 1.2


# Lines


def test_lines_that_are_of_no_call_are_skipped_and_counted() -> None:
    told = [f"{T}|NONE|NONE|NONE|QUEUESTART|", f"{T}|NONE|q|SIP/1|PAUSE|lunch", f"{T}|{T}.1|q|SIP/1|WRAPUPSTART|"]
    told += [f"{T}|{T}.1|q|NONE|JOINEMPTY|", f"{T}|{T}.1|NONE|NONE|DID|12345"]
    (batch,) = read("asterisk", "\n".join(told))
    assert batch.skipped == {"system": 1, "operators": 2, "not queued": 1, "remarks": 1}
    assert (batch.frames, batch.lines_read, batch.lines_broken) == ({}, 5, 0)


def test_rows_of_the_table_are_read_in_its_older_and_its_newer_form() -> None:
    newer = {
        "time": "2023-11-14 22:13:32",
        "callid": CALL,
        "queuename": "support",
        "agent": "SIP/8007",
        "event": "CONNECT",
    }
    forms = [
        {**newer, "data1": "12", "data2": "x.1", "data3": "3", "data4": "", "data5": None, "id": 5},
        {**newer, "data": "12|x.1|3", "time": "2023-11-15 06:13:32+08"},
        {**newer, "data": "12|x.1|3", "time": str(T + 12), "node": "a"},
        {**newer, "data1": 12, "time": f"{T + 12}.987"},
        {**newer, "data1": "12", "time": "2023-11-14T22:13:32.123456Z"},
    ]
    wanted = good(CALLS, read("asterisk", lines(CONNECT)))
    for form in forms:
        assert good(CALLS, read("asterisk", json.dumps(form))).equals(wanted), form


def test_wall_clock_times_are_of_the_zone_that_the_reader_names() -> None:
    row = {"time": "2023-11-15 06:13:20.5", "callid": CALL, "queuename": "q", "event": "ENTERQUEUE"}
    told = good(CALLS, read("asterisk", json.dumps(row), zone="Asia/Shanghai"))
    assert told["occurred_at"].unique().to_list() == [when(0)]


def spoilt(event: str = "CONNECT", **parts: Any) -> str:
    line = {"at": T, "call": CALL, "queue": "q", "agent": "SIP/1", "event": event, "data": "5|x|1", **parts}
    return "|".join(map(str, line.values()))


BROKEN = {
    "an event that nobody knows": (spoilt("TELEPORT"), "unknown_word"),
    "no event": (spoilt(""), "missing_field"),
    "no call": (spoilt(call=""), "missing_field"),
    "no time": (spoilt(at=""), "missing_field"),
    "a time that is none": (spoilt(at="noon"), "bad_value"),
    "the year 1970": (spoilt(at=5), "time_out_of_range"),
    "a time beyond 2099": (spoilt(at=10**13), "time_out_of_range"),
    "a time of 5,000 digits": (spoilt(at="9" * 5_000), "time_out_of_range"),
    "a call of 5,000 digits": (spoilt(call="9" * 5_000 + ".1"), "too_large"),
    "a wait of 5,000 digits": (spoilt(data="9" * 5_000), "bad_value"),
    "a wait that is no number": (spoilt(data="soon|x|1"), "bad_value"),
    "a wait below nothing": (spoilt(data="-5|x|1"), "bad_value"),
    "a queue of 201 bytes": (spoilt(queue="q" * 201), "too_large"),
    "a bell in the queue": (spoilt(queue="q\a1"), "bad_value"),
    "four columns": ("|".join(spoilt().split("|")[:4]), "undecodable"),
    "a row of a table": (json.dumps({"event": "CONNECT"}), "undecodable"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_line_is_one_dead_row_and_the_others_count(name: str) -> None:
    text, reason = BROKEN[name]
    first, last = lines(ENTER), lines(CONNECT, COMPLETE)
    told = read("asterisk", f"{first}{text}\n{last}")
    assert dead(told) == [(reason, "the file:2")]
    assert [batch.lines_broken for batch in told] == [1]
    whole = rows(CALLS, read("asterisk", first + last))
    assert rows(CALLS, told) == whole
    assert events_of(CALLS, told)["original"].drop_nulls().to_list() == [text.encode()]


def test_a_file_without_such_lines_is_refused() -> None:
    with pytest.raises(
        UnreadableError, match="no line at its start has a time, a call, a queue, an agent and an event"
    ):
        read("asterisk", "a|b|c\n")


def test_all_events_of_a_call_are_born_in_the_same_second_whatever_stands_between() -> None:
    told = good(CALLS, read("asterisk", "".join(day()), chunk_bytes=5_000))
    births = told.group_by("entity").agg(pl.col("born_at").n_unique(), pl.col("occurred_at").n_unique())
    assert births["born_at"].to_list() == [1] * 400
    assert births["occurred_at"].min() == 3
