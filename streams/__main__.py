"""`python -m streams`: a worker, with all its settings from HOTLINE_* variables."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping
from typing import Any

from faust.types.tuples import TP

from hotline.data_folder import tell_ready
from hotline.lean import without_pandas
from hotline.names import EVENTS_TOPICS, INTAKE_TOPIC, MEASURED_TOPICS
from hotline.settings import Settings, load
from streams.app import StreamsApp, make_app
from streams.handling import handle_each
from streams.intake.agent import Intake
from streams.measure.agent import Measure
from streams.reading import OnGap, OnReconnect, Reached, partitions_of_worker
from streams.roll.agent import Roll
from streams.telling import tell
from streams.worker import run_worker

TOPICS: dict[str, tuple[str, ...]] = {
    "intake": (INTAKE_TOPIC,),
    "measure": tuple(EVENTS_TOPICS.values()),
    "roll": tuple(MEASURED_TOPICS.values()),
}
"""Agent → the topics it reads."""
BUFFER_RECORDS_MAX, POLL_RECORDS_MAX = 8, 4
"""Records that wait for an agent, and those taken from what was fetched at once: each may be a block of 16 MiB."""


def worker_app() -> StreamsApp:
    """The app of this worker: the agents that the settings name, each on this worker's share of the partitions."""
    settings, _ = load()
    makers: dict[str, type[Intake | Measure | Roll]] = {"intake": Intake, "measure": Measure, "roll": Roll}
    agents = {name: makers[name](settings) for name in settings.agents_named}
    durable = settings.broker == "kafka"
    resumed = asyncio.Event()
    app = make_app(
        "hotline",
        bootstrap=settings.bootstrap,
        source_topics=[topic for name in agents for topic in TOPICS[name]],
        bundled_topics=[INTAKE_TOPIC] if "intake" in agents else [],
        partitions_owned=_partitions(settings),
        resume_from=_resume_from(settings, agents, resumed),
        on_reconnect=_on_reconnect(agents),
        on_gap=None if "roll" in agents else _on_gap(agents),
        datadir=settings.folder.run / settings.process,
        idempotent=durable,
        log_survives=durable,
        buffer_records_max=BUFFER_RECORDS_MAX,
        poll_records_max=POLL_RECORDS_MAX,
    )
    for name, agent in agents.items():
        agent.app = app
        _register(app, name, agent)

    @app.task  # type: ignore[untyped-decorator]
    async def telling() -> None:
        await resumed.wait()
        await tell(app, settings.process, list(agents.values()))

    return app


def _on_reconnect(agents: Mapping[str, Any]) -> OnReconnect | None:
    """Ask those who know what they read. Roll accepts by the sources that its records name."""
    knowing = [agent for name, agent in agents.items() if name != "roll"]

    async def on_reconnect(reached: Mapping[TP, Reached]) -> None:
        for agent in knowing:
            await agent.on_reconnect(reached)

    return on_reconnect if knowing else None


def _on_gap(agents: Mapping[str, Any]) -> OnGap:
    """Ask the agent that reads the topic. Roll has no gaps: it starts again from the tables."""

    async def on_gap(tp: TP, due: int, first: int) -> str:
        agent = next(agent for name, agent in agents.items() if tp.topic in TOPICS[name])
        return str(await agent.on_gap(tp, due, first))

    return on_gap


def _partitions(settings: Settings) -> frozenset[int]:
    """This worker's share; roll reads all."""
    if settings.process == "roll":
        return frozenset(range(settings.partitions))
    return partitions_of_worker(settings.worker, workers=settings.workers, partitions=settings.partitions)


def _register(app: StreamsApp, name: str, agent: Any) -> None:
    topic = app.topic(*TOPICS[name], value_type=bytes, acks=True)

    @app.agent(topic, name=name)  # type: ignore[untyped-decorator]
    async def run(stream: Any) -> None:
        await handle_each(app, stream, agent.handle)


def _resume_from(settings: Settings, agents: Mapping[str, Any], resumed: asyncio.Event) -> Any:
    """Ask every agent where its topics go on; then the worker is ready."""

    async def resume_from(partitions: Collection[TP]) -> dict[TP, int]:
        starts: dict[TP, int] = {}
        for name, agent in agents.items():
            starts.update(await agent.resume_from([tp for tp in partitions if tp.topic in TOPICS[name]]))
        tell_ready(settings.folder.ready(settings.process))
        resumed.set()
        return starts

    return resume_from


if __name__ == "__main__":
    without_pandas()
    run_worker(worker_app())
