"""Records that crash whoever reads them become dead letters, and a line stops when too much becomes one in a row."""

from __future__ import annotations

import base64
import json
import os
import signal
import subprocess
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

from hotline.blocks import complete, pack
from hotline.data_folder import DataFolder
from hotline.subjects import CALLS
from streams.in_hand import InHand, Span
from tests.e2e.sending import send_blocks, send_record
from tests.e2e.stacks import Hotline, wait_until
from tests.faults.crashing import DEADLY_COLUMN, DEADLY_TEXT, pythonpath

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

IN_A_ROW_MAX = 30
NOW = datetime.now(UTC).replace(microsecond=0)


@pytest.fixture(scope="module")
def hotline(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hotline]:
    folder = tmp_path_factory.mktemp("poison")
    environ = {"HOTLINE_ZONE": "Asia/Shanghai", "HOTLINE_CALENDAR": "none", "PYTHONPATH": pythonpath(folder)}
    made = Hotline(folder / "d", **environ, HOTLINE_DEAD_EVENTS_IN_A_ROW_MAX=str(IN_A_ROW_MAX))
    try:
        made.running()
        yield made
    finally:
        made.clean()


def event(number: int, source: str) -> dict[str, Any]:
    at = (NOW - timedelta(seconds=number)).isoformat()
    return {"type": "call.offered", "source": source, "entity": str(number), "born_at": at, "occurred_at": at}


def events(source: str, count: int) -> pl.DataFrame:
    rows = [event(number, source) for number in range(count)]
    times = {
        name: pl.col(name).str.to_datetime("%Y-%m-%dT%H:%M:%S%z", time_unit="ms") for name in ("born_at", "occurred_at")
    }
    return complete(CALLS, pl.DataFrame(rows).with_columns(**times))


def worker_said(hotline: Hotline) -> str:
    return (hotline.data / "log" / "worker-0.log").read_text()


def deaths(hotline: Hotline) -> int:
    return (hotline.data.parent / "up.log").read_text().count("worker-0: was ended by signal 11")


def letters(hotline: Hotline, reason: str) -> list[dict[str, Any]]:
    listed = hotline.do("dead-letters", "list", "--reason", reason, "--json").json
    return [hotline.do("dead-letters", "show", one["id"], "--json").json for one in listed]


def test_a_block_that_crashes_its_decoder_is_set_aside_with_its_bytes_and_the_line_goes_on(hotline: Hotline) -> None:
    (block,) = (one for one in pack(CALLS, events("poison", 40), 2) if one.partition == 0)
    value = type(block)("x", CALLS, 0, block.events.with_columns(pl.lit(1).alias(DEADLY_COLUMN))).encode()
    found = send_record(hotline, CALLS, 0, value, block_id="poison")
    assert (found["dead"], found["reasons"]) == (1, {"poison": 1})
    (letter,) = letters(hotline, "poison")
    assert (letter["id"], letter["detail"]) == (f"{found['place']}/0", "signal 11 (SIGSEGV)")
    assert letter["original_base64"] == base64.b64encode(value).decode()
    assert "ALARM hotline.calls/0/1/0 is poison: 2 workers died over it" in worker_said(hotline)
    assert deaths(hotline) >= 1
    assert send_blocks(hotline, pack(CALLS, events("after", 40), 2)).counted == 40


def test_events_that_crash_their_decoder_are_set_aside_and_those_around_them_count(hotline: Hotline) -> None:
    lines = [json.dumps(event(number, "json")) for number in range(60)]
    lines[20] = lines[20][:-1] + f', "note": "{DEADLY_TEXT}, 13912345678"}}'
    lines[41] = lines[41][:-1] + f', "note": "{DEADLY_TEXT}"}}'
    done = hotline.do("send", "-", "--wait", "--json", stdin="\n".join(lines).encode())
    assert (done.json["stored"], done.json["reasons"]) == (58, {"poison": 2}), done.out + done.said
    originals = {letter["original"] for letter in letters(hotline, "poison") if "original" in letter}
    assert originals == {lines[20].replace("13912345678", "#" * 11), lines[41]}


