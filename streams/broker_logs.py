"""A broker's absence in a few log lines: aiokafka alone writes thousands while it waits."""

import asyncio
import logging
import time
from typing import Any

log = logging.getLogger("streams.broker")

LINES_MAX = 5  # of one logger in one span; the rest is counted
SPAN_S = 10.0
PROBE_EVERY_S = 5.0
PROBE_WITHIN_S = 5.0


class RateLimitedLogs(logging.Handler):
    """Hands at most `LINES_MAX` records a logger and `SPAN_S` on to the root's handlers, then says how many it held."""

    def __init__(self) -> None:
        super().__init__()
        self._spans: dict[str, tuple[float, int]] = {}  # logger → start of its span, lines in it

    def emit(self, record: logging.LogRecord) -> None:
        """Pass the record on, or only count it."""
        started, lines = self._spans.get(record.name, (record.created, 0))
        if record.created - started >= SPAN_S:
            if lines > LINES_MAX:
                log.warning("%s: %d more lines held back in %.0f s", record.name, lines - LINES_MAX, SPAN_S)
            started, lines = record.created, 0
        self._spans[record.name] = (started, lines + 1)
        if lines < LINES_MAX:
            logging.getLogger().handle(record)


def limit_driver_logs() -> None:
    """Put the limit before every `aiokafka*` logger. Repeating it changes nothing."""
    driver = logging.getLogger("aiokafka")
    if not any(isinstance(handler, RateLimitedLogs) for handler in driver.handlers):
        driver.addHandler(RateLimitedLogs())
    driver.propagate = False


async def watch_broker(app: Any) -> None:
    """Ask the broker for its topics every few seconds, for ever; log when it goes away and when it is back."""
    away_since: float | None = None
    while True:
        error = await _probe(app)
        if error is not None and away_since is None:
            away_since = time.time()
            log.error("broker away since %s: %s", time.strftime("%H:%M:%S", time.localtime(away_since)), error)
        elif error is None and away_since is not None:
            log.warning("broker back after %.0f s", time.time() - away_since)
            away_since = None
        await asyncio.sleep(PROBE_EVERY_S)


async def _probe(app: Any) -> str | None:
    client = app.producer._ensure_producer().client  # noqa: SLF001 - the producer's own connection, not another one
    try:
        async with asyncio.timeout(PROBE_WITHIN_S):
            await client.fetch_all_metadata()
    except Exception as error:  # noqa: BLE001 - whatever it is, the broker did not answer
        return repr(error)
    return None
