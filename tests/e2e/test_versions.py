"""A deployment in between: a later catalogue beside the first, forward and back in the middle of a load."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest

from hotline.blocks import pack
from hotline.subjects import CALLS, SUBJECTS, TICKETS
from tests.e2e.office import ZONE, before_and_after
from tests.e2e.sending import send_blocks
from tests.e2e.stacks import COMMAND_S_MAX, ROOT, Done, Hotline
from tests.faults.checker import Checker, members_of
from tests.faults.story import story
from tests.faults.within import ASKED, Within
from tests.hotline.naive_fold import fold
from tests.hotline.oracle import inbound, one
from tests.versions.later import CHANGED, LONG_S, SECOND, THIRD, changed_kpi

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.faults.story import Piece, Story
    from tests.hotline.naive_fold import Working

VERSIONS = (sys.executable, "-m", "tests.versions")
ENTITIES, PIECES = 40, 16
OF_ALL = ("--period", "2020-01-01..2035-01-01")
PLAN, MIGRATE = ("migrate", "--plan", "--json"), ("migrate", "--json")
RECONCILE = ("reconcile", *OF_ALL, "--json")
FIGURE = ("kpi", CHANGED, *OF_ALL, "--json")


class Deployed(Hotline):
    """A stack whose workers are of the version that is deployed."""

    def up(self, *more: str) -> subprocess.Popen[str]:
        with (self.data.parent / "up.log").open("ab") as log:
            started = subprocess.Popen(
                [*VERSIONS, "up", *more], env=self.environ, cwd=ROOT, stdout=log, stderr=log, text=True
            )
        self.ups.append(started)
        return started

    def deploy(self, version: int, number: int) -> None:
        """Have the worker go on as another version; roll does when it starts again next."""
        (self.data.parent / "deployed").write_text(f"{version} {number}")
        if self.ups:
            self.kill("worker-0")

    def commands(self, version: int, *commands: Sequence[str]) -> list[Done]:
        """Run commands of a version, one after the other in one process: most of what they cost is its start."""
        done = self._ran(version, commands)
        assert done.returncode == 0, done.stderr.decode()
        return [Done(*one) for one in json.loads(done.stdout)]

    def killed(self, version: int, command: Sequence[str], *, after: str) -> None:
        """Run a command that is killed (SIGKILL) in its middle: see `Within.dying_command`."""
        within = Within(self.data.parent / "within")
        done = self._ran(version, [command], PYTHONPATH=within.dying_command(after))
        assert done.returncode == -signal.SIGKILL, (done.stdout, done.stderr)

    def _ran(
        self, version: int, commands: Sequence[Sequence[str]], **environ: str
    ) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(
            [*VERSIONS, str(version), json.dumps(commands)],
            env={**self.environ, **environ},
            cwd=ROOT,
            capture_output=True,
            timeout=COMMAND_S_MAX,
            check=False,
        )


def _quarters(told: Story) -> list[list[Piece]]:
    """All pieces in four parts, each with calls first."""
    of = [[piece for piece in told.pieces if piece.subject is subject] for subject in SUBJECTS.values()]
    return [[piece for pieces in of for piece in pieces[at::4]] for at in range(4)]


def _send(hotline: Hotline, pieces: Sequence[Piece]) -> None:
    partitions = hotline.settings.partitions
    send_blocks(
        hotline,
        (
            block
            for piece in pieces
            for block in pack(piece.subject, piece.events, partitions, events_max=max(7, piece.events_max))
        ),
    )


def _send_until(hotline: Hotline, pieces: Sequence[Piece], ended: threading.Event) -> None:
    """Send pieces, and all of them again and again, until what goes on beside it has ended."""
    _send(hotline, pieces)
    while not ended.is_set():
        _send(hotline, pieces)


def _check(hotline: Hotline, told: Story, working: Working) -> None:
    """The database is what a second reading makes of the story, the sums of both formulas among it."""
    later = changed_kpi().numerator
    with hotline.writer() as client:
        checker = Checker(client, told, ZONE, hotline.settings.partitions, working=working)
        checker.check()
        rows = [SimpleRow(row) for row in checker._rows[CALLS.name].values()]
        long = one("ended_at", lambda row: inbound(row) and row.talk_s is not None and row.talk_s > LONG_S)
        assert checker._stored_sums(CALLS.sums_table, later) == checker._cells(rows, long, later.grains)  # type: ignore[arg-type,union-attr]


class SimpleRow:
    """A row of the second reading."""

    def __init__(self, fields: dict[str, Any]) -> None:
        self.__dict__.update(fields)


def test_a_later_catalogue_forward_and_back_in_the_middle_of_a_load(tmp_path_factory: Any) -> None:
    folder, today = tmp_path_factory.mktemp("versions"), datetime.now(UTC)
    first, then = before_and_after(today.date())
    hotline = Deployed(folder / "d", HOTLINE_ZONE=ZONE, **first.write(folder))
    told = story(5, entities=ENTITIES, pieces=PIECES, today=today, by_rule=True)
    quarters = _quarters(told)
    try:
        hotline.deploy(1, 1)
        hotline.running()
        with ThreadPoolExecutor(1) as beside:
            _send(hotline, quarters[0])
            planned, early = hotline.commands(SECOND, PLAN, MIGRATE)
            _check_fills(planned)
            assert (early.code, "restart them" in early.said) == (1, True), early
            load = beside.submit(_send, hotline, quarters[1])
            hotline.deploy(SECOND, 2)
            (filled,) = hotline.commands(SECOND, MIGRATE)
            load.result()
            assert (filled.code, filled.json["complete"]) == (0, True), filled
            assert {name.partition(".")[0] for name in filled.json["filled"]} == {CALLS.sums_table, CALLS.recent_table}
            load = beside.submit(_send, hotline, quarters[2][1:])
            hotline.deploy(1, 3)
            load.result()
            _send(hotline, quarters[2][:1])
            (figure,) = hotline.commands(SECOND, FIGURE)
            assert (figure.json[0]["value"], "hotline migrate" in figure.said) == (None, True), figure
            load = beside.submit(_send, hotline, quarters[3][:-1])
            hotline.deploy(SECOND, 4)
            load.result()
        hotline.killed(SECOND, MIGRATE, after=CALLS.sums_table)
        of_second = _migrated(hotline, SECOND)
        then.write(folder)
        hotline.deploy(1, 5)
        _folded_by_another_rule(hotline, quarters[3][-2:])
        assert _migrated(hotline, 1) != of_second
        _check(hotline, told, then.second_reading)
        _fold_anew(hotline)
    finally:
        hotline.clean()


def _check_fills(planned: Done) -> None:
    """The plan names the new column of both tables, its KPI, the span that is stored, and how long that takes."""
    column, fills = changed_kpi().numerator.column, planned.json["fills"]  # type: ignore[union-attr]
    assert (planned.code, {one["table"] for one in fills}) == (1, {CALLS.sums_table, CALLS.recent_table}), planned
    assert {one["table"] for one in planned.json["columns"]} <= {CALLS.sums_table, CALLS.recent_table}
    for fill in fills:
        assert (fill["subject"], fill["columns"], fill["kpis"]) == (CALLS.name, [column], [CHANGED]), fill
    (whole,) = (fill for fill in fills if fill["table"] == CALLS.sums_table)
    assert whole["from"] < whole["to"]
    assert whole["entries"] > 0
    assert planned.json["seconds"] == round(sum(fill["seconds"] for fill in fills), 1)


def _migrated(hotline: Deployed, version: int) -> float:
    """Migrate; by the version's catalogue sums then are what rows give, and these what events give; the KPI's value."""
    done, compared, figure = hotline.commands(version, MIGRATE, RECONCILE, FIGURE)
    assert (done.code, done.json["complete"]) == (0, True), done
    assert (compared.code, compared.json["equal"], compared.json["notes"]) == (0, True, []), compared
    value: float = figure.json[0]["value"]
    assert value is not None
    return value


def _folded_by_another_rule(hotline: Deployed, traffic: Sequence[Piece]) -> None:
    """Rule and calendar have changed: what stands gets its deadlines by them while tickets come, also new ones."""
    ended = threading.Event()
    with ThreadPoolExecutor(1) as beside:
        load = beside.submit(_send_until, hotline, traffic, ended)
        try:
            (migrated,) = hotline.commands(1, MIGRATE)
        finally:
            ended.set()
        load.result()
    (of_tickets,) = migrated.json["refolds"]
    assert (migrated.code, of_tickets["subject"], of_tickets["left"]) == (0, "tickets", 0), migrated
    assert of_tickets["changed"] > 0


@pytest.mark.parametrize("days", range(7))
def test_another_rule_and_a_holiday_both_move_deadlines(days: int) -> None:
    """On whichever weekday the tests run: without that, the test below would show little."""
    today = datetime.now(UTC) + timedelta(days=days)
    members = members_of(story(5, entities=ENTITIES, pieces=PIECES, today=today, by_rule=True), TICKETS)
    first, then = before_and_after(today.date())
    holidays = replace(first, holidays=then.holidays)
    by = [fold(TICKETS.name, members, office.second_reading) for office in (first, holidays, then)]
    changed = [{of for of in by[0] if old[of]["due_at"] != new[of]["due_at"]} for old, new in pairwise(by)]
    assert all(changed), changed


def _fold_anew(hotline: Deployed) -> None:
    """A third version folds anew: the plan says so, and the rows follow, though who asked and the worker are killed."""
    hotline.deploy(THIRD, 6)
    refold = ("refold", *OF_ALL, "--subject", "calls")
    planned, dry = hotline.commands(THIRD, PLAN, (*refold, "--dry-run", "--json"))
    hotline.killed(THIRD, refold, after=ASKED)
    hotline.kill("worker-0")
    calls, tickets, compared = hotline.commands(THIRD, (*refold, "--json"), MIGRATE, RECONCILE)
    assert (planned.code, planned.json["seconds"] > 0) == (1, True)
    due = {one["subject"]: one["older"] for one in planned.json["refolds"]}
    assert due.keys() == SUBJECTS.keys()
    assert (dry.code, dry.json["subjects"][0]["older"], dry.json["subjects"][0]["changed"]) == (1, due["calls"], 0)
    assert (calls.code, tickets.code, compared.code) == (0, 0, 0), (calls, tickets, compared)
    (of_calls,), (of_tickets,) = calls.json["subjects"], tickets.json["refolds"]
    assert (of_tickets["subject"], of_tickets["changed"]) == ("tickets", due["tickets"])
    assert 0 < of_calls["changed"] <= due["calls"], "some of them the command that was killed had asked for"
    assert [(one["sums"], one["left"]) for one in (of_calls, of_tickets)] == [(0, 0), (0, 0)]
