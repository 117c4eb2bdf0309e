"""Plain Faust: one JSON event a record, a stock agent that decodes it. Prints wall and CPU seconds for COUNT events."""

from __future__ import annotations

import os
import sys
import time
from typing import Any

import faust
import msgspec

BOOTSTRAP, TOPIC, COUNT = sys.argv[1], sys.argv[2], int(sys.argv[3])
app = faust.App(
    "bench-plain",
    broker=f"kafka://{BOOTSTRAP}",
    store="memory://",
    datadir=os.environ["BENCH_DATADIR"],
    web_enabled=False,
    topic_allow_declare=False,
    topic_disable_leader=True,
    table_standby_replicas=0,
    consumer_auto_offset_reset="earliest",
    stream_buffer_maxsize=16_384,
    broker_max_poll_records=4_000,
)
topic = app.topic(TOPIC, value_type=bytes, value_serializer="raw")


@app.agent(topic)  # type: ignore[untyped-decorator]
async def agent(stream: Any) -> None:
    seen, begun, cpu = 0, 0.0, 0.0
    async for value in stream:
        if not seen:
            begun, cpu = time.perf_counter(), time.process_time()
        msgspec.json.decode(value)
        seen += 1
        if seen == COUNT:
            os.write(1, f"{time.perf_counter() - begun} {time.process_time() - cpu}\n".encode())
            os._exit(0)


if __name__ == "__main__":
    sys.argv[1:] = ["worker", "-l", "error", "--without-web"]
    app.main()
