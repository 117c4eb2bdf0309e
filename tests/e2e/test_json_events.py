"""Single JSON events of strangers, through the real stack to the figures, and back to their sender where wrong."""

from __future__ import annotations

import itertools
import json
import os
import re
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest
from kafka import KafkaProducer

from hotline.blocks import complete
from hotline.names import INTAKE_TOPIC
from hotline.subjects import TICKETS
from tests.e2e.sending import send_events
from tests.e2e.stacks import ROOT, Hotline, wait_until

if TYPE_CHECKING:
    from collections.abc import Callable

DAY = "2023-11-14"
MORNING = f"{DAY}T09:00:00+08:00"
NOON = f"{DAY}T12:00:00+08:00"


@pytest.fixture(scope="module")
def hotline(new_hotline: Callable[..., Hotline]) -> Hotline:
    made = new_hotline(HOTLINE_UNKNOWN_TICKET_WAIT_S="3")
    made.running()
    return made


def send(hotline: Hotline, *events: Any) -> dict[str, Any]:
    """Send by the command and wait; the account, of which nothing may be missing."""
    lines = "\n".join(event if isinstance(event, str) else json.dumps(event, ensure_ascii=False) for event in events)
    done = hotline.do("send", "-", "--wait", "--json", stdin=lines.encode())
    assert done.code == 0, done.said
    account: dict[str, Any] = done.json
    assert account["read"] == account["sent"] == account["stored"] + account["dead"] == len(events)
    return account


def ticket(kind: str, entity: str, at: str = MORNING, **more: Any) -> dict[str, Any]:
    return {"type": f"ticket.{kind}", "source": "crm", "entity": entity, "occurred_at": at, **more}


def created(hotline: Hotline, *more: str) -> Any:
    return hotline.figures("tickets_created", period=DAY, more=more)[0]["numerator"]


