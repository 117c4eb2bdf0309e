"""However often, in whatever order, in pieces of whatever size and by whomever events come: the same numbers.

Each way has a year of its own, into which the bank's months are moved: on one stack, and yet never loaded before.
"""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from hotline.catalogue import measures
from hotline.subjects import CALLS
from tests.e2e import bank
from tests.e2e.conftest import ZONE
from tests.e2e.sending import load_in_chunks
from tests.e2e.stacks import COMMAND_S_MAX, Hotline, whole

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

BOTH = sum(bank.EVENTS.values())
JANUARY = bank.EVENTS["january"]
on_one = pytest.mark.parametrize("hotline", ["embedded"], indirect=True)
"""What reaches measure in another order or in pieces, and what is stored, is the same whichever broker brings it."""


@pytest.fixture(scope="module", params=["embedded", "kafka"])
def hotline(request: pytest.FixtureRequest, new_hotline: Callable[..., Hotline]) -> Iterator[Hotline]:
    made = new_hotline(HOTLINE_ZONE=ZONE, HOTLINE_BROKER=request.param)
    made.running()
    yield made
    made.clean()


def verdicts(account: dict[str, Any]) -> tuple[int, int, int, int]:
    return account["counted"], account["seen"], account["revised"], account["dead"]


def test_the_same_months_a_second_time_are_seen_and_change_nothing(
    hotline: Hotline, undisturbed: list[dict[str, Any]]
) -> None:
    files = [str(bank.FILES[month]) for month in bank.MONTHS]
    assert verdicts(hotline.load("bank1999", *files)) == (BOTH, 0, 0, 0)
    assert verdicts(hotline.load("bank1999", *files)) == (0, BOTH, 0, 0)
    assert bank.every_figure(hotline) == undisturbed
    assert hotline.reconciled("1999-01")["events"] >= JANUARY


@on_one
def test_the_last_month_first_and_every_line_backwards(
    hotline: Hotline, undisturbed: list[dict[str, Any]], tmp_path: Path
) -> None:
    files = []
    for month in reversed(bank.MONTHS):
        header, *rows = bank.lines(month, 1998)
        files.append(bank.write(tmp_path / f"{month}.txt", [header, *reversed(rows)]))
    assert verdicts(hotline.load("bank1999", *files)) == (BOTH, 0, 0, 0)
    assert bank.every_figure(hotline, 1998) == undisturbed
    hotline.reconciled("1998-02")


@on_one
def test_blocks_of_another_size(hotline: Hotline, undisturbed: list[dict[str, Any]], tmp_path: Path) -> None:
    file = bank.write(tmp_path / "january.txt", bank.lines("january", 1997))
    account = load_in_chunks(hotline, "bank1999", file, chunk_bytes=150_001)
    assert verdicts(account) == (JANUARY, 0, 0, 0)
    assert bank.every_figure(hotline, 1997, end="02-01") == bank.january_of(undisturbed)
    assert verdicts(hotline.load("bank1999", file)) == (0, JANUARY, 0, 0)
    hotline.reconciled("1997-01")


def test_two_commands_at_once(hotline: Hotline, undisturbed: list[dict[str, Any]], tmp_path: Path) -> None:
    rows = bank.lines("january", 1996)
    files = [
        bank.write(tmp_path / "forwards.txt", rows),
        bank.write(tmp_path / "backwards.txt", [rows[0], *reversed(rows[1:])]),
    ]
    both = [hotline.start("load", "bank1999", file, "--json") for file in files]
    accounts = [ended(process) for process in both]
    assert [account["read"] for account in accounts] == [JANUARY, JANUARY]
    assert sum(account["counted"] for account in accounts) == JANUARY
    assert sum(account["seen"] for account in accounts) == JANUARY
    assert bank.every_figure(hotline, 1996, end="02-01") == bank.january_of(undisturbed)
    hotline.reconciled("1996-01")


def ended(process: subprocess.Popen[bytes]) -> dict[str, Any]:
    out, _ = process.communicate(timeout=COMMAND_S_MAX)
    assert process.returncode == 0
    return whole(json.loads(out))


def test_everything_restarted_between_a_half_and_the_whole(
    hotline: Hotline, undisturbed: list[dict[str, Any]], tmp_path: Path
) -> None:
    header, *rows = bank.lines("january", 1995)
    first = bank.write(tmp_path / "odd.txt", [header, *rows[::2]])
    every = bank.write(tmp_path / "every.txt", [header, *rows])
    half = hotline.load("bank1999", first)["counted"]
    assert JANUARY * 0.4 < half < JANUARY * 0.6
    hotline.restart()
    assert verdicts(hotline.load("bank1999", every)) == (JANUARY - half, half, 0, 0)
    assert bank.every_figure(hotline, 1995, end="02-01") == bank.january_of(undisturbed)
    hotline.reconciled("1995-01")


@on_one
def test_reconcile_names_the_one_sum_that_has_a_unit_too_many(hotline: Hotline) -> None:
    column = next(measure.column for measure in measures(CALLS) if measure.name == "answered_30s")
    columns = f"hotline.minute_sums_calls (scope_kind, scope, at, {column})"
    unit = f"INSERT INTO {columns} SELECT 'line', 'PS', toDateTime('1999-01-12 10:30:00', '{ZONE}'), "
    with hotline.writer() as client:
        client.command(unit + "1")
        try:
            done = hotline.do("reconcile", "--period", "1999-01-12", "--json")
        finally:
            client.command(unit + "-1")
    assert (done.code, done.json["sums_differ"], done.json["rows_differ"]) == (1, 1, 0)
    (one,) = done.json["sums"]
    assert (one["scope"], one["at"]) == ({"kind": "line", "value": "PS"}, "1999-01-12T10:30:00+02:00")
    assert "answered_30s_share" in one["kpis"]
    assert one["stored"] - one["recomputed"] == 1
    assert hotline.do("reconcile", "--period", "1999-01-12").code == 0


def test_two_workers_on_half_the_partitions_each_give_what_one_gives_on_all(
    new_hotline: Callable[..., Hotline], undisturbed: list[dict[str, Any]]
) -> None:
    hotline = new_hotline(HOTLINE_ZONE=ZONE, HOTLINE_PARTITIONS="4", HOTLINE_WORKERS="2")
    hotline.running()
    try:
        assert {name for name in hotline.pids() if name.startswith("worker")} == {"worker-0", "worker-1"}
        account = hotline.load("bank1999", *(str(file) for file in bank.FILES.values()))
        assert verdicts(account) == (BOTH, 0, 0, 0)
        with hotline.writer() as client:
            shares = client.query("SELECT partition, count() FROM hotline.call_events GROUP BY partition").result_rows
        assert {partition for partition, _ in shares} == {0, 1, 2, 3}
        assert min(count for _, count in shares) > BOTH / 5
        assert bank.every_figure(hotline) == undisturbed
        hotline.reconciled("1999-02")
    finally:
        hotline.clean()
