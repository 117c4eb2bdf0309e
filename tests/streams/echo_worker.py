"""A worker that writes one output for each input, to the same partition, with the input's offset in a header.

    python echo_worker.py '{"bootstrap": "127.0.0.1:9092", …}'

It prints a line when its first record comes and when a connection broke, so that a test can tell.
"""

import asyncio
import json
import sys
import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from faust.types.tuples import TP

from streams.app import make_app
from streams.handling import handle_each, send
from streams.positions import read_range, tail
from streams.reading import Assignment, Reached
from streams.worker import run_worker


@dataclass(frozen=True, kw_only=True)
class Echo:
    """How this worker behaves. `fail_at`: raises once at that offset of partition 0. `start_at`: takes no marks.

    `patience_s`: after so long a request to the broker is given up.
    """

    bootstrap: str
    source: str
    target: str
    datadir: str
    idempotent: bool
    owned: list[int] | None = None
    assignment: Assignment = "manual"
    instance: str | None = None
    work_s: float = 0.0
    fail_at: int | None = None
    start_at: int | None = None
    pause_until: str | None = None
    log_survives: bool = True
    patience_s: float | None = None

    async def resume(self, partitions: Collection[TP]) -> Mapping[TP, int]:
        """Answer the offset after the last input that has an output."""
        if self.start_at is not None:
            return dict.fromkeys(partitions, self.start_at)
        ends = await tail(self.bootstrap, self.target, {tp.partition for tp in partitions})
        starts = {}
        for tp in partitions:
            end = ends[TP(self.target, tp.partition)]
            if end:
                async for record in read_range(self.bootstrap, self.target, tp.partition, end - 1):
                    starts[tp] = int(record.header("source") or b"") + 1
        return starts

    async def reconnected(self, reached: Mapping[TP, Reached]) -> None:
        """Compare the log that was found again with the positions reached before; needs a broker that answers."""
        ends = await tail(self.bootstrap, self.source, {tp.partition for tp in reached})
        if any(ends[tp] < position for tp, (position, _) in reached.items()):
            raise RuntimeError(f"another log: {ends} after {reached}")
        sys.stdout.write("reconnected\n")
        sys.stdout.flush()

    async def echo(self, app: Any, event: Any) -> None:
        """Write one output; the waits before and after it are where most kills find the worker."""
        message = event.message
        if message.partition == 0 and message.offset == self.fail_at and not self._failed_before():
            raise RuntimeError(f"told to fail at {self.fail_at}")
        while self.paused():  # noqa: ASYNC110 - the event is a file
            await asyncio.sleep(0.05)
        await asyncio.sleep(self.work_s)
        headers = [("source", str(message.offset).encode())]
        written = await send(app, topic=self.target, partition=message.partition, value=event.value, headers=headers)
        if self.assignment == "manual" and written.offset != message.offset:
            raise RuntimeError(f"output {written.offset} for input {message.offset}: somebody else writes")
        await asyncio.sleep(self.work_s / 4)

    def paused(self) -> bool:
        """Tell whether the file that lets the worker go on is still missing."""
        return self.pause_until is not None and not Path(self.pause_until).exists()

    def _failed_before(self) -> bool:
        flag = Path(self.datadir + ".failed")
        if flag.exists():
            return True
        flag.touch()
        return False


def main() -> None:
    """Run the worker that the first argument describes."""
    started = time.monotonic()
    echo = Echo(**json.loads(sys.argv[1]))
    app = make_app(
        "echo-" + echo.source,
        bootstrap=echo.bootstrap,
        source_topics=[echo.source],
        partitions_owned=echo.owned,
        resume_from=echo.resume,
        datadir=Path(echo.datadir),
        idempotent=echo.idempotent,
        assignment=echo.assignment,
        instance_id=echo.instance,
        on_reconnect=echo.reconnected,
        log_survives=echo.log_survives,
    )
    if echo.patience_s:
        app.conf.broker_request_timeout = echo.patience_s
    said: list[int] = []

    @app.agent(app.source)  # type: ignore[untyped-decorator]
    async def agent(stream: Any) -> None:
        async def handle(event: Any) -> None:
            if not said:
                said.append(1)
                sys.stdout.write(f"first {time.monotonic() - started:.3f} {event.message.offset}\n")
                sys.stdout.flush()
            await echo.echo(app, event)

        await handle_each(app, stream, handle)

    run_worker(app)


if __name__ == "__main__":
    main()
