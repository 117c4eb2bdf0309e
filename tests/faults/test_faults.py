"""Whatever breaks, and whenever: in the end the database holds exactly what was told.

Each run has a seed and a day, which decide what is told, what breaks, and when; they are printed when a run fails, and
`FAULTS_SEED=… FAULTS_TIMES=… FAULTS_DAY=…` does it again, with `FAULTS_OF=…` where a soak printed it. Each environment
has a short run with a fixed seed, so that two versions can be compared, and most have one with a fresh seed.
"""

from __future__ import annotations

import os
import random
import sys
import time
from contextlib import contextmanager
from datetime import UTC, datetime
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from deploy.ports import free_port
from hotline.blocks import pack
from hotline.settings import load as load_settings
from tests.e2e.live_values import compared_with_tables
from tests.e2e.stacks import Hotline
from tests.faults import figures
from tests.faults.checker import Checker
from tests.faults.cluster import Cluster
from tests.faults.faults import HOURS, JUMP, MAY_MISS, PATIENCE_S, PLANS, Plan
from tests.faults.laboratory import Laboratory
from tests.faults.plan import PAUSE_S_MAX, Step, plan, share
from tests.faults.proxy import BehindALine, Proxy
from tests.faults.recovery import Diary, stored_after_s
from tests.faults.story import Story, story
from tests.faults.within import Within
from tests.sinks import engines

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

ZONE = "Asia/Shanghai"
FIXED = {"embedded": (34985, 4), "kafka": (337103, 4), "lines": (97, 3), "cluster": (15, 1)}
"""Seeds whose first so many faults are those without which a run shows little (`test_plan.py` says which)."""
FRESH = (random.choice(("embedded", "kafka", "lines")), 3)
"""Where a run has a fresh seed this time, and so many faults; everywhere, and on the cluster, too, in `make soak`."""
ENTITIES = 150


class Surroundings(NamedTuple):
    """A stack that is yet to be started, and what of it belongs to others."""

    hotline: Hotline
    lines: Mapping[str, Proxy] = MappingProxyType({})
    cluster: Cluster | None = None


def common(folder: Path, *, patience_s: float | None = None) -> dict[str, str]:
    within = Within(folder / "within")
    return {"HOTLINE_ZONE": ZONE, "HOTLINE_CALENDAR": "none", "PYTHONPATH": within.pythonpath(patience_s=patience_s)}


@contextmanager
def embedded(folder: Path) -> Iterator[Surroundings]:
    yield Surroundings(Hotline(folder / "d", **common(folder)))


@contextmanager
def kafka(folder: Path) -> Iterator[Surroundings]:
    yield Surroundings(Hotline(folder / "d", **common(folder), HOTLINE_BROKER="kafka"))


@contextmanager
def lines(folder: Path) -> Iterator[Surroundings]:
    """Engine and broker are another's; between them and the stack are lines that break, and nobody is patient."""
    broker = BehindALine(folder / "kafka")
    broker.advertised_port = free_port()
    (folder / "engine").mkdir()
    with (
        engines.running(folder / "engine") as engine,
        Proxy(engine.address["port"]) as to_engine,
        Proxy(broker.port, broker.advertised_port) as to_broker,
        broker,
    ):
        hotline = Hotline(
            folder / "d",
            **common(folder, patience_s=PATIENCE_S),
            HOTLINE_CLICKHOUSE_READER_PASSWORD_FILE=str(engine.folder / "secrets" / "reader.password"),
            HOTLINE_CLICKHOUSE_WRITER_PASSWORD_FILE=str(engine.folder / "secrets" / "writer.password"),
            HOTLINE_BROKER="kafka",
            HOTLINE_BOOTSTRAP=f"127.0.0.1:{to_broker.port}",
            HOTLINE_CLICKHOUSE_URL=f"http://127.0.0.1:{to_engine.port}",
        )
        yield Surroundings(hotline, {"engine": to_engine, "broker": to_broker})


@contextmanager
def cluster(folder: Path) -> Iterator[Surroundings]:
    """Kafka is another's, of two nodes."""
    with Cluster(folder / "kafka") as nodes:
        hotline = Hotline(folder / "d", **common(folder), HOTLINE_BROKER="kafka", HOTLINE_BOOTSTRAP=nodes.bootstrap)
        nodes.make_topics(load_settings(hotline.data, {})[0].partitions)
        yield Surroundings(hotline, cluster=nodes)


ENVIRONMENTS = {"embedded": embedded, "kafka": kafka, "lines": lines, "cluster": cluster}


