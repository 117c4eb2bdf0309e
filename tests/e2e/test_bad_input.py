"""Files and records that are not what they should be, through the real command and the real stack.

One clear sentence, or dead letters with their reason and the rest counted; never a traceback, and nothing hangs: a
command that does not end in time fails its test.
"""

from __future__ import annotations

import base64
import random
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

from hotline.blocks import Block, complete
from hotline.events import keys
from hotline.subjects import CALLS, TICKETS
from tests.e2e import bank
from tests.e2e.conftest import ZONE
from tests.e2e.sending import send_blocks, send_events, send_record
from tests.e2e.stacks import DATA, Done, Hotline, adds_up

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

HEADER = bank.lines("january")[0]
CALL = b"AA0101\t%d\t0\t0\t%s\t%s\t%s\t%s\t5\t0:00:00\t0:00:00\t0\tHANG\t0:00:00\t0:00:00\t0\tNO_SERVER\n"
EVENTS_A_CALL = 2
JANUARY_GZ = bank.FILES["january"]


def call(number: int, *, kind: bytes = b"PS", date: bytes = b"990315", at: bytes = b"10:00:00") -> bytes:
    return CALL % (number, kind, date, at, at)


@pytest.fixture(scope="module")
def hotline(new_hotline: Callable[..., Hotline]) -> Hotline:
    made = new_hotline(HOTLINE_ZONE=ZONE)
    made.running()
    return made


@pytest.fixture(scope="module")
def numbers() -> Iterator[int]:
    """Give ids of calls that no test has used."""
    return iter(range(1, 1_000_000))


def load(hotline: Hotline, content: bytes, tmp_path: Path, *more: str, name: str = "calls.txt") -> Done:
    file = tmp_path / name
    file.write_bytes(content)
    done = hotline.do("load", "bank1999", str(file), "--json", *more)
    assert "Traceback" not in done.said
    return done


# -- files that hold nothing -------------------------------------------------------------------------------------------

NOTHING: dict[str, tuple[bytes, str]] = {
    "empty": (b"", "empty"),
    "binary rubbish": (random.Random(1).randbytes(300_000), ""),
    "nothing but NULs": (bytes(100_000), ""),
    "a line of 10 MB and no more": (b"x" * 10_000_000, ""),
    "UTF-16": (HEADER.decode().encode("utf-16"), "UTF-8"),
    "the first bytes of a gzip file": (JANUARY_GZ.read_bytes()[:20] if JANUARY_GZ.exists() else b"", "too early"),
}


@pytest.mark.parametrize("name", NOTHING)
def test_a_file_that_holds_nothing_is_one_sentence(hotline: Hotline, name: str, tmp_path: Path) -> None:
    content, named = NOTHING[name]
    done = load(hotline, content, tmp_path, name="the file")
    assert (done.code, done.out) == (2, "")
    assert done.said.count("\n") == 1
    assert "the file" in done.said
    assert named in done.said


def test_the_wrong_adapter_and_an_unknown_zone_are_one_sentence_each(hotline: Hotline) -> None:
    wrong = hotline.do("load", "bank1999", str(DATA / "boston311" / "2015_h1.parquet"))
    zone = hotline.do("load", "bank1999", str(JANUARY_GZ), "--zone", "Asia/Jerusalm")
    own_zone = hotline.do("load", "bank1999", str(JANUARY_GZ), HOTLINE_ZONE="Mars/Olympus")
    other_zone = hotline.do("load", "bank1999", str(JANUARY_GZ), HOTLINE_ZONE="Asia/Shanghai")
    for done, named in ((wrong, "bank1999"), (zone, "Asia/Jerusalem"), (own_zone, "Mars/Olympus")):
        assert (done.code, done.out, done.said.count("\n")) == (2, "", 1)
        assert named in done.said
    assert other_zone.code == 2
    assert "Asia/Shanghai" in other_zone.said
    assert ZONE in other_zone.said


# -- files that hold something -----------------------------------------------------------------------------------------


def test_a_truncated_file_counts_what_was_readable(hotline: Hotline, tmp_path: Path) -> None:
    done = load(hotline, JANUARY_GZ.read_bytes()[:400_000], tmp_path, name="cut.gz")
    account = done.json
    assert (done.code, account["complete"]) == (1, False)
    assert adds_up(account)
    assert bank.EVENTS["january"] * 0.3 < account["counted"] < bank.EVENTS["january"] * 0.7
    assert "cut.gz" in account["problem"]
    with hotline.writer() as client:
        stored = client.query("SELECT count() FROM hotline.call_events WHERE born_at < '1999-02-01'").result_rows
    assert stored[0][0] == account["counted"]


