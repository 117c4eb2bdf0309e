"""The embedded broker's log is begun anew while traffic runs: memory stays bounded, and every number is the same."""

from __future__ import annotations

import json
import os
import signal
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from kafka.errors import KafkaError

from deploy.stack.log_keeper import LIVE_FACTOR
from hotline.resident import resident_bytes
from tests.e2e import bank
from tests.e2e.conftest import ZONE
from tests.e2e.live_values import compared_with_tables
from tests.e2e.stacks import COMMAND_S_MAX, Hotline, wait_until, whole
from tests.e2e.test_kills import killed_at_last, let_go, paced

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable

    from tests.streams.rolled import Key, Value

LOG_BYTES_MAX = 4 << 20
PIECES, PIECES_A_CHANGE = 24, 10
"""Both months are about 29 MiB in the broker: some pieces more than a log may hold."""
CHANGES = 2
PEAK = 6
"""How many times its bound this load makes the log: the pieces of a change, and those before it that are sent again."""


def small(new_hotline: Callable[..., Hotline], **environ: str) -> Hotline:
    hotline = new_hotline(HOTLINE_LOG_BYTES_MAX=str(LOG_BYTES_MAX), **environ)
    hotline.running()
    return hotline


def changes(hotline: Hotline) -> int:
    log = hotline.state().get("log") or {}
    return int(log.get("changes", 0))


def numbered(hotline: Hotline) -> int:
    return int(hotline.do("status", "--json").json["log"]["number"])


def grown(hotline: Hotline) -> int:
    """Bytes that the broker has taken since it began its log."""
    state = hotline.state()
    pid = hotline.part("broker").get("pid")
    return resident_bytes(pid) - state["log"]["resident_bytes_at_start"] if pid and state.get("log") else 0


def keep_going(load: subprocess.Popen[bytes], until: Callable[[], object], what: str) -> None:
    """Let so many pieces go as pass the log's bound, one after another, until something happens."""
    for _ in range(PIECES_A_CHANGE):
        if until():
            return
        let_go(load)
        time.sleep(0.3)
    wait_until(until, what)


def test_a_load_goes_through_several_changes_of_the_log(
    new_hotline: Callable[..., Hotline], undisturbed: list[dict[str, Any]]
) -> None:
    hotline = small(new_hotline, HOTLINE_ZONE=ZONE)
    sizes: list[int] = []
    with paced(hotline, pieces=PIECES) as load, killed_at_last(load, hotline):
        for wanted in range(1, CHANGES + 1):

            def changed(wanted: int = wanted) -> bool:
                sizes.append(grown(hotline))
                return changes(hotline) >= wanted

            keep_going(load, changed, f"the log is changed for the {wanted}. time")
        out, _ = load.communicate(timeout=COMMAND_S_MAX)
        account = whole(json.loads(out))
        assert account["read"] == account["counted"] == sum(bank.EVENTS.values())
        assert LIVE_FACTOR * LOG_BYTES_MAX < max(sizes) < PEAK * LOG_BYTES_MAX
        wait_until(lambda: hotline.ready() and grown(hotline) <= LOG_BYTES_MAX, "at rest the log is within its bound")
        wait_until(lambda: numbered(hotline) == changes(hotline) + 1, "no change is under way")
        assert changes(hotline) >= CHANGES
        assert hotline.reconciled(bank.months())["events"] == sum(bank.EVENTS.values())
        assert bank.every_figure(hotline) == undisturbed


def test_single_events_that_are_waited_for_are_all_stored_once_over_a_change(
    new_hotline: Callable[..., Hotline],
) -> None:
    """Values that are published under the new log are those of all that is stored."""
    hotline = small(new_hotline)
    at = datetime.now(UTC).replace(microsecond=0)
    day = f"{at.astimezone(ZoneInfo(hotline.settings.zone)):%Y-%m-%d}"
    sent = 0
    while not changes(hotline):
        events = [
            {
                "type": "ticket.created",
                "source": "crm",
                "entity": f"e{number}",
                "occurred_at": at.isoformat(),
                "district": f"d{number % 7}",
                "note": "free text, which nobody stores" * 40,
            }
            for number in range(sent, sent + 1500)
        ]
        lines = "\n".join(map(json.dumps, events))
        done = hotline.do("send", "-", "--wait", "--json", stdin=lines.encode())
        assert done.code == 0, done.said
        assert done.json["stored"] == done.json["read"] == len(events)
        sent += len(events)
    wait_until(hotline.ready, "every part is ready at the end")
    assert hotline.figures("tickets_created", period=day)[0]["numerator"] == sent
    reports: list[dict[str, Any]] = []

    def compared() -> bool:
        """Compare once more: the log may just be changed again, and a sink that ended could not be held."""
        reports.append(hotline.do("reconcile", "--period", day, "--json").json)
        return not reports[-1]["notes"]

    wait_until(compared, "it is compared while the sink stands still")
    assert all(report["equal"] for report in reports)
    assert reports[-1]["events"] == sent
    live = shown_live(hotline)
    assert live["tickets_created", "7d", "all", ""][0] == sent
    assert sum(live["tickets_created", "7d", "district", f"d{number}"][0] for number in range(7)) == sent


def shown_live(hotline: Hotline) -> dict[Key, Value]:
    """Compare live values with the tables; once more where a change of the log took the records away meanwhile."""
    wait_until(hotline.ready, "every part is ready")
    before = changes(hotline)
    try:
        return compared_with_tables(hotline)
    except (KafkaError, AssertionError):
        if hotline.ready() and changes(hotline) == before:
            raise
    return shown_live(hotline)


def test_whoever_dies_in_the_middle_of_a_change_nothing_is_lost(
    new_hotline: Callable[..., Hotline], undisturbed: list[dict[str, Any]]
) -> None:
    hotline = small(new_hotline, HOTLINE_ZONE=ZONE)
    with paced(hotline, pieces=PIECES) as load, killed_at_last(load, hotline):
        # The broker, by somebody else than who was to end it, as soon as that one is at work.
        keep_going(load, lambda: changing(hotline), "a change begins")
        hotline.kill("broker")
        hotline.wait_ready()
        # The supervisor, when the broker has been ended and nothing of the new log is there.
        ended = hotline.part("broker")["pid"]
        keep_going(load, lambda: hotline.part("broker").get("pid") != ended, "the broker is ended for a new log")
        supervisor = hotline.state()["pid"]
        os.kill(supervisor, signal.SIGKILL)
        hotline.ups[-1].wait()
        hotline.up()
        wait_until(lambda: hotline.ready() and hotline.state()["pid"] != supervisor, "the stack is up again")
        keep_going(load, lambda: changes(hotline), "the log is changed after all")
        out, _ = load.communicate(timeout=COMMAND_S_MAX)
        account = whole(json.loads(out))
        assert account["read"] == account["counted"] == sum(bank.EVENTS.values())
        wait_until(hotline.ready, "every part is ready at the end")
        assert hotline.reconciled(bank.months())["events"] == sum(bank.EVENTS.values())
        assert bank.every_figure(hotline) == undisturbed


def changing(hotline: Hotline) -> bool:
    return any("deploy.stack.changing" in process for process in hotline.processes())