def test_the_examples_of_the_page_do_what_it_says(hotline: Hotline, tmp_path: Path) -> None:
    page = (ROOT / "docs" / "sending.md").read_text()
    blocks = re.findall(r"^```(sh|python)\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    assert [kind for kind, _ in blocks] == ["sh", "sh", "python", "sh"]
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    said = []
    for kind, text in blocks:
        if kind == "python":
            (tmp_path / "sender.py").write_text(text)
            continue
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", text],
            env={**hotline.environ, "PATH": path, "PYTHONPATH": str(ROOT)},
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=150,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        said.append(done.stdout)
    assert re.search(r"^7 +7 +6 +1$", said[0], re.MULTILINE), said[0]
    assert "occurred_at is a text that is no time; send a text such as" in said[1]
    with hotline.writer() as client:
        sql = "SELECT count() FROM hotline.tickets FINAL WHERE entity = 'T-1' AND closed_at IS NOT NULL"
        wait_until(lambda: client.query(sql).result_rows == [(1,)], "the event of the program is stored")
    found = hotline.figures("tickets_handled", "answered_30s_share", period="2023-03")
    assert [result["numerator"] for result in found] == [1, 1]


def test_what_a_plain_producer_sends_reaches_figures_and_board_and_the_wrong_ones_come_back(hotline: Hotline) -> None:
    before = created(hotline) or 0  # no value where nothing is stored of a day
    events = [ticket("created", f"plain-{n}", district="吴中区") for n in range(50)]
    events += [ticket("handled", f"plain-{n}", NOON) for n in range(50)]
    now = datetime.now(UTC).isoformat(timespec="seconds")
    events += [ticket("created", f"plain-now-{n}", now, district="高新区") for n in range(3)]
    wrong = [ticket("created", "plain-x", district=3), {"type": "ticket.created", "source": "crm"}]
    producer = KafkaProducer(bootstrap_servers=hotline.settings.bootstrap)
    for event, key in zip([*events, *wrong], itertools.cycle((None, b"", b"\xff\xfe{", bytes(100_000)))):
        producer.send(INTAKE_TOPIC, json.dumps(event).encode(), key=key, headers=[("", b"\xff")])
    producer.flush()
    producer.close()
    wait_until(lambda: created(hotline) == before + 50, "the tickets are counted")
    wait_until(
        lambda: on_the_board(hotline, "district=高新区")["tickets_created", "1h"] == 3, "the board shows those of now"
    )
    wait_until(lambda: len(letters(hotline, "plain-x")) == 1, "the wrong one came back")
    (letter,) = letters(hotline, "plain-x")
    assert (letter["reason"], letter["detail"]) == ("bad_value", "district is a number; send a text")
    told = hotline.do("dead-letters", "show", letter["id"])
    assert "district is a number; send a text" in told.out
    assert hotline.figures("tickets_handled", period=DAY, more=("--scope", "district=吴中区"))[0]["numerator"] >= 50


def on_the_board(hotline: Hotline, scope: str) -> dict[tuple[str, str], Any]:
    """What `hotline watch` shows of tickets of one scope: KPI and window → numerator."""
    done = hotline.do("watch", "--once", "--json", "--screen", "tickets", "--scope", scope)
    assert done.code == 0, done.said
    kind, _, value = scope.partition("=")
    mine = [one for one in done.json["figures"] if one["scope"] == {"kind": kind, "value": value}]
    return {(one["kpi"], one["window"]): one["numerator"] for one in mine}


def letters(hotline: Hotline, words: str) -> list[dict[str, Any]]:
    found = hotline.do("dead-letters", "list", "--limit", "1000", "--json").json
    return [letter for letter in found if words in letter["head"]]


def test_the_same_events_again_are_seen_and_not_counted_twice(hotline: Hotline) -> None:
    events = [ticket("created", f"twice-{n}") for n in range(20)]
    send(hotline, *events)
    once = created(hotline)
    assert send(hotline, *events)["stored"] == 20
    assert created(hotline) == once


def test_a_sender_that_does_not_wait_is_told_what_was_sent_and_of_nothing_else(hotline: Hotline) -> None:
    before = created(hotline) or 0
    lines = "\n".join(json.dumps(ticket("created", f"unwaited-{n}")) for n in range(20))
    done = hotline.do("send", "-", "--json", stdin=lines.encode())
    assert (done.code, done.json["read"], done.json["sent"]) == (0, 20, 20), done.said
    assert not done.json.keys() & {"stored", "dead", "reasons", "problem"}
    wait_until(lambda: created(hotline) == before + 20, "they are counted after all")


def test_a_worker_that_knows_nothing_any_more_completes_from_the_tables(hotline: Hotline) -> None:
    send(hotline, ticket("created", "old-1"), ticket("created", "old-2"))
    birth = datetime(2023, 11, 14, 1, tzinfo=UTC)
    frame = pl.DataFrame({**ticket("created", "by-block"), "occurred_at": birth, "born_at": birth})
    send_events(hotline, TICKETS, [complete(TICKETS, frame)], events_max=10)
    hotline.kill("worker-0")
    hotline.wait_ready()
    account = send(hotline, *(ticket("handled", entity, NOON) for entity in ("old-1", "old-2", "by-block")))
    assert (account["stored"], account["dead"]) == (3, 0)
    with hotline.writer() as client:
        rows = client.query(
            "SELECT count(), uniqExact(entity) FROM hotline.tickets FINAL WHERE handled_at IS NOT NULL "
            "AND entity IN ('old-1', 'old-2', 'by-block')"
        ).result_rows
        assert rows == [(3, 3)]
        asked = client.query(
            "EXPLAIN indexes = 1 SELECT born_at FROM hotline.tickets WHERE entity IN (SELECT arrayJoin(['old-1', 'x']))"
        )
        assert "by_entity" in str(asked.result_rows)


def test_an_event_of_a_ticket_that_nobody_knows_is_dead_and_counted_once_its_ticket_came(hotline: Hotline) -> None:
    account = send(hotline, ticket("handled", "late", NOON), ticket("closed", "never", NOON))
    assert account["reasons"] == {"unknown_ticket": 2}
    send(hotline, ticket("created", "late"))
    with hotline.writer() as client:
        sql = "SELECT handled FROM hotline.tickets FINAL WHERE entity = 'late'"
        wait_until(lambda: client.query(sql).result_rows == [(True,)], "the event that had waited is counted")
    again = hotline.do("dead-letters", "retry", "--reason", "unknown_ticket", "--dry-run", "--json")
    assert again.json == {"letters": 2, "alike": 0, "blocks": 0, "no_event": 0, "events": 2}
    again = hotline.do("dead-letters", "retry", "--reason", "unknown_ticket", "--json")
    assert again.code == 0, again.said
    assert (again.json["stored"], again.json["reasons"]) == (1, {"unknown_ticket": 1})


def test_callers_are_pseudonyms_everywhere_also_after_a_retry(hotline: Hotline) -> None:
    call = {"type": "call.offered", "source": "pbx", "entity": "p-1", "occurred_at": MORNING, "caller": "13911112222"}
    tomorrow = datetime.now(UTC).replace(year=datetime.now(UTC).year + 1, microsecond=0).isoformat()
    account = send(hotline, call, {**call, "entity": "p-2", "occurred_at": tomorrow, "text": "13911112222 again"})
    assert account["reasons"] == {"future_time": 1}
    with hotline.writer() as client:
        caller = client.query("SELECT caller FROM hotline.calls FINAL WHERE entity = 'p-1'").result_rows[0][0]
        kept = client.query("SELECT original FROM hotline.dead_letters WHERE reason = 'future_time'").result_rows[0][0]
    assert re.fullmatch("[0-9a-f]{24}", caller)
    assert json.loads(kept)["caller"] == caller
    assert "13911112222" not in kept
    again = hotline.do("dead-letters", "retry", "--reason", "future_time", "--json")
    assert (again.json["dead"], again.json["reasons"]) == (1, {"future_time": 1})
    assert hotline.do("dead-letters", "retry", "--reason", "future_time", "--dry-run", "--json").json["alike"] == 1


def test_a_sender_that_waits_sends_again_what_a_broker_forgot(hotline: Hotline) -> None:
    before = created(hotline) or 0
    sender = hotline.start("send", "-", "--wait", "--json", stdin=subprocess.PIPE)
    assert sender.stdin is not None
    sender.stdin.writelines(json.dumps(ticket("created", f"again-{n}")).encode() + b"\n" for n in range(2_000))
    sender.stdin.flush()
    wait_until(lambda: (created(hotline) or 0) > before, "some are counted")
    hotline.kill("broker")
    sender.stdin.writelines(json.dumps(ticket("created", f"after-{n}")).encode() + b"\n" for n in range(500))
    out, _ = sender.communicate(timeout=150)
    account = json.loads(out)
    assert (sender.returncode, account["stored"], account["dead"]) == (0, 2_500, 0)
    assert created(hotline) == before + 2_500


def test_a_file_that_is_not_there_is_one_sentence(hotline: Hotline) -> None:
    done = hotline.do("send", "nowhere.jsonl")
    assert (done.code, done.out, done.said.count("\n")) == (2, "", 1)
    assert "nowhere.jsonl" in done.said


def test_status_names_what_a_worker_runs(hotline: Hotline) -> None:
    found = {part["name"]: part["agents"] for part in hotline.do("status", "--json").json["parts"]}
    assert found["worker-0"] == ["intake", "measure"]
    assert "intake, measure" in hotline.do("status").out


def test_after_all_of_it_everything_agrees(hotline: Hotline) -> None:
    hotline.reconciled(DAY)
