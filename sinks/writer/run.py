"""The sink's process: takes its epoch, finishes the spool, then session after session until told to stop."""

from __future__ import annotations

import logging
import signal
import threading
import time
from functools import partial
from typing import TYPE_CHECKING

from kafka.errors import KafkaError

from hotline.names import KEPT_TOPICS, MEASURED_TOPICS
from sinks.writer.applier import Applier
from sinks.writer.barrier import Barrier
from sinks.writer.door import Door, read_token
from sinks.writer.forks import forked
from sinks.writer.gatherer import Gatherer, LineStoppedError
from sinks.writer.health import Health
from sinks.writer.reader import LogLostError, Reader
from sinks.writer.session import Session
from sinks.writer.spool import Spool
from sinks.writer.store import FencedError, StoppedError, Store
from sinks.writer.working_days import keep_working_days

if TYPE_CHECKING:
    from sinks.writer.options import Options

log = logging.getLogger("sinks.writer")

EXIT_LINE_STOPPED = 70
EXIT_FENCED = 71
UNREGISTERED_RETRY_S = 0.5
COMPARE_EVERY_S = 15.0
"""How often a durable broker's logs are compared with the marks, besides at every start and after every absence."""


def run(options: Options) -> int:
    """Run until SIGTERM or SIGINT; the exit code: 0, 70 when the line stopped, 71 when another sink took over.

    Raises SpoolError, PermissionError and OSError when it cannot start.
    """
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    spool = Spool(options.spool)
    options.address_file.unlink(missing_ok=True)
    health, barrier = Health(), Barrier()
    door = Door(health, barrier, token=read_token(options.token_file), port=options.port)
    try:
        _Life(options, stop, barrier, spool=spool, health=health, door=door).live()
    except StoppedError as error:
        log.warning("%s", error)
    except (LineStoppedError, LogLostError) as error:
        log.critical("ALARM the line stops: %s", error)
        return EXIT_LINE_STOPPED
    except FencedError as error:
        log.critical("ALARM %s", error)
        return EXIT_FENCED
    finally:
        options.address_file.unlink(missing_ok=True)
        barrier.close()
        door.close()
        spool.close()
    return 0


class _Life:
    """What a process does between its start and its end."""

    def __init__(
        self, options: Options, stop: threading.Event, barrier: Barrier, *, spool: Spool, health: Health, door: Door
    ) -> None:
        self._options = options
        self._stop = stop
        self._barrier = barrier
        self._health = health
        self._door = door
        self._store = Store(options.settings, stop, on_trouble=lambda reason: health.trouble("engine", reason))
        self._applier = Applier(self._store, spool, barrier, health, die_after=options.die_after)
        self._compared_at = 0.0
        self._topics = (*MEASURED_TOPICS.values(), *KEPT_TOPICS)

    def live(self) -> None:
        """Live; the order is the rule: epoch, spool, marks, logs, and only then the first record."""
        self._health.epoch = self._store.take_epoch()
        self._applier.finish_spool()
        keep_working_days(self._store, self._options.settings)
        while not self._stop.is_set():
            logs = self._registered()
            reader = Reader(self._options.bootstrap, self._topics, self._stop, on_trouble=self._broker_trouble)
            try:
                if reader.open() and not self._forked(logs):
                    self._session(reader, logs)
            finally:
                reader.close()

    def _session(self, reader: Reader, logs: dict[str, int]) -> None:
        gatherer = Gatherer(reader, self._options, self._health, self._store.check)
        gatherer.start(logs)
        self._health.started = True
        self._door.tell(self._options.address_file)
        moved_on = partial(self._moved_on, logs)
        session = Session(
            gatherer, self._applier, self._barrier, self._stop, moved_on=moved_on, broke=lambda: reader.back
        )
        session.run()

    def _moved_on(self, logs: dict[str, int]) -> bool:
        """Whether a log has a new number; now and then whether one should."""
        if self._store.logs_changed(logs):
            return True
        return time.monotonic() - self._compared_at > COMPARE_EVERY_S and bool(self._others(logs))

    def _forked(self, logs: dict[str, int]) -> bool:
        """Whether a log is not the one it was, or nobody can tell now; one that is not gets its next number.

        Only while no batch is in hand: a worker that starts under the new number must find whole tables.
        """
        topics = self._others(logs)
        if topics:
            log.critical("ALARM the logs of %s are not the ones they were: they are read again from the start", topics)
            self._store.follow_fork(topics)
        return topics is None or bool(topics)

    def _others(self, logs: dict[str, int]) -> list[str] | None:
        """Topics whose logs are not the ones they were; None when the broker does not tell."""
        if not self._options.log_survives:
            return []  # a broker that begins anew has another cluster id: its logs have new numbers already
        self._compared_at = time.monotonic()
        try:
            return forked(self._options.bootstrap, self._health.stored, logs)
        except (KafkaError, OSError) as error:
            log.warning("the logs could not be compared with the marks: %s", error)
            return None

    def _registered(self) -> dict[str, int]:
        """Return the log numbers, as soon as every topic has one."""
        said = False
        while True:
            logs = self._store.current_logs()
            missing = [topic for topic in self._topics if topic not in logs]
            if not missing:
                return logs
            if not said:
                log.warning("the topics %s have no log number yet; register_logs gives them one", missing)
            said = True
            if self._stop.wait(UNREGISTERED_RETRY_S):
                raise StoppedError("stopped before the topics had log numbers")

    def _broker_trouble(self, reason: str | None) -> None:
        self._health.trouble("broker", reason)