BROKEN: dict[str, tuple[bytes, str]] = {
    "a line of 10 MB": (call(1, kind=b"x" * 10_000_000), "too_large"),
    "year 0": (call(1, date=b"00000215"), "time_out_of_range"),
    "year 9999": (call(1, date=b"99990215"), "time_out_of_range"),
    "no date": (call(1, date=b""), "missing_field"),
    "no outcome": (call(1).replace(b"HANG", b""), "missing_field"),
    "a NUL": (call(1, kind=b"P\0S"), "undecodable"),
    "another encoding": (call(1, kind="ירושלים".encode("cp1255")), "undecodable"),
    "rubbish between lines": (b"\x80\x81\xff\xfe not a call\n", "undecodable"),
    "an unknown word": (call(1).replace(b"HANG", b"VOICEMAIL"), "unknown_word"),
    "a time that summer time skips": (call(1, date=b"990402", at=b"2:30:00"), "time_skipped"),
}


def test_every_broken_line_is_a_dead_letter_with_its_reason_and_the_rest_counts(
    hotline: Hotline, numbers: Iterator[int], tmp_path: Path
) -> None:
    lines = [HEADER]
    for text, _ in BROKEN.values():
        lines += [call(next(numbers)), text]
    done = load(hotline, b"".join([*lines, call(next(numbers))]), tmp_path, name="broken.txt")
    account = done.json
    assert (done.code, account["complete"], account["lines"]["broken"]) == (0, True, len(BROKEN))
    assert account["counted"] == (len(BROKEN) + 1) * EVENTS_A_CALL
    assert account["read"] == account["counted"] + account["dead"]
    wanted = sorted(reason for _, reason in BROKEN.values())
    assert sorted(reason for reason, count in account["reasons"].items() for _ in range(count)) == wanted
    letters = hotline.do("dead-letters", "list", "--json").json
    of_file = {int(one["origin"].rpartition(":")[2]): one for one in letters if "broken.txt" in one["origin"]}
    place = 3  # after the header and a good line
    for text, reason in BROKEN.values():
        assert of_file[place]["reason"] == reason
        shown = hotline.do("dead-letters", "show", of_file[place]["id"], "--json").json
        assert text.startswith(original(shown))
        place += 2


def original(letter: dict[str, Any]) -> bytes:
    """Give the bytes of a dead letter; as text where they are text."""
    if "original" in letter:
        return str(letter["original"]).encode()
    return base64.b64decode(letter["original_base64"])


def test_a_time_that_the_end_of_summer_time_repeats_counts_once_at_its_first_pass(
    hotline: Hotline, numbers: Iterator[int], tmp_path: Path
) -> None:
    done = load(hotline, HEADER + call(next(numbers), kind=b"TWICE", date=b"990903", at=b"1:30:00"), tmp_path)
    assert done.json["counted"] == EVENTS_A_CALL
    found = hotline.figures("calls_offered", period="1999-09-03", more=("--by", "hour", "--scope", "line=TWICE"))
    assert len(found) == 25
    assert [result["from"] for result in found if result["value"]] == ["1999-09-03T01:00:00+03:00"]


def test_the_same_call_with_other_content_stands_beside_the_first_and_is_told_as_revised(
    hotline: Hotline, numbers: Iterator[int], tmp_path: Path
) -> None:
    number = next(numbers)
    first, other = call(number, kind=b"ONE"), call(number, kind=b"TWO")
    assert load(hotline, HEADER + first, tmp_path).json["counted"] == EVENTS_A_CALL
    account = load(hotline, HEADER + other, tmp_path).json
    assert (account["counted"], account["revised"], account["seen"]) == (0, 1, 1)
    account = load(hotline, HEADER + other + first, tmp_path).json
    assert (account["counted"], account["revised"], account["seen"]) == (0, 0, 2 * EVENTS_A_CALL)
    found = hotline.figures("calls_offered", period="1999-03-15", more=("--split", "line"))
    assert sum(result["value"] for result in found if result["scope"]["value"] in {"ONE", "TWO"}) == 1
    hotline.reconciled("1999-03-15")
    with hotline.writer() as client:
        late = "SELECT subject, toString(day), sum(events) FROM hotline.changed_days GROUP BY ALL"
        assert ("calls", "1999-03-15", 1) in set(map(tuple, client.query(late).result_rows))


# -- blocks and records that no adapter makes --------------------------------------------------------------------------


def offered(births: list[datetime], *, source: str) -> pl.DataFrame:
    rows = {
        "type": ["call.offered"] * len(births),
        "source": [source] * len(births),
        "entity": [str(number) for number in range(len(births))],
        "born_at": births,
        "occurred_at": births,
    }
    return complete(CALLS, pl.DataFrame(rows))


