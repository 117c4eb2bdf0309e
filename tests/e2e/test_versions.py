"""A deployment in between: a later catalogue beside the first, forward and back in the middle of a load."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from hotline.blocks import pack
from hotline.subjects import CALLS, SUBJECTS
from tests.e2e.sending import send_blocks
from tests.e2e.stacks import ROOT, Done, Hotline
from tests.faults.checker import Checker
from tests.faults.story import story
from tests.hotline.oracle import inbound, one
from tests.versions.later import CHANGED, LONG_S, SECOND, THIRD, changed_kpi

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.faults.story import Piece, Story

ZONE = "Asia/Shanghai"
VERSIONS = (sys.executable, "-m", "tests.versions")
ENTITIES, PIECES = 40, 16
OF_ALL = ("--period", "2020-01-01..2035-01-01")


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

    def command(self, version: int, *arguments: str) -> Done:
        """Run a command of a version."""
        done = subprocess.run(
            [*VERSIONS, str(version), *arguments],
            env=self.environ,
            cwd=ROOT,
            capture_output=True,
            timeout=120,
            check=False,
        )
        return Done(done.returncode, done.stdout.decode(), done.stderr.decode())

    def figure(self, version: int) -> tuple[Any, str]:
        """The value of the changed KPI, and what is said with it."""
        done = self.command(version, "kpi", CHANGED, *OF_ALL, "--json")
        return done.json[0]["value"], done.said


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


def _check(hotline: Hotline, told: Story) -> None:
    """The database is what a second reading makes of the story, the sums of both formulas among it."""
    later = changed_kpi().numerator
    with hotline.writer() as client:
        checker = Checker(client, told, ZONE)
        checker.check()
        rows = [SimpleRow(row) for row in checker._rows[CALLS.name].values()]
        long = one("ended_at", lambda row: inbound(row) and row.talk_s is not None and row.talk_s > LONG_S)
        assert checker._stored_sums(CALLS.sums_table, later) == checker._cells(rows, long, later.grains)  # type: ignore[arg-type,union-attr]


class SimpleRow:
    """A row of the second reading."""

    def __init__(self, fields: dict[str, Any]) -> None:
        self.__dict__.update(fields)


def test_a_later_catalogue_forward_and_back_in_the_middle_of_a_load(tmp_path_factory: Any) -> None:
    hotline = Deployed(tmp_path_factory.mktemp("versions") / "d", HOTLINE_ZONE=ZONE, HOTLINE_CALENDAR="none")
    told = story(5, entities=ENTITIES, pieces=PIECES)
    quarters = _quarters(told)
    try:
        hotline.deploy(1, 1)
        hotline.running()
        with ThreadPoolExecutor(1) as beside:
            _send(hotline, quarters[0])
            early = hotline.command(SECOND, "migrate")
            assert (early.code, "restart them" in early.said) == (1, True), early
            load = beside.submit(_send, hotline, quarters[1])
            hotline.deploy(SECOND, 2)
            filled = hotline.command(SECOND, "migrate", "--json")
            load.result()
            assert (filled.code, filled.json["complete"]) == (0, True), filled
            assert {name.partition(".")[0] for name in filled.json["filled"]} == {CALLS.sums_table, CALLS.recent_table}
            load = beside.submit(_send, hotline, quarters[2][1:])
            hotline.deploy(1, 3)
            load.result()
            _send(hotline, quarters[2][:1])
            value, said = hotline.figure(SECOND)
            assert (value, "hotline migrate" in said) == (None, True), said
            load = beside.submit(_send, hotline, quarters[3])
            hotline.deploy(SECOND, 4)
            load.result()
            again = hotline.command(SECOND, "migrate", "--json")
            assert again.code == 0, again
        of_second = _equal(hotline, SECOND)
        hotline.deploy(1, 5)
        assert hotline.command(1, "migrate").code == 0
        _check(hotline, told)
        assert _equal(hotline, 1) != of_second
        _fold_anew(hotline)
    finally:
        hotline.clean()


def _equal(hotline: Deployed, version: int) -> float:
    """By a version's catalogue the sums are what the rows give, and these what the events give; the KPI's value."""
    done = hotline.command(version, "reconcile", *OF_ALL, "--json")
    assert (done.code, done.json["equal"]) == (0, True), done
    value: float = hotline.figure(version)[0]
    assert value is not None
    return value


def _fold_anew(hotline: Deployed) -> None:
    """A third version folds anew: the plan says so, and the rows follow."""
    hotline.deploy(THIRD, 6)
    hotline.wait_ready()
    planned = hotline.command(THIRD, "migrate", "--plan", "--json")
    assert planned.code == 1
    assert {one["subject"] for one in planned.json["refolds"]} == set(SUBJECTS)
    assert planned.json["seconds"] > 0
    due = {one["subject"]: one["older"] for one in planned.json["refolds"]}
    dry = hotline.command(THIRD, "refold", *OF_ALL, "--subject", "calls", "--dry-run", "--json")
    assert (dry.code, dry.json["subjects"][0]["older"], dry.json["subjects"][0]["changed"]) == (1, due["calls"], 0)
    calls = hotline.command(THIRD, "refold", *OF_ALL, "--subject", "calls", "--json")
    tickets = hotline.command(THIRD, "migrate", "--json")
    assert (calls.code, tickets.code) == (0, 0), (calls, tickets)
    done = [*calls.json["subjects"], *tickets.json["refolds"]]
    assert [(one["subject"], one["changed"], one["sums"], one["left"]) for one in done] == [
        (name, due[name], 0, 0) for name in SUBJECTS
    ]
    assert hotline.command(THIRD, "reconcile", *OF_ALL).code == 0
