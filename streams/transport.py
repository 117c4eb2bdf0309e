"""The aiokafka driver of Faust, made safe.

Versions are pinned: the classes of this room lean on internals of faust-streaming 0.15.3 and aiokafka 0.14.0, and
tests/streams says when that breaks.
"""

from collections.abc import Mapping
from typing import Any

from faust.transport.drivers import aiokafka as driver

from streams import record_batches
from streams.consumer import SafeConsumer

record_batches.install()


class SafeProducer(driver.Producer):  # type: ignore[misc]
    """Acknowledged by all replicas; idempotent where the broker can do it (Faust has no setting for it)."""

    def _settings_extra(self) -> Mapping[str, Any]:
        return {"acks": "all", "enable_idempotence": self.app.idempotent}

    def _new_producer(self, transactional_id: str | None = None) -> Any:
        """Make it give an answer up as soon as a consumer does.

        Faust's one time for both is 20 minutes: right for how long a record may wait for its broker, but so long a
        partition would stand still for each answer that is lost on a line which does not break.
        """
        producer = super()._new_producer(transactional_id)
        producer.client._request_timeout_ms = int(self.app.conf.broker_request_timeout * 1000)  # noqa: SLF001
        return producer


class SafeTransport(driver.Transport):  # type: ignore[misc]
    """The driver with the safe consumer and producer."""

    Consumer = SafeConsumer
    Producer = SafeProducer