def test_who_is_killed_over_a_good_block_again_and_again_does_not_make_it_poison(hotline: Hotline) -> None:
    hotline.do("down")
    hotline.ups[-1].wait(60)
    for _ in range(12):
        killed = InHand(DataFolder(hotline.data).in_hand("hotline.calls", 0))
        killed.begin(Span(2, 0, 1))
        killed.close()
    del hotline.environ["PYTHONPATH"]
    hotline.running()
    before = len(letters_of(hotline, "poison"))
    assert send_blocks(hotline, pack(CALLS, events("good", 40), 2)).counted == 40
    assert "12 workers died over hotline.calls/0/2/0, but a process of its own reads it" in worker_said(hotline)
    assert len(letters_of(hotline, "poison")) == before


def test_after_an_upgrade_that_survives_them_poison_is_sent_again_and_counts(hotline: Hotline) -> None:
    done = hotline.do("dead-letters", "retry", "--reason", "poison", "--json").json
    assert (done["letters"], done["blocks"], done["stored"], done["dead"]) == (3, 1, 2, 0)
    assert done["of_blocks"]["counted"] > 0
    assert done["of_blocks"]["dead"] == 0


RUBBISH = b"1683000000|1|q|NONE|QUEUESTART|\n" + b"".join(
    b"rubbish %d\n" % number for number in range(5 * IN_A_ROW_MAX)
)


def test_a_file_of_rubbish_stops_no_line(hotline: Hotline, tmp_path: Path) -> None:
    (tmp_path / "queue_log").write_bytes(RUBBISH)
    done = hotline.do("load", "asterisk", str(tmp_path / "queue_log"), "--json")
    assert done.json["dead"] == done.json["lines"]["broken"] == 5 * IN_A_ROW_MAX, done.out + done.said
    assert hotline.do("status").code == 0


def test_a_line_stops_before_more_is_diverted_and_goes_on_when_told_to(hotline: Hotline) -> None:
    bad = [json.dumps({**event(number, "wrong"), "type": "ticket.vanished"}) for number in range(2 * IN_A_ROW_MAX)]
    sender = hotline.start("send", "-", "--wait", "--json", stdin=subprocess.PIPE)
    assert sender.stdin is not None
    sender.stdin.write("\n".join(bad).encode())
    sender.stdin.close()
    wait_until(hotline.stands, "the line stops")
    (why,) = stops(hotline)
    assert "are dead letters (unknown_type" in why
    assert f"ALARM {why}" in worker_said(hotline)
    assert len(letters_of(hotline, "unknown_type")) <= IN_A_ROW_MAX
    assert send_blocks(hotline, pack(CALLS, events("beside", 40), 2)).counted == 40, "other lines go on"
    os.kill(hotline.pid("worker-0"), signal.SIGKILL)
    wait_until(lambda: hotline.ready() and stops(hotline) == [why], "a restart decides nothing")
    while sender.poll() is None:
        for place in {one.rpartition(" ")[2] for one in hotline.stands()}:
            done = hotline.do("dead-letters", "accept", place)
            assert done.code == 0, done.said
        time.sleep(0.2)
    assert sender.stdout is not None
    with sender.stdout as out:
        assert json.loads(out.read())["reasons"] == {"unknown_type": len(bad)}
    assert hotline.do("status").code == 0


def stops(hotline: Hotline) -> list[str]:
    found = hotline.do("status", "--json").json
    return [why for part in found["parts"] for why in part["stopped"]]


def letters_of(hotline: Hotline, reason: str) -> list[Any]:
    listed: list[Any] = hotline.do("dead-letters", "list", "--reason", reason, "--limit", "1000", "--json").json
    return listed
