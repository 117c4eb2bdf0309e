"""The stack's own broker as a part of it."""

from collections.abc import Callable, Collection

from deploy.brokers import Broker
from deploy.stack.part import Part


class BrokerPart(Part):
    """A broker on a port of its own; the embedded one is empty after each start."""

    may_end = False
    """Whether somebody was told to end it at a good moment."""

    def __init__(self, broker: Broker, *, needs: Collection[str], prepare: Callable[[], int | None]) -> None:
        """`prepare` gives the number of the log that the broker has, if it is known."""
        super().__init__("broker", address=broker.bootstrap, needs=needs, prepare=self._prepare)
        self.broker = broker
        self.log_number: int | None = None
        self._make_usable = prepare

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

    @property
    def ended_on_purpose(self) -> bool:
        """Whether it was to end."""
        return self.may_end

    def ending(self) -> str:
        """Say why it ended, or where what it printed is."""
        if self.may_end:
            return "ended, to begin a new log"
        return f"ended (log: {self.broker.log})"

    def _prepare(self) -> None:
        self.log_number = self._make_usable()
