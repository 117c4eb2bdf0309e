"""Listening to the live values on a thread of its own, through everything that may happen to broker and agents."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum

from cli.watch.topic import KpisTopic, NewLogError, NoAnswerError, NoTopicError, Taken, broker_there, joined
from hotline.current import Current

RETRY_S = 0.5
POLL_S = 0.25
PROBE_AFTER_S = 2.0
"""Records come every second: after this long without one it is asked whether the broker is still there."""


class Phase(StrEnum):
    """What is known, and if not, why."""

    JOINING = "joining"
    NO_STACK = "no_stack"
    NO_BROKER = "no_broker"
    NO_TOPIC = "no_topic"
    NO_VALUES = "no_values"
    VALUES = "values"


class Listener:
    """The current values, kept by a thread from `start` to `stop`."""

    def __init__(self, find: Callable[[], str | None]) -> None:
        """`find` gives the broker's address, None while no stack runs."""
        self._find = find
        self._current = Current()
        self._phase = Phase.JOINING
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._listen, name="live-values", daemon=True)
        self._spoke_at_s = time.monotonic()
        """When the last record came, by the monotonic clock; before us for one that was older when it came."""
        self._sequence: int | None = None
        self._failure: Exception | None = None

    def start(self) -> None:
        """Begin to listen."""
        self._thread.start()

    def stop(self) -> None:
        """End it."""
        self._stop.set()
        self._thread.join(timeout=5)

    @contextmanager
    def look(self) -> Iterator[tuple[Current, Phase, float]]:
        """Hold still: the values, the phase, and seconds since values were last published. Raises what ended it."""
        if self._failure:
            raise self._failure
        with self._lock:
            yield self._current, self._phase, max(0.0, time.monotonic() - self._spoke_at_s)

    def as_of_s(self) -> int | None:
        """The instant of the values in epoch seconds, None while there are none."""
        with self._lock:
            at_ms = self._current.as_of_ms
            return at_ms // 1000 if at_ms is not None and self._current.known else None

    def _listen(self) -> None:
        try:
            while not self._stop.is_set():
                self._phase = self._follow()
                self._stop.wait(RETRY_S)
        except Exception as error:  # noqa: BLE001  the board's own thread raises it
            self._failure = error

    def _follow(self) -> Phase:
        """Join and follow until that ends; why it ended."""
        from kafka.errors import KafkaError

        bootstrap = self._find()
        if bootstrap is None:
            return Phase.NO_STACK
        try:
            with joined(bootstrap) as topic:
                self._begin_anew(topic)
                while not self._stop.is_set() and self._spoken(topic, bootstrap):
                    pass
        except NoTopicError:
            return Phase.NO_TOPIC
        except NewLogError:
            return Phase.JOINING
        except (NoAnswerError, KafkaError, OSError):
            return Phase.NO_BROKER
        return Phase.NO_BROKER

    def _begin_anew(self, topic: KpisTopic) -> None:
        with self._lock:
            self._current.forget_offsets()
            self._sequence = None
            if self._current.known:
                self._phase = Phase.VALUES
            elif not topic.has_values:  # else they are about to be read
                self._phase = Phase.NO_VALUES
        self._probed_at_s = time.monotonic()

    def _spoken(self, topic: KpisTopic, bootstrap: str) -> bool:
        """Take what comes; False when the broker is gone."""
        found = topic.poll(POLL_S)
        for taken in found:
            self._take(taken, topic)
        now_s = time.monotonic()
        if found:
            self._probed_at_s = now_s
        elif now_s - self._probed_at_s > PROBE_AFTER_S:
            self._probed_at_s = now_s
            return broker_there(bootstrap)
        return True

    def _take(self, taken: Taken, topic: KpisTopic) -> None:
        if taken.live.sequence != (self._sequence or 0) + 1:
            self._current.forget_offsets()  # another process writes, perhaps into another log
        self._sequence = taken.live.sequence
        missing = self._current.missing(taken.live)
        values = topic.one(missing) if missing is not None else None
        with self._lock:
            if values:
                self._current.take(values.live, values.offset)
            self._current.take(taken.live, taken.offset)
            # What was there before us may be old, and its own clock says how old; what comes while we look is new.
            old_s = 0.0 if taken.fresh else max(0.0, time.time() - taken.written_at_s)
            self._spoke_at_s = time.monotonic() - old_s
            self._phase = Phase.VALUES if self._current.known else Phase.NO_VALUES
