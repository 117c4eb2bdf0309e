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


class SafeTransport(driver.Transport):  # type: ignore[misc]
    """The driver with the safe consumer and producer."""

    Consumer = SafeConsumer
    Producer = SafeProducer
