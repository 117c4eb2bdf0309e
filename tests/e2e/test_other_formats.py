"""Requests of Open311, queues of Asterisk and contacts of Amazon Connect through the whole product, and a log live."""

from __future__ import annotations

import json
import signal
import time
from typing import TYPE_CHECKING, Any

import pytest

from tests.e2e.stacks import COMMAND_S_MAX, DATA, Hotline, wait_until, whole

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

OPEN311 = DATA / "open311_chicago" / "requests.json"
ASTERISK = DATA / "asterisk" / "queue_log_cases.json"
CONNECT = DATA / "amazon_connect" / "ctr.json"
FILES = {"open311": OPEN311, "asterisk": ASTERISK, "amazon-connect": CONNECT}
LINES = {"open311": 50, "asterisk": 25, "amazon-connect": 2}


@pytest.fixture(scope="module")
def hotline(new_hotline: Callable[..., Hotline]) -> Hotline:
    made = new_hotline(HOTLINE_ZONE="America/Chicago")
    made.running()
    loaded = {name: made.load(name, str(file)) for name, file in FILES.items()}
    assert {name: account["lines"]["read"] for name, account in loaded.items()} == LINES
    assert all(account["counted"] == account["read"] for account in loaded.values())
    return made


def shares(hotline: Hotline, *names: str, period: str) -> dict[str, tuple[Any, Any]]:
    found = hotline.figures(*names, period=period)
    return {one["kpi"]: (one["numerator"], one["denominator"]) for one in found}


def test_requests_of_chicago_give_the_figures_of_their_notes(hotline: Hotline) -> None:
    requests = json.loads(OPEN311.read_text())
    closed = sum(request["status"] == "closed" for request in requests)
    merged = sum(request["extended_attributes"].get("duplicate", False) for request in requests)
    counts = ("tickets_created", "tickets_dispatched", "tickets_handled", "tickets_closed", "completion_rate")
    assert shares(hotline, *counts, period="2014-01-01..2016-01-01") == {
        "tickets_created": (50, None),
        "tickets_dispatched": (50, None),
        "tickets_handled": (closed - merged, None),
        "tickets_closed": (closed, None),
        "completion_rate": (closed - merged, 50),
    }
    assert (closed, merged) == (49, 1)
    by_department = hotline.figures("tickets_created", period="2014", more=("--split", "department"))
    wanted = {request["agency_responsible"] for request in requests}
    assert {one["scope"]["value"] for one in by_department if one["value"]} == wanted
    (still_open,) = hotline.figures("tickets_open", period="2014-01-01..2016-01-01")
    assert still_open["value"] == 1


def test_calls_of_asterisk_waited_and_talked_over_all_their_queues(hotline: Hotline) -> None:
    names = ("calls_offered", "calls_answered", "answer_rate", "average_wait_s", "average_talk_s", "answered_30s_share")
    assert shares(hotline, *names, period="2023-04-12") == {
        "calls_offered": (2, None),
        "calls_answered": (2, None),
        "answer_rate": (2, 2),
        "average_wait_s": (53 + 109, 2),
        "average_talk_s": (319 + 97 + 416, 2),
        "answered_30s_share": (0, 2),
    }


def test_contacts_of_amazon_connect_give_the_figures_beside_them(hotline: Hotline) -> None:
    sample = json.loads(CONNECT.read_text())
    wanted = [sample["expected"][record["ContactId"]] for record in sample["records"]]
    for period, truth in zip(("2022-04-08", "2020-03-31"), wanted, strict=True):
        names = ("calls_offered", "average_wait_s", "average_talk_s", "answered_30s_share")
        assert shares(hotline, *names, period=period) == {
            "calls_offered": (1, None),
            "average_wait_s": (truth["wait_s"], 1),
            "average_talk_s": (truth["talk_s"], 1),
            "answered_30s_share": (int(truth["answered_le30s"]), 1),
        }


def test_the_same_files_again_are_seen_whole(hotline: Hotline) -> None:
    for name in ("open311", "amazon-connect"):  # a log that was read before is read again below
        account = hotline.load(name, str(FILES[name]))
        assert account["seen"] == account["read"]


# A log that is written while it is read. The calls are of June 2024.

T = 1_717_225_200


def call(number: int, *, answered: bool) -> str:
    at, name = T + number, f"{T + number - 5}.{number}"
    head = f"{at}|{name}|live|NONE|ENTERQUEUE||0123{number}|1\n"
    if not answered:
        return f"{head}{at + 9}|{name}|live|NONE|ABANDON|1|1|9\n"
    tail = f"{at + 12}|{name}|live|SIP/1|CONNECT|12|x|3\n{at + 72}|{name}|live|SIP/1|COMPLETEAGENT|12|60|1\n"
    return head + tail


def add(file: Path, text: str) -> None:
    with file.open("a") as out:
        out.write(text)


def test_a_log_is_followed_through_rotations_until_the_reader_is_asked_to_stop(
    hotline: Hotline, tmp_path: Path
) -> None:
    log = tmp_path / "queue_log"
    log.write_text(call(0, answered=True))

    def offered() -> int:
        with hotline.writer() as client:
            found = client.query("SELECT uniqExact(entity) FROM hotline.calls WHERE line = 'live'").result_rows
        return int(found[0][0])

    follower = hotline.start("load", "asterisk", str(log), "--follow", "--json")
    try:
        wait_until(lambda: offered() == 1, "the call that was there is counted")
        add(log, call(1, answered=False) + "broken\n")
        wait_until(lambda: offered() == 2, "a call that was added is counted")
        log.rename(tmp_path / "queue_log.1")
        log.write_text(call(2, answered=True))
        wait_until(lambda: offered() == 3, "a call in the file that took its place is counted")
        log.write_text("")
        time.sleep(1)  # what is cut off and written to again between two looks of the reader is lost
        add(log, call(3, answered=True))
        wait_until(lambda: offered() == 4, "a call in the file that was cut off is counted")
        follower.send_signal(signal.SIGTERM)
        out, _ = follower.communicate(timeout=COMMAND_S_MAX)
    finally:
        follower.kill()
        follower.wait()
    account = whole(json.loads(out))
    assert (follower.returncode, account["counted"], account["dead"]) == (0, 15, 1)
    assert account["reasons"] == {"undecodable": 1}
    again = hotline.load("asterisk", str(tmp_path / "queue_log.1"), str(log))
    assert (again["counted"], again["seen"]) == (0, 11)
    names = ("calls_answered", "calls_abandoned", "average_wait_s")
    assert shares(hotline, *names, period="2024-06-01") == {
        "calls_answered": (3, None),
        "calls_abandoned": (1, None),
        "average_wait_s": (36, 3),
    }


def test_sums_rows_and_events_agree_to_the_last_unit(hotline: Hotline) -> None:
    hotline.reconciled("2014-10-31")
    hotline.reconciled("2023-04-12")