def _runs(environment: str) -> list[tuple[int, int]]:
    """Seed and number of faults of each run."""
    asked = os.environ.get("FAULTS_SEED")
    if asked:
        return [(int(asked), int(os.environ["FAULTS_TIMES"]))]
    where, times = FRESH
    return [FIXED[environment], *([(random.randrange(2**32), times)] if where == environment else [])]


@pytest.mark.parametrize("environment", ENVIRONMENTS)
@pytest.mark.timeout(1800)
def test_the_database_holds_what_was_told(environment: str, tmp_path: Path) -> None:
    for number, (seed, times) in enumerate(_runs(environment)):
        folder = tmp_path / str(number)
        folder.mkdir()
        day = os.environ.get("FAULTS_DAY") or today()
        sys.stdout.write(f"FAULTS_SEED={seed} FAULTS_TIMES={times} FAULTS_DAY={day}\n")  # shown when the test fails
        broken(environment, seed, times, folder, Diary(), day=day, of=plan_of(environment, os.environ.get("FAULTS_OF")))


def plan_of(environment: str, of: str | None = None) -> Plan:
    """Give the faults of `make test`, or `of` the share of a soak, as it is printed: its seed, run and faults a run."""
    if of is None:
        return PLANS[environment]
    hours = HOURS[environment]
    return {name: hours[name] for name in share(hours, *map(int, of.split("/")))}


def today() -> str:
    """Give the day before which stories happen, unless another one is asked for."""
    return datetime.now(UTC).date().isoformat()


def broken(environment: str, seed: int, times: int, folder: Path, diary: Diary, *, day: str, of: Plan) -> None:
    """Tell a seed's story of a day while the seed's faults `of` a plan happen, and check what comes of it."""
    pieces = times * 2
    told = story(seed, entities=ENTITIES, pieces=pieces, today=datetime.fromisoformat(day).replace(tzinfo=UTC))
    with ENVIRONMENTS[environment](folder) as (hotline, lines, cluster):
        lab = Laboratory(hotline, told, (day, str(seed), str(ENTITIES), str(pieces)), lines, cluster)
        lab.done, lab.bites, lab.killed = diary.faults, diary.bites, diary.killed
        try:
            hotline.running()
            lab.begin()
            _break(lab, of, plan(of, seed, times), diary)
            account = lab.finish()
            _whole(account, told)
            lab.heal()
            assert all(lab.bites[name] for name in lab.done if name not in MAY_MISS), lab.bites
            with hotline.writer() as client:
                checker = Checker(client, told, ZONE, hotline.settings.partitions)
                checker.check()
            checker.figures(_answers(lab, day))
            if JUMP not in lab.done:  # recent minutes begin where the workers' clocks say
                assert compared_with_tables(hotline)
        finally:
            sys.stdout.write(f"{environment}: {', '.join(lab.done)}\n")
            lab.clean()


def _break(lab: Laboratory, of: Plan, steps: list[Step], diary: Diary) -> None:
    """Let a piece go and let something break, again and again; then nothing breaks any more.

    After some faults a block that was told before is told again, to see how soon it is stored.
    """
    for step in steps:
        lab.let_go()
        if step.meets_health:
            lab.heal()
        lab.draw = step.draw()
        time.sleep(lab.draw.uniform(0, PAUSE_S_MAX))
        lab.done.append(step.name)
        began = time.monotonic()
        lab.bites[step.name] += of[step.name](lab)
        if step.is_timed:
            diary.recoveries.append((step.name, _recovered_s(lab, began)))


def _recovered_s(lab: Laboratory, began: float) -> float:
    """From a kill, or from the end of any other fault, until what is told again now is stored."""
    since = lab.killed_at if lab.killed_at > began else time.monotonic()
    piece = lab.story.pieces[0]
    again = pack(piece.subject, piece.events, lab.hotline.settings.partitions, events_max=piece.events_max)
    return stored_after_s(lab.hotline, again, since)


def _whole(account: dict[str, Any], told: Story) -> None:
    """Whether the sender knows of each event what became of it, in blocks and single."""
    blocks, single = account["blocks"], account["single"]
    assert blocks["read"] == sum(blocks[name] for name in ("counted", "seen", "revised", "dead")), blocks
    assert single["read"] == single["sent"] == single["stored"] + single["dead"], single
    assert blocks["read"] + single["read"] == told.events
    assert blocks["dead"] + single["dead"] == told.dead


def _answers(lab: Laboratory, day: str) -> list[dict[str, Any]]:
    """What `hotline kpi` says of every KPI over all of a day's story."""
    done = lab.hotline.do("kpi", *figures.asked(day))
    assert done.code == 0, done.said
    found: list[dict[str, Any]] = done.json
    return found
