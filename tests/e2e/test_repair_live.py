"""Sums that went wrong under a running stack: found, repaired, and live figures follow."""

from __future__ import annotations

import json
import signal
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import polars as pl

from hotline import live
from hotline.catalogue import measures
from hotline.names import (
    ACCOUNTS_TABLE,
    EVENTS_TOPICS,
    FILLED_COLUMNS_TABLE,
    KPIS_TOPIC,
    MARKS_TABLE,
    MEASURED_TOPICS,
)
from hotline.subjects import CALLS, SUBJECTS, TICKETS
from producers.simulator import CITY, day
from tests.e2e.live_values import Consumer, consumer
from tests.e2e.sending import send_events
from tests.e2e.stacks import Hotline, wait_until
from tests.faults.within import Within
from tests.streams.rolled import merged

if TYPE_CHECKING:
    from collections.abc import Callable

ZONE = "Asia/Shanghai"
SMALL = CITY.scaled(tickets_per_day=200, calls_per_day=300)
DAYS = 4
OFFERED, CREATED = ("calls_offered", "7d", "all", ""), ("tickets_created", "7d", "department", "nowhere")
QUEUED = next(measure for measure in measures(CALLS) if measure.name == "queued")
MACHINE = {"memory", "disk", "clock", "calendar"}
"""Checks of the machine that the tests run on and of today, which say nothing of what is stored: in December no
calendar of published holidays reaches a month ahead."""
REMEDIES = ("Rebuild", "hotline migrate fills", "hotline repair --period", "see the finding on sums")
DAMAGED = {
    "accepted sources": "Rebuild",
    "marks": "Rebuild",
    "accounts against events": "Rebuild",
    "stock calls_waiting": "see the finding on sums",
    "filled columns": "hotline migrate fills",
    "sums against rows": "hotline repair --period",
    "rows against events": "Rebuild",
    "impossible: wait_s < 0": "Rebuild",
}
"""What `_damage` leaves wrong, and what its remedy asks for."""


class Live:
    """The values as they are published."""

    def __init__(self, reading: Consumer) -> None:
        self._reading, self._known = reading, list[live.Live]()

    def value(self, key: tuple[str, str, str, str]) -> int:
        for record in map(live.decode, (one.value for one in self._reading.more())):
            self._known = [record] if record.full and record.values else [*self._known, record]
        return merged(self._known).get(key, (0, None, None))[0]


def _traffic() -> dict[str, pl.DataFrame]:
    now = datetime.now(UTC)
    days = [day(SMALL, now.date() - timedelta(days=back), 1) for back in range(1, DAYS)]
    return {
        name: pl.concat([frames[name] for frames in days]).filter(pl.col("occurred_at") <= now) for name in SUBJECTS
    }


def _spoil(hotline: Hotline) -> None:
    """Add what no output brought: seven calls an hour ago, and three tickets in a recent minute of a department."""
    column = {subject: measures(subject)[0].column for subject in (CALLS, TICKETS)}
    with hotline.writer() as client:
        for table, of, kind, scope, units in (
            (CALLS.sums_table, CALLS, "all", "", 7),
            (TICKETS.recent_table, TICKETS, "department", "nowhere", 3),
        ):
            client.command(
                f"INSERT INTO hotline.{table} (scope_kind, scope, at, {column[of]}) "
                f"SELECT '{kind}', '{scope}', toStartOfMinute(now() - INTERVAL 1 HOUR), {units}"
            )


def _deep(hotline: Hotline) -> tuple[int, dict[str, dict[str, Any]]]:
    done = hotline.do("doctor", "--deep", "--json")
    found = {one["check"]: one for one in json.loads(done.out)}
    return done.code, {name: one for name, one in found.items() if name not in MACHINE}


def _wrong(findings: dict[str, dict[str, Any]]) -> list[str]:
    return [name for name, one in findings.items() if not one["ok"]]


