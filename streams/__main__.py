"""`python -m streams`: a worker, with all its settings from HOTLINE_* variables."""

from __future__ import annotations

from typing import Any

from hotline.names import EVENTS_TOPICS
from hotline.settings import load
from streams.app import StreamsApp, make_app
from streams.handling import handle_each
from streams.measure.agent import Measure
from streams.reading import partitions_of_worker
from streams.worker import run_worker


def worker_app() -> StreamsApp:
    """The app of this worker: the agent `measure` on its share of the partitions."""
    settings, _ = load()
    measure = Measure(settings)
    owned = partitions_of_worker(settings.worker, workers=settings.workers, partitions=settings.partitions)
    durable = settings.broker == "kafka"
    app = make_app(
        "hotline",
        bootstrap=settings.bootstrap,
        source_topics=list(EVENTS_TOPICS.values()),
        partitions_owned=owned,
        resume_from=measure.resume_from,
        datadir=settings.folder.run / f"worker-{settings.worker}",
        idempotent=durable,
        log_survives=durable,
        buffer_records_max=8,
        poll_records_max=4,
    )

    measure.app = app

    @app.agent(app.source, name="measure")  # type: ignore[untyped-decorator]
    async def agent(stream: Any) -> None:
        await handle_each(app, stream, measure.handle)

    return app


if __name__ == "__main__":
    run_worker(worker_app())
