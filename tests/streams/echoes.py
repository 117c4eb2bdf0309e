"""Echo workers as child processes, and what stands in their topics."""

import asyncio
import json
import sys
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

from kafka import KafkaProducer

from deploy.brokers import Broker, create_topics
from deploy.processes import Child
from streams.positions import Record, read_range, tail

ROOT = Path(__file__).parents[2]
WORKER = Path(__file__).with_name("echo_worker.py")
PATIENCE_S = 120.0


class Echoes:
    """A pair of topics on one broker, and the workers between them."""

    def __init__(self, broker: Broker, folder: Path, *, partitions: int) -> None:
        name = uuid.uuid4().hex[:8]
        self.broker, self.folder, self.partitions = broker, folder, partitions
        self.source, self.target = f"in-{name}", f"out-{name}"
        self.workers: list[Child] = []
        create_topics(broker.bootstrap, {self.source: partitions, self.target: partitions})

    def produce(self, count: int) -> None:
        """Write `count` records, spread over the partitions, and wait until they are acknowledged."""
        with KafkaProducer(bootstrap_servers=self.broker.bootstrap, reconnect_backoff_max_ms=500) as producer:
            for i in range(count):
                producer.send(self.source, value=b"%d" % i, partition=i % self.partitions)
            producer.flush()

    def start(self, **how: Any) -> Child:
        """Start one more worker; `how` are fields of Echo."""
        echo = {
            "bootstrap": self.broker.bootstrap,
            "source": self.source,
            "target": self.target,
            "datadir": str(self.folder / "data"),
            "idempotent": self.broker.profile.idempotent_producer,
        }
        log = self.folder / f"worker-{len(self.workers)}.log"
        args = [sys.executable, str(WORKER), json.dumps(echo | how)]
        child = Child(args, log=log, env={"PYTHONPATH": str(ROOT)})
        self.workers.append(child)
        child.start()
        return child

    def outputs(self) -> dict[int, list[int]]:
        """Return the source offsets of all outputs, in their order, by partition."""
        return asyncio.run(self._outputs())

    async def _outputs(self) -> dict[int, list[int]]:
        return {p: [_source(record) async for record in self._read(p)] for p in range(self.partitions)}

    def _read(self, partition: int) -> Any:
        return read_range(self.broker.bootstrap, self.target, partition, 0)

    def written(self) -> int:
        """Return how many outputs there are."""
        ends = asyncio.run(tail(self.broker.bootstrap, self.target, range(self.partitions)))
        return sum(ends.values())

    def wait_for(self, count: int) -> None:
        """Wait until there are `count` outputs; fails when a worker ended or nothing comes."""
        self.wait_until(lambda: self.written() >= count, f"{count} outputs")

    def wait_until(self, true: Callable[[], bool], what: str) -> None:
        """Wait for a condition; fails with the workers' logs when it takes too long."""
        deadline = time.monotonic() + PATIENCE_S
        while not true():
            logs = "\n".join(worker.log_tail() for worker in self.workers)
            assert time.monotonic() < deadline, f"no {what}, {self.written()} outputs:\n{logs}"
            assert any(worker.alive() for worker in self.workers), f"no {what}, no worker runs:\n{logs}"
            time.sleep(0.05)

    def once_in_order(self, count: int) -> dict[int, list[int]]:
        """Return what `outputs` is when each of `count` inputs has exactly one output, in order."""
        return {p: list(range(len(range(p, count, self.partitions)))) for p in range(self.partitions)}


def _source(record: Record) -> int:
    return int(record.header("source") or b"-1")


MakeEchoes = Callable[..., Echoes]
