"""A publisher of live values on a real broker, for what reads them."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any

import polars as pl
from kafka import KafkaProducer

from deploy.brokers import create_topics
from hotline import ipc
from hotline.catalogue import ALL, KPIS
from hotline.live import COLUMNS, Live
from hotline.names import CONTENT_TYPE, KPIS_TOPIC, LIVE, RECORD_BYTES_MAX

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

    from deploy.brokers import Broker

OFFERED = KPIS["calls_offered"]


def offered(number: int) -> bytes:
    """The values of a record in which so many calls were offered in five minutes."""
    rows = [("calls_offered", "5min", ALL, "", number, None, float(number))]
    return ipc.encode(pl.DataFrame(rows, COLUMNS, orient="row"))


class Publisher:
    """Publishes to one topic, which it makes; records get their sequence by themselves."""

    def __init__(self, broker: Broker, topic: str = KPIS_TOPIC) -> None:
        create_topics(broker.bootstrap, {topic: 1}, record_bytes_max=RECORD_BYTES_MAX)
        self._topic = topic
        self._producer: Any = KafkaProducer(bootstrap_servers=broker.bootstrap, max_request_size=RECORD_BYTES_MAX)
        self.sequence = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._producer.close()

    def publish(self, *, full: bool = True, values: bytes = b"", **more: Any) -> int:
        """Publish a record and return its offset."""
        self.sequence += 1
        as_of_ms = more.pop("as_of_ms", 1000 * self.sequence)
        written_at_ms = more.pop("written_at_ms", None)
        live = Live(sequence=self.sequence, as_of_ms=as_of_ms, full=full, values=values, **more)
        return self.send(live.encode(), content_type=LIVE, written_at_ms=written_at_ms)

    def send(self, value: bytes, *, content_type: bytes, written_at_ms: int | None = None) -> int:
        """Publish any bytes."""
        sent = self._producer.send(
            self._topic, value, partition=0, headers=[(CONTENT_TYPE, content_type)], timestamp_ms=written_at_ms
        )
        return int(sent.get(timeout=30).offset)


class EverySecond:
    """Publishes a full record of made-up values again and again, until the block ends or `pause` is set."""

    def __init__(self, broker: Broker, values: bytes) -> None:
        self._publisher = Publisher(broker)
        self._values = values
        self.pause = threading.Event()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._go_on, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join()
        self._publisher.__exit__(kind, error, trace)

    def _go_on(self) -> None:
        while not self._stop.is_set():
            if not self.pause.is_set():
                now_s = int(time.time())
                newest = {"calls": now_s - 1, "tickets": now_s - 2}
                self._publisher.publish(values=self._values, as_of_ms=now_s * 1000, newest_at=newest)
            self._stop.wait(0.5)
