"""The stack's own broker as a part of it."""

from collections.abc import Callable, Collection

from deploy.brokers import Broker
from deploy.stack.part import Part


class BrokerPart(Part):
    """A broker on a port of its own; the embedded one is empty after each start."""

    def __init__(self, broker: Broker, *, needs: Collection[str], prepare: Callable[[], None]) -> None:
        super().__init__("broker", address=broker.bootstrap, needs=needs, prepare=prepare)
        self.broker = broker

    @property
    def pid(self) -> int | None:
        """The id of its process, None when none runs."""
        return self.broker.pid

    def alive(self) -> bool:
        """Tell whether its process runs."""
        return self.broker.alive()

    def start(self) -> None:
        """Start it and return when it answers. Raises BrokerError with a remedy."""
        self.broker.start()

    def stop(self, grace_s: float | None = None) -> None:  # noqa: ARG002  a broker knows its own patience
        """End it in order."""
        self.broker.stop()

    def kill(self) -> None:
        """End it at once."""
        self.broker.kill()

    def ending(self) -> str:
        """Say where its log is."""
        return f"ended (log: {self.broker.log})"
