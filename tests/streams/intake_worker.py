"""A worker that runs intake against a broker alone: its log has a number given, and no table knows any ticket.

    python intake_worker.py LOG

Its settings come from HOTLINE_* variables.
"""

import logging
import sys
import time
from typing import Any

from hotline.names import INTAKE_TOPIC
from hotline.settings import Settings, load
from streams.app import make_app
from streams.handling import handle_each
from streams.intake.agent import Intake, Opened
from streams.worker import run_worker

log = logging.getLogger("streams.intake")


def main() -> None:
    """Run it."""
    settings, _ = load()

    def empty(_: Settings) -> Opened:
        return Opened(int(sys.argv[1]), lambda _: [], lambda _: [], time.time)

    settings.folder.make()
    intake = Intake(settings, empty)
    app = make_app(
        "intake-alone",
        bootstrap=settings.bootstrap,
        source_topics=[INTAKE_TOPIC],
        bundled_topics=[INTAKE_TOPIC],
        partitions_owned=None,
        resume_from=intake.resume_from,
        datadir=settings.folder.run / "worker",
        idempotent=settings.broker == "kafka",
        log_survives=settings.broker == "kafka",
        buffer_records_max=8,
        poll_records_max=4,
    )
    intake.app = app

    @app.agent(app.source)  # type: ignore[untyped-decorator]
    async def agent(stream: Any) -> None:
        await handle_each(app, stream, told)

    async def told(event: Any) -> None:
        log.warning("a bundle of %d", len(event.value.records))
        await intake.handle(event)

    run_worker(app)


if __name__ == "__main__":
    main()