def test_a_block_over_more_than_a_hundred_months_and_years_is_one_block(hotline: Hotline) -> None:
    months = [datetime(1990 + number // 12, 1 + number % 12, 20, 9, tzinfo=UTC) for number in range(12 * 109)]
    account = send_events(hotline, CALLS, [offered(months, source="months")], events_max=50_000)
    assert (account.read, account.counted) == (len(months), len(months))
    again = send_events(hotline, CALLS, [offered(months, source="months")], events_max=50_000)
    assert (again.counted, again.seen) == (0, len(months))
    for year in (1990, 2044, 2098):
        found = hotline.figures("calls_offered", period=str(year), more=("--by", "month"))
        assert [result["value"] for result in found] == [1] * 12
    hotline.reconciled("2044-05")


@pytest.mark.parametrize(
    "value",
    [b"", b"\0" * 1_000, b'{"type": "call.offered"}', random.Random(2).randbytes(3_000_000)],
    ids=["nothing", "NULs", "JSON", "three million random bytes"],
)
def test_a_record_that_is_no_block_is_one_dead_letter_with_its_bytes(hotline: Hotline, value: bytes) -> None:
    name = f"by-hand-{len(value)}"
    found = send_record(hotline, CALLS, 1, value, block_id=name)
    place = found.pop("place")
    assert found == {"counted": 0, "seen": 0, "revised": 0, "dead": 1, "reasons": {"undecodable": 1}}
    shown = hotline.do("dead-letters", "show", f"{place}/0", "--json").json
    assert (shown["reason"], original(shown)) == ("undecodable", value)
    assert shown["origin"].startswith("hotline.calls/1/")


def test_a_block_cut_short_is_dead_and_the_next_one_counts(hotline: Hotline) -> None:
    births = [datetime(1999, 5, 1, 9, tzinfo=UTC) + timedelta(minutes=number) for number in range(500)]
    events = of_partition(offered(births, source="cut"), 0)
    value = Block("x", CALLS, 0, events).encode()
    assert send_record(hotline, CALLS, 0, value[: len(value) // 2], block_id="cut")["dead"] == 1
    assert send_record(hotline, CALLS, 0, value, block_id="not-cut")["counted"] == len(events) > 100


def test_whatever_key_a_record_has_its_events_count(hotline: Hotline) -> None:
    births = [datetime(1999, 5, 4, 9, tzinfo=UTC) + timedelta(minutes=number) for number in range(200)]
    events = of_partition(offered(births, source="keys"), 0)
    draw = random.Random(3)
    for at, key in enumerate((b"", b"\0", b"\xff\xfe{", "吴".encode(), draw.randbytes(200), draw.randbytes(1 << 20))):
        value = Block("x", CALLS, 0, events[at : at + 1]).encode()
        assert send_record(hotline, CALLS, 0, value, block_id=f"key-{at}", key=key)["counted"] == 1


def of_partition(events: pl.DataFrame, partition: int) -> pl.DataFrame:
    return events.filter(pl.Series(keys.partitions(keys.entity_keys(events), 2)) == partition)


def test_a_block_of_another_partition_is_dead_event_by_event(hotline: Hotline) -> None:
    births = [datetime(1999, 5, 2, 9, tzinfo=UTC) + timedelta(minutes=number) for number in range(500)]
    events = offered(births, source="stray")
    stray = len(of_partition(events, 1))
    assert stray > 100
    account = send_blocks(hotline, [Block("stray", CALLS, 0, events)])
    assert (account.counted, account.dead, account.reasons) == (500 - stray, stray, {"wrong_partition": stray})


def test_events_with_holes_or_lies_are_dead_and_those_beside_them_count(hotline: Hotline) -> None:
    at = datetime(1999, 5, 3, 9, tzinfo=UTC)
    good: dict[str, Any] = {
        "type": "ticket.created",
        "source": "lies",
        "entity": "1",
        "born_at": at,
        "occurred_at": at,
        "revision": 0,
        "nature": None,
        "district": None,
    }
    bad = [
        (good | {"entity": None}, "missing_field"),
        (good | {"born_at": None}, "missing_field"),
        (good | {"occurred_at": datetime(9999, 1, 1, tzinfo=UTC)}, "time_out_of_range"),
        (good | {"occurred_at": datetime(1, 1, 1, tzinfo=UTC)}, "time_out_of_range"),
        (good | {"type": "ticket.vanished"}, "unknown_type"),
        (good | {"nature": "whatever"}, "unknown_word"),
        (good | {"district": "x" * 201}, "too_large"),
        (good | {"district": "a\0b"}, "bad_value"),
        (good | {"revision": 1}, "missing_field"),
    ]
    schema = {name: TICKETS.columns[name] for name in good}
    frame = pl.DataFrame([good, *(row for row, _ in bad)], schema=schema)
    account = send_events(hotline, TICKETS, [frame], events_max=50)
    reasons = [reason for _, reason in bad]
    assert (account.counted, account.dead) == (1, len(bad))
    assert account.reasons == {reason: reasons.count(reason) for reason in reasons}


def test_after_all_of_it_the_stack_works_and_agrees(hotline: Hotline) -> None:
    assert hotline.do("status").code == 0
    hotline.load("bank1999", str(JANUARY_GZ))
    assert hotline.reconciled("1999-01")["events"] >= bank.EVENTS["january"]
