"""One line of Asterisk's queue log: in the file with pipes, or a row of its database table as JSON."""

from __future__ import annotations

import re
from typing import Any, NamedTuple

from producers.adapters.values import EARLIEST_S, LATEST_S, RefusedError, instant, name, required, required_instant

SEPARATOR = "|"
FIELDS = 5
"""Time, call, queue, agent, event; what follows are the event's own parameters."""
NOBODY = "NONE"
"""What Asterisk writes where there is no call, queue or agent."""

_UNIQUEID = re.compile(r"(?:.*-)?(\d{9,10})\.\d+", re.ASCII)
"""Asterisk names a channel `[system-]<epoch seconds>.<serial number>`, at the moment it makes it."""

_DIGITS = 15
"""Of a number of seconds; with that many it lies beyond all years anyway."""


class Line(NamedTuple):
    """A line as it stands; `data` are the event's parameters, empty ones included."""

    at: int
    call: str
    queue: str | None
    agent: str | None
    event: str
    data: tuple[str, ...]


def of_text(text: str, zone: str) -> Line:
    """Read a line with pipes. Raises RefusedError."""
    parts = text.split(SEPARATOR)
    if len(parts) < FIELDS:
        raise RefusedError("undecodable")
    at, call, queue, agent, event, *data = parts
    time = _epoch_s(at.strip()) or required_instant(at.strip(), zone)
    return _line(time, call, queue, agent, event, tuple(map(str.strip, data)))


def of_row(row: dict[str, Any], zone: str) -> Line:
    """Read a row of the table `queue_log`: `data1` to `data5`, or in older tables `data` with pipes."""
    time = required_instant(_number(row.get("time")), zone)
    single = row.get("data")
    data = str(single).split(SEPARATOR) if single else [str(row.get(f"data{place}") or "") for place in range(1, 6)]
    while data and not data[-1]:
        data.pop()
    return _line(time, row.get("callid"), row.get("queuename"), row.get("agent"), row.get("event"), tuple(data))


def made_at(call: str) -> int | None:
    """When the caller's channel was made, as its id states it in epoch seconds; None for ids of another form."""
    found = _UNIQUEID.fullmatch(call)
    made = int(found[1]) if found else 0
    return made if EARLIEST_S <= made <= LATEST_S else None


def _line(at: int, call: Any, queue: Any, agent: Any, event: Any, data: tuple[str, ...]) -> Line:
    return Line(at, required(call), _somebody(name(queue)), _somebody(name(agent)), required(event).upper(), data)


def _somebody(value: str | None) -> str | None:
    return None if value == NOBODY else value


def _number(value: Any) -> Any:
    """Tables hold the time as a timestamp, or as text of epoch seconds."""
    return _epoch_s(value) or value if isinstance(value, str) else value


def _epoch_s(text: str) -> int | None:
    seconds, _, fraction = text.partition(".")
    if not (seconds.isdecimal() and seconds.isascii() and (fraction or "0").isdecimal()):
        return None
    return instant(int(seconds[:_DIGITS]), "UTC")
