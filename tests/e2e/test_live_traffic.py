"""A city simulated live, with everything that goes wrong on the way, is the same database as its events in one load."""

from __future__ import annotations

import json
import signal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from hotline.health import LAG_RECORDS, MEMORY_BYTES, RESIDENT_BYTES
from hotline.names import EVENTS_TOPICS, MEASURED_TOPICS
from hotline.subjects import SUBJECTS
from sinks.connecting import connect
from tests.e2e.databases import BADLY, figures, same_databases, stored
from tests.e2e.stacks import COMMAND_S_MAX, Hotline, adds_up, wait_until, whole

if TYPE_CHECKING:
    from collections.abc import Callable

DAY = "2023-05-10"
MORNING = ("simulate", "--from", f"{DAY}T09:00", "--until", f"{DAY}T11:00", "--scale", "0.1", "--json")


@pytest.fixture(scope="module")
def both(new_hotline: Callable[..., Hotline]) -> tuple[Hotline, Hotline]:
    """Start a stack for the live city, and one for the load."""
    stacks = new_hotline(), new_hotline()
    for stack in stacks:
        stack.data.mkdir(exist_ok=True)
        stack.up()
    for stack in stacks:
        assert stack.do("status", "--wait", "120").code == 0
    return stacks


@pytest.fixture(scope="module")
def accounts(both: tuple[Hotline, Hotline]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Simulate a morning 1,200 times as fast as real time, with mishaps; and the same one as one load without any."""
    done = both[0].do(*MORNING, "--speed", "1200", *BADLY), both[1].do(*MORNING, "--speed", "max")
    assert [one.code for one in done] == [0, 0], done
    return whole(done[0].json), whole(done[1].json)


def test_live_and_loaded_are_equal_databases(
    both: tuple[Hotline, Hotline], accounts: tuple[dict[str, Any], dict[str, Any]]
) -> None:
    live, loaded = accounts
    assert live["counted"] == loaded["counted"] == loaded["read"] > 3_000
    assert live["seen"] == live["read"] - live["counted"] > 100
    assert (live["revised"], live["dead"]) == (0, 0)
    same_databases(*both, DAY)


def test_every_figure_of_the_two_is_equal(both: tuple[Hotline, Hotline], accounts: object) -> None:
    del accounts
    one, other = (figures(hotline, DAY) for hotline in both)
    assert one == other
    assert sum(result["value"] is not None for result in one) > 100


def test_every_process_tells_how_it_does_and_reconcile_keeps_its_verdict(
    both: tuple[Hotline, Hotline], accounts: object
) -> None:
    del accounts
    hotline = both[0]
    with connect(hotline.settings, "reader") as client:

        def told() -> set[tuple[str, ...]]:
            sql = "SELECT DISTINCT process, what, topic FROM hotline.health"
            return {tuple(row) for row in client.query(sql).result_rows}

        topics = {"worker-0": EVENTS_TOPICS, "roll": MEASURED_TOPICS, "sink": MEASURED_TOPICS}
        lags = {(process, LAG_RECORDS, topic) for process, of in topics.items() for topic in of.values()}
        memory = {("worker-0", MEMORY_BYTES, topic) for topic in EVENTS_TOPICS.values()}
        wait_until(lambda: told() >= lags | memory, "all of them told")
        assert told() >= {(process, RESIDENT_BYTES, "") for process in topics}
        behind = f"SELECT max(value) FROM hotline.health WHERE what = '{LAG_RECORDS}' AND process != 'sink'"  # noqa: S608
        since = " AND told_at > now() - 15"
        wait_until(lambda: client.query(behind + since).result_rows == [(0.0,)], "nothing waits any more")
        report = hotline.do("reconcile", "--period", DAY, "--json").json
        kept = client.query(
            "SELECT cells, rows, events, sums_differ, rows_differ FROM hotline.reconciliations"
        ).result_rows
    assert kept == [(report["cells"], report["rows"], report["events"], 0, 0)]


def test_no_process_carries_pandas_along(both: tuple[Hotline, Hotline], accounts: object) -> None:
    del accounts
    parts = {part["name"]: part["pid"] for part in both[0].state()["parts"]}
    assert len(parts) >= 5
    assert [name for name, pid in parts.items() if "/pandas/" in Path(f"/proc/{pid}/maps").read_text()] == []


def test_the_same_city_as_single_json_events_is_seen_and_changes_nothing(
    both: tuple[Hotline, Hotline], accounts: object
) -> None:
    del accounts
    hotline = both[1]
    before = stored(hotline)
    done = hotline.do(*MORNING, "--speed", "max", "--until", f"{DAY}T09:40", "--through", "intake")
    assert done.code == 0, done.said
    account = done.json
    assert account["complete"]
    assert account["read"] == account["sent"] == account["stored"] > 500
    assert account["until"] == f"{DAY}T09:40:00+08:00"
    assert stored(hotline) == before


def test_ctrl_c_ends_a_city_after_what_was_sent_is_stored(both: tuple[Hotline, Hotline]) -> None:
    hotline = both[0]
    city = hotline.start(
        "simulate", "--from", "yesterday", "--speed", "max", "--scale", "0.2", "--seed", "2", "--json", *BADLY
    )

    def counted() -> int:
        with connect(hotline.settings, "reader") as client:
            sql = "SELECT count() FROM hotline.{} WHERE entity LIKE '%-2-%'"
            tables = [subject.events_table for subject in SUBJECTS.values()]
            return sum(client.query(sql.format(table)).result_rows[0][0] for table in tables)

    wait_until(lambda: city.poll() is not None or counted() > 1_000, "the city's events are stored")
    assert city.poll() is None, (hotline.data.parent / "said.log").read_text()
    city.send_signal(signal.SIGINT)
    out, _ = city.communicate(timeout=COMMAND_S_MAX)
    assert city.returncode == 0, (hotline.data.parent / "said.log").read_text()
    account = json.loads(out)
    assert account["complete"]
    assert adds_up(account)
    assert account["counted"] == counted()
    assert "stopping" in (hotline.data.parent / "said.log").read_text()