def test_wrong_sums_are_found_repaired_and_live_figures_follow(new_hotline: Callable[..., Hotline]) -> None:
    hotline = new_hotline(HOTLINE_ZONE=ZONE)
    assert hotline.do("repair", "--period", "today").code == 3
    assert hotline.do("doctor", "--deep").code == 3
    hotline.running()
    for name, frame in _traffic().items():
        send_events(hotline, SUBJECTS[name], [frame], events_max=500)
    _, findings = _deep(hotline)
    assert _wrong(findings) == []
    assert {"accepted sources", "sums against rows", "rows against events", "stock tickets_open"} <= set(findings)
    assert "each once" in findings["accepted sources"]["found"]
    with consumer(hotline, KPIS_TOPIC, 1) as reading:
        shown = Live(reading)
        wait_until(lambda: shown.value(OFFERED), "calls are shown")
        good = shown.value(OFFERED)
        _spoil(hotline)
        (hotline.data / "roll" / "state").unlink(missing_ok=True)
        hotline.kill("roll")
        wait_until(lambda: shown.value(OFFERED) == good + 7, "roll reads the wrong sums")
        assert shown.value(CREATED) == 3
        code, findings = _deep(hotline)
        assert (code, _wrong(findings)) == (1, ["sums against rows"])
        period = findings["sums against rows"]["remedy"].split()[3]
        dry = hotline.do("repair", "--period", period, "--dry-run", "--json")
        assert (dry.code, dry.json["sums"], dry.json["remaining"], dry.json["clean"]) == (1, 2, 2, False)
        assert {(one["scope_kind"], one["grain"], one["difference"]) for one in dry.json["lines"]} == {
            ("all", "minute", -7),
            ("department", "recent minute", -3),
        }
        within = Within(hotline.data.parent / "within")
        killed = hotline.do("repair", "--period", period, PYTHONPATH=within.dying_command(after=TICKETS.recent_table))
        assert killed.code == -signal.SIGKILL, killed.said
        done = hotline.do("repair", "--period", period)
        assert (done.code, "repaired 1 sum" in done.out, "-7" in done.out) == (0, True, True), done.out
        wait_until(lambda: shown.value(OFFERED) == good, "live figures follow")
        assert shown.value(CREATED) == 0
    again = hotline.do("repair", "--period", period)
    assert (again.code, again.out.startswith("nothing to add: ")) == (0, True)
    assert _wrong(_deep(hotline)[1]) == []
    _damage(hotline)
    code, findings = _deep(hotline)
    assert (code, {name: _remedied(findings[name]) for name in _wrong(findings)}) == (1, DAMAGED)


def _remedied(finding: dict[str, Any]) -> str:
    """What a finding's remedy asks for."""
    return next((asked for asked in REMEDIES if asked in finding["remedy"]), finding["remedy"])


def _damage(hotline: Hotline) -> None:
    """What no repair heals: account, events and a filling gone, a mark ahead, rows that no events give."""
    tickets = f"topic = '{MEASURED_TOPICS['tickets']}' AND partition = 0"
    changes = {
        ACCOUNTS_TABLE: f"DELETE WHERE topic = '{EVENTS_TOPICS['calls']}' AND offset = 0",
        TICKETS.events_table: "DELETE WHERE type = 'ticket.created'",
        CALLS.rows_table: "UPDATE wait_s = -1 WHERE answered_at IS NOT NULL",
        MARKS_TABLE: f"UPDATE accepted_offset = accepted_offset + 1 WHERE {tickets}",
        FILLED_COLUMNS_TABLE: f"DELETE WHERE sums_column = '{measures(TICKETS)[0].column}'",
    }
    with hotline.writer() as client:
        for table, change in changes.items():
            client.command(f"ALTER TABLE hotline.{table} {change}", settings={"mutations_sync": 1})
        client.command(
            f"INSERT INTO hotline.{CALLS.sums_table} (scope_kind, scope, at, {QUEUED.column}) "
            "SELECT 'all', '', toStartOfMinute(now() - INTERVAL 1 HOUR), 1"
        )
