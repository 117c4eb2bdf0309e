"""What intake makes of events, whatever their order, their bundles and what they leave out."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hotline.blocks import complete
from hotline.dead_letters import REASONS
from hotline.events import WORDS, keys
from hotline.events.rules import problems
from hotline.names import JSON_BYTES_MAX
from hotline.pseudonyms import pseudonym
from hotline.subjects import SUBJECTS, TICKETS
from streams.intake import desk as desks
from streams.intake.arriving import KINDS, Arrival, NotDecodedError, decode
from streams.intake.births import Births, entity_name
from streams.intake.frames import frame
from streams.intake.keeping import kept
from streams.intake.refusals import refusal
from streams.intake.shelf import Shelf
from tests.streams.intake_desks import KEY, LOG, NOW, WAIT_S, Tables, as_json, desk

PHONE = "13912345678"
MORNING = "2023-11-14T09:00:00+08:00"
CREATED: dict[str, Any] = {"type": "ticket.created", "source": "crm", "entity": "7", "occurred_at": MORNING}
HANDLED: dict[str, Any] = {**CREATED, "type": "ticket.handled", "occurred_at": "2023-11-14T10:00:00+08:00"}
OFFERED: dict[str, Any] = {**CREATED, "type": "call.offered", "caller": PHONE}
BORN = datetime(2023, 11, 14, 1, tzinfo=UTC)

# -- what is wrong is found, and told ----------------------------------------------------------------------------------

TYPES = [kind for subject in SUBJECTS.values() for kind in subject.types]
FIELDS = sorted({name for subject in SUBJECTS.values() for name in subject.columns} - {"type"})
VALUES: list[Any] = [
    *("", " a", "a\n", "姑苏区", "吴" * 66, "吴" * 67, "x" * 200, "x" * 201, "a\0b", "12"),
    *(MORNING, "2023-11-14T09:00:00", "2023-11-14", "9999-12-31T23:59:59Z", "1989-12-31T23:59:59Z"),
    *(
        "0001-01-01T00:00:00+08:00",
        "9999-12-31T23:59:59-08:00",
        "1990-01-01T00:00:00Z",
        "1990-01-01T00:30:00+01:00",
        "2099-12-31T23:59:59.5Z",
        "2100-01-01T00:00:00Z",
    ),
    *(0, 1, -1, 65_535, 65_536, 31_622_400, 31_622_401, 10**30, 1.0, 1.5, True, False, None, [], {}, [1], {"a": 1}),
    *(word for words in WORDS.values() for word in words),
]
GOOD = st.fixed_dictionaries(
    {"type": st.sampled_from(TYPES), "source": st.just("crm"), "entity": st.just("7"), "occurred_at": st.just(MORNING)}
)
ODD = st.dictionaries(st.sampled_from([*FIELDS, "type", "text"]), st.sampled_from([*VALUES, *TYPES]), max_size=3)


def is_refused(value: bytes) -> bool:
    """Whether decoding or the rules of all events refuse it: the first reading."""
    try:
        event = decode(value)
    except NotDecodedError:
        return True
    kind = KINDS[type(event)]
    for name in kind.personal:
        if getattr(event, name):
            setattr(event, name, "a pseudonym")
    event.born_at = event.born_at or event.occurred_at
    events = frame(kind.subject, [Arrival(event, value, 0, 0, False)], received_at=NOW)
    return problems(kind.subject, complete(kind.subject, events))[0] is not None


@given(good=GOOD, odd=ODD, without=st.sampled_from([None, None, None, "type", "source", "entity", "occurred_at"]))
@settings(max_examples=250, deadline=None)
def test_a_reason_is_found_exactly_where_an_event_is_refused(good: Any, odd: Any, without: str | None) -> None:
    event = {name: value for name, value in {**good, **odd}.items() if name != without}
    value = as_json(event)
    found = refusal(value)
    assert (found is not None) == is_refused(value), (event, found)
    if found is not None:
        assert found[0] in REASONS
        assert found[1], event


NOTHING = st.none() | st.booleans() | st.integers() | st.text()
JSON = st.recursive(NOTHING, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=5)


@given(value=st.binary(max_size=40) | st.text(max_size=40).map(str.encode) | JSON.map(as_json))
@settings(max_examples=60, deadline=None)
def test_whatever_a_record_holds_it_is_refused_with_a_reason(value: bytes) -> None:
    sent = desk()
    sent.bring(value)
    (letter,) = sent.dead
    assert (letter["problem"], letter["origin"]) == ((refusal(value) or ("",))[0], f"hotline.intake/0/{LOG}/0")
    assert letter["detail"]


@pytest.mark.parametrize(
    ("event", "reason", "said"),
    [
        (b"", "undecodable", "the record is empty"),
        (b"\xff\xfe", "undecodable", "byte 0 is no UTF-8"),
        (b"\xef\xbb\xbf" + as_json(CREATED), "undecodable", "byte order mark"),
        (b"[" * 5_000, "undecodable", "send one JSON object"),
        (as_json([CREATED]), "undecodable", "holds a list; send one JSON object a record"),
        (as_json(CREATED)[:-1] + b', "text": "\xff"}', "undecodable", "no UTF-8"),
        (b" " * (JSON_BYTES_MAX + 1), "too_large", f"has {JSON_BYTES_MAX + 1} bytes"),
        ({**CREATED, "type": "ticket.create"}, "unknown_type", "did you mean ticket.created?"),
        ({**CREATED, "schema": 2}, "unknown_schema", "send schema 1"),
        ({**CREATED, "schema": 70_000}, "unknown_schema", "send schema 1"),
        ({"type": "ticket.created", "sources": "crm", "entity": "7"}, "missing_field", "there is a field 'sources'"),
        ({**CREATED, "entity": 7}, "bad_value", "entity is a number; send a text"),
        ({**CREATED, "entity": "7" * 201}, "too_large", "entity has more than 200 bytes"),
        ({**CREATED, "district": " 姑苏区"}, "bad_value", "district begins or ends with a blank"),
        ({**CREATED, "nature": "咨询"}, "unknown_word", "send one of consult, other"),
        ({**CREATED, "occurred_at": "2023-11-14 09:00"}, "bad_value", "such as 2023-03-01T09:00:00+08:00"),
        ({**CREATED, "occurred_at": "2023-11-14T09:00:00"}, "bad_value", "without an offset"),
        ({**CREATED, "occurred_at": 1_700_000_000}, "bad_value", "occurred_at is a number"),
        ({**CREATED, "born_at": "0001-01-01T00:00:00+08:00"}, "time_out_of_range", "1990 to 2099"),
        ({**CREATED, "born_at": "9999-12-31T23:59:59-08:00"}, "time_out_of_range", "1990 to 2099"),
        ({**CREATED, "revision": 1, "born_at": MORNING}, "missing_field", "id is absent"),
        ({**HANDLED, "type": "ticket.due_changed"}, "missing_field", "due_at is absent"),
        ({**CREATED, "type": "call.ended", "talk_s": -1, "born_at": MORNING}, "bad_value", "from 0 to 31622400"),
    ],
)
def test_a_refusal_names_the_field_what_it_holds_and_what_to_send(event: Any, reason: str, said: str) -> None:
    sent = desk()
    sent.bring(event)
    (letter,) = sent.dead
    assert letter["problem"] == reason
    assert said in letter["detail"]
    assert sent.positions == {0: 1}


def test_what_was_meant_is_sought_among_few_and_short_names_only() -> None:
    """Of a megabyte of nearly right names every one would be compared, for seconds."""
    near = {f"sourc{number}": "crm" for number in range(200)}
    event = {name: value for name, value in CREATED.items() if name != "source"}
    assert "(there is a field 'sourc" in (refusal(as_json(event | near)) or ("", ""))[1]
    others = {f"field_{number}": 1 for number in range(200)}
    assert "there is a field" not in (refusal(as_json(event | others | near)) or ("", ""))[1]
    assert "did you mean" not in (refusal(as_json({**CREATED, "type": "ticket.create" + "d" * 50})) or ("", ""))[1]


def test_a_pseudonym_that_is_none_is_dead_with_a_word_on_what_to_do() -> None:
    sent = desk()
    sent.bring({**OFFERED, "caller": "a\0b"}, made=True)
    assert sent.reasons == ["bad_value"]
    assert "Correct it and send again" in sent.dead[0]["detail"]


# -- the clock ---------------------------------------------------------------------------------------------------------


def at(seconds: float) -> str:
    return datetime.fromtimestamp(NOW + seconds, UTC).isoformat()


def test_only_what_lies_further_in_the_future_than_clocks_differ_is_refused() -> None:
    sent = desk()
    sent.bring({**CREATED, "occurred_at": at(300)}, {**CREATED, "entity": "8", "occurred_at": at(301)})
    sent.bring({**HANDLED, "entity": "9", "born_at": at(400), "occurred_at": at(0)})
    assert [row["entity"] for row in sent.good] == ["7"]
    assert sent.reasons == ["future_time", "future_time"]
    assert "occurred_at lies 301 s in the future" in sent.dead[0]["detail"]
    assert "born_at lies 400 s in the future" in sent.dead[1]["detail"]


def test_a_clock_that_is_set_back_keeps_nothing_waiting() -> None:
    sent = desk()
    sent.bring(HANDLED)
    done = sent.desk.take([], now=NOW - 7200, timer=NOW + WAIT_S)
    assert [block.events["problem"].to_list() for block in done.blocks] == [["unknown_ticket"]]


def test_a_deadline_may_lie_in_the_future_and_the_past_may_be_long_ago() -> None:
    sent = desk()
    sent.bring({**HANDLED, "type": "ticket.due_changed", "born_at": MORNING, "due_at": "2098-01-01T00:00:00Z"})
    sent.bring({**CREATED, "occurred_at": "1990-01-01T00:00:00Z"})
    assert (len(sent.good), sent.dead) == (2, [])


def test_the_time_of_receipt_is_stamped_only_where_none_is_stated_and_fractions_of_seconds_are_cut_off() -> None:
    sent = desk()
    sent.bring({**CREATED, "occurred_at": "2023-11-14T09:00:00.999+08:00"}, {**OFFERED, "received_at": MORNING})
    received = {row["type"]: row["received_at"] for row in sent.good}
    assert received == {"ticket.created": datetime.fromtimestamp(NOW, UTC), "call.offered": BORN}
    assert {row["occurred_at"] for row in sent.good} == {BORN}


# -- nothing personal --------------------------------------------------------------------------------------------------


def test_callers_and_operators_are_pseudonyms_and_what_events_do_not_have_is_not_kept() -> None:
    sent = desk()
    sent.bring({**OFFERED, "text": "my neighbour", "name": "Wang"})
    sent.bring({**OFFERED, "type": "call.answered", "operator": " Li Lei ", "text": "my neighbour", "caller": PHONE})
    assert sent.good[0]["caller"] == pseudonym(PHONE, KEY)
    assert sent.good[1]["operator"] == pseudonym("Li Lei", KEY)
    assert_nothing_personal(sent)


ANY_FIELD = st.sampled_from([*FIELDS, "text", "content", "name"])


@given(
    fields=st.dictionaries(ANY_FIELD, st.sampled_from([1, "x" * 300, None, {"a": "my neighbour"}, ["Li Lei"], ""])),
    caller=st.sampled_from([PHONE, int(PHONE), [PHONE], {"tel": PHONE}, f" {PHONE} ", PHONE * 30]),
    where=st.sampled_from(["caller", "operator", "text", "content"]),
)
@settings(max_examples=40, deadline=None)
def test_nothing_personal_is_kept_of_a_refused_event(fields: Any, caller: Any, where: str) -> None:
    sent = desk()
    sent.bring({**OFFERED, **fields, "caller": None, where: caller, "type": "call.unheard_of"})
    assert sent.reasons == ["unknown_type"]
    assert_nothing_personal(sent)


def assert_nothing_personal(sent: Any) -> None:
    shown = repr([{name: value for name, value in row.items() if name != "block"} for row in [*sent.good, *sent.dead]])
    for secret in (PHONE, "neighbour", "Wang", "Li Lei"):
        assert secret not in shown


def test_telephone_numbers_in_what_is_no_json_are_made_unreadable() -> None:
    sent = desk()
    sent.bring(b'{"caller": "13912345678", "line": "12345", ')
    assert sent.dead[0]["original"] == b'{"caller": "###########", "line": "12345", '


def test_what_is_kept_is_refused_again_and_its_pseudonyms_stay_what_they_are() -> None:
    for event in (
        {**OFFERED, "district": "x" * 300},
        {**OFFERED, "entity": {"id": 7}},
        {**OFFERED, "caller": 139},
        {**OFFERED, "caller": "1" * 300},
    ):
        original = kept(as_json(event), KEY, pseudonymised=False)
        assert (refusal(original) or ("",))[0] == (refusal(as_json(event)) or ("",))[0]
        assert refusal(original), event
        assert kept(original, KEY, pseudonymised=True) == original
    sent = desk()
    sent.bring(kept(as_json({**OFFERED, "occurred_at": at(0)}), KEY, pseudonymised=False), made=True)
    sent.bring({**OFFERED, "occurred_at": at(0)})
    assert [row["caller"] for row in sent.good] == [pseudonym(PHONE, KEY)] * 2


# -- completing --------------------------------------------------------------------------------------------------------

HOURS = st.integers(0, 9)
STATED = st.fixed_dictionaries(
    {
        "kind": st.sampled_from(["ticket.created", "ticket.handled", "ticket.closed", "call.offered", "call.ended"]),
        "entity": st.sampled_from(["1", "2", "3", "4"]),
        "hour": HOURS,
        "states": st.booleans(),
        "partition": st.integers(0, 1),
    }
)


def births_of(entity: str) -> datetime:
    """Each entity has one birth; so an event that states it can be made at random."""
    return BORN + timedelta(hours=int(entity))


def event_of(drawn: dict[str, Any], number: int) -> dict[str, Any]:
    birth = births_of(drawn["entity"])
    first = drawn["kind"] in ("ticket.created", "call.offered")
    event = {
        "type": drawn["kind"],
        "source": "crm",
        "entity": drawn["entity"],
        "id": str(number),
        "occurred_at": (birth if first else birth + timedelta(hours=drawn["hour"])).isoformat(),
    }
    return {**event, "born_at": birth.isoformat()} if drawn["states"] else event


@given(drawn=st.lists(STATED, max_size=14), cuts=st.lists(st.integers(1, 4), max_size=14))
@settings(max_examples=60, deadline=None)
def test_completing_and_packing_equals_a_naive_reading(drawn: list[dict[str, Any]], cuts: list[int]) -> None:
    events = [event_of(one, number) for number, one in enumerate(drawn)]
    sent = desk()
    at_event = 0
    for step, size in enumerate([*cuts, *[1] * len(events)]):
        piece = range(at_event, min(at_event + size, len(events)))
        for partition in (0, 1):
            mine = [events[number] for number in piece if drawn[number]["partition"] == partition]
            sent.bring(*mine, partition=partition, now=NOW + step / 100)
            assert_no_position_is_ahead(sent, drawn)
        at_event = piece.stop
    sent.bring(now=NOW + WAIT_S + 10)
    known = {
        (kind_of(e), e["entity"]) for e in events if "born_at" in e or e["type"] in ("ticket.created", "call.offered")
    }
    wanted = {e["id"]: births_of(e["entity"]) for e in events if (kind_of(e), e["entity"]) in known}
    assert {row["id"]: row["born_at"] for row in sent.good} == wanted
    assert len(sent.good) == len(wanted)
    assert sent.reasons == ["unknown_ticket"] * (len(events) - len(wanted))
    assert sent.positions == {p: n for p, n in sent.next_offsets.items() if n}
    for row in sent.good:
        home = keys.partitions(keys.entity_keys(pl.DataFrame({"source": ["crm"], "entity": [row["entity"]]})), 3)[0]
        assert (row["block"].partition, row["block"].subject.singular) == (home, kind_of(row))


def kind_of(event: dict[str, Any]) -> str:
    return str(event["type"]).partition(".")[0]


def assert_no_position_is_ahead(sent: Any, drawn: list[dict[str, Any]]) -> None:
    """Whatever lies below a position has left in a block."""
    gone = {int(row["id"]) for row in sent.good}
    gone_dead = {row["origin"] for row in sent.dead}
    for partition, position in sent.positions.items():
        numbers = [number for number, one in enumerate(drawn) if one["partition"] == partition]
        for offset, number in list(enumerate(numbers))[:position]:
            assert number in gone or f"hotline.intake/{partition}/{LOG}/{offset}" in gone_dead


def test_an_event_that_comes_before_its_ticket_waits_and_holds_the_position() -> None:
    sent = desk()
    sent.bring(CREATED | {"entity": "other"}, HANDLED, CREATED | {"entity": "third"})
    assert (sorted(row["entity"] for row in sent.good), sent.positions) == (["other", "third"], {0: 1})
    sent.bring(CREATED, partition=1, now=NOW + 5)
    assert [(row["type"], row["born_at"]) for row in sent.good[2:]] == [
        ("ticket.created", BORN),
        ("ticket.handled", BORN),
    ]
    assert (sent.positions, sent.dead) == ({0: 3, 1: 1}, [])


def test_an_event_of_a_ticket_never_seen_is_dead_after_the_wait_and_sent_when_the_ticket_appears() -> None:
    sent = desk()
    sent.bring(HANDLED)
    sent.bring(now=NOW + WAIT_S - 1)
    assert (sent.dead, sent.positions) == ([], {0: 0})
    sent.bring(now=NOW + WAIT_S)
    assert (sent.reasons, sent.positions) == (["unknown_ticket"], {0: 1})
    assert "no ticket of this source and entity came within 30 s" in sent.dead[0]["detail"]
    sent.bring(CREATED, now=NOW + 100)
    assert [row["type"] for row in sent.good] == ["ticket.created", "ticket.handled"]
    assert {row["born_at"] for row in sent.good} == {BORN}


def test_a_ticket_that_another_producer_brought_is_found_in_the_tables_at_once_or_while_waiting() -> None:
    tables = Tables([(entity_name(TICKETS, "crm", "7"), int(BORN.timestamp()))])
    sent = desk(tables)
    sent.bring(HANDLED, {**HANDLED, "entity": "8"})
    assert [(row["entity"], row["born_at"]) for row in sent.good] == [("7", BORN)]
    tables.births.append((entity_name(TICKETS, "crm", "8"), int(BORN.timestamp())))
    sent.bring(now=NOW + 2)
    assert [(row["entity"], row["born_at"]) for row in sent.good] == [("7", BORN), ("8", BORN)]
    asked = tables.asked
    sent.bring(HANDLED, {**HANDLED, "entity": "8"}, now=NOW + 3)
    assert (len(sent.good), tables.asked, sent.positions) == (4, asked, {0: 4})


def test_a_dead_letter_whose_ticket_another_producer_brings_later_is_sent_by_itself() -> None:
    tables = Tables()
    sent = desk(tables)
    sent.bring(HANDLED)
    sent.bring(now=NOW + WAIT_S)
    assert (sent.reasons, sent.good) == (["unknown_ticket"], [])
    tables.births.append((entity_name(TICKETS, "crm", "7"), int(BORN.timestamp())))
    later = NOW + WAIT_S + desks.RECHECK_RETIRED_S
    assert sent.desk.due_in(later - 5) == 5
    asked = tables.asked
    sent.bring(now=later - 5)
    assert (sent.good, tables.asked) == ([], asked)
    sent.bring(now=later)
    assert [(row["type"], row["born_at"]) for row in sent.good] == [("ticket.handled", BORN)]
    assert (sent.reasons, sent.positions, sent.desk.due_in(later)) == (["unknown_ticket"], {0: 1}, None)


def test_a_dead_letter_is_kept_for_an_hour_and_its_ticket_may_come_as_late() -> None:
    found = []
    for late_s in (desks.RETIRED_S - 1, desks.RETIRED_S + desks.RECHECK_RETIRED_S):
        sent = desk()
        sent.bring(HANDLED)
        sent.bring(now=NOW + WAIT_S)
        sent.bring(now=NOW + WAIT_S + late_s - 1)
        sent.bring(CREATED, now=NOW + WAIT_S + late_s)
        found.append([row["type"] for row in sent.good])
    assert found == [["ticket.created", "ticket.handled"], ["ticket.created"]]


def test_while_the_tables_are_away_nothing_is_refused_and_too_much_waiting_stops_the_intake() -> None:
    tables = Tables(away=True)
    sent = desk(tables, waiting_events_max=3)
    sent.bring(HANDLED, CREATED | {"entity": "other"})
    sent.bring(now=NOW + 10 * WAIT_S)
    assert ([row["entity"] for row in sent.good], sent.dead) == (["other"], [])
    assert not sent.desk.must_pause
    sent.bring({**HANDLED, "entity": "8"}, {**HANDLED, "entity": "9"}, now=NOW + 10 * WAIT_S)
    assert sent.desk.must_pause
    tables.away = False
    tables.births.append((entity_name(TICKETS, "crm", "8"), int(BORN.timestamp())))
    sent.bring(now=NOW + 11 * WAIT_S)
    assert (len(sent.good), sent.dead, sent.desk.must_pause) == (2, [], False)
    sent.bring(now=NOW + 12 * WAIT_S)
    assert sent.reasons == ["unknown_ticket"] * 2


def test_a_corrected_creation_keeps_the_birth() -> None:
    sent = desk()
    sent.bring({**CREATED, "id": "e"}, {**CREATED, "id": "e", "revision": 1, "occurred_at": HANDLED["occurred_at"]})
    assert [row["born_at"] for row in sent.good] == [BORN, BORN]


def test_of_an_id_that_is_used_twice_the_latest_birth_before_the_event_counts() -> None:
    births = Births(10)
    for born in (100, 300, 200, 200):
        births.learn("a", born)
    assert [births.birth("a", at_s) for at_s in (50, 100, 199, 200, 1000)] == [100, 100, 100, 200, 300]
    assert births.birth("b", 100) is None


def test_of_too_many_births_those_not_asked_for_the_longest_are_forgotten() -> None:
    births = Births(3)
    for name in "abc":
        births.learn(name, 1)
    assert births.birth("a", 1) == 1
    births.learn("d", 1)
    assert [births.birth(name, 1) for name in "abcd"] == [1, None, 1, 1]


def test_of_too_many_waiting_events_the_oldest_leave_first() -> None:
    shelf = Shelf(2, 1000)
    for offset, name in enumerate("abc"):
        shelf.put(name, [Arrival(None, b"", 0, offset, False)], until=100 + offset)
    assert [name for name, _ in shelf.overdue(0)] == ["a"]
    assert (len(shelf), shelf.first_offsets()) == (2, {0: 1})


def test_of_waiting_events_that_are_too_large_together_the_oldest_leave_first() -> None:
    shelf = Shelf(100, 250)
    for offset, name in enumerate("abcd"):
        shelf.put(name, [Arrival(None, bytes(100), 0, offset, False)], until=100 + offset)
    assert shelf.full
    assert [name for name, _ in shelf.overdue(0)] == ["a", "b"]
    assert (len(shelf), shelf.full, shelf.first_offsets()) == (2, False, {0: 2})
    shelf.take("c")
    shelf.put("e", [Arrival(None, bytes(150), 0, 4, False)], until=200)
    assert [name for name, _ in shelf.overdue(0)] == []


def test_where_an_event_belongs_is_taken_from_its_tickets_earlier_events_by_the_fold() -> None:
    """An event that does not state its district is not given one: a later correction of the ticket must still hold."""
    from hotline.fold import fold, with_keys

    sent = desk()
    sent.bring({**CREATED, "district": "姑苏区", "line": "12345"}, HANDLED)
    assert [row["district"] for row in sent.good] == ["姑苏区", None]
    events = pl.concat([block.events for block in {id(row["block"]): row["block"] for row in sent.good}.values()])
    row = fold(TICKETS, with_keys(TICKETS, events)).to_dicts()[0]
    assert (row["district"], row["line"], row["handled"]) == ("姑苏区", "12345", True)
