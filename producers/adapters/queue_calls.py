"""From lines of a queue log to the events of calls.

Lines of many calls interleave, and most events can be told from their line alone: the call's id states when its channel
was made, which is its birth. Two things need the call's earlier lines: how long it waited and talked over all queues.
So each event states how many of the call's lines were known before it, as its revision: of two readings, the one that
began earlier is right, whichever is loaded last.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from producers.adapters.queue_lines import made_at
from producers.adapters.told import Told
from producers.adapters.values import RefusedError, person, seconds

if TYPE_CHECKING:
    from producers.adapters.queue_lines import Line

CALLS_KEPT = 100_000
"""Calls remembered at most; then those that had no line for longest are forgotten."""
KEPT_S = 86_400
"""How long after its last line, by the log's own times, a call is remembered."""

REVISION_MAX = 2**16 - 1
UNKNOWN_CALLERS = frozenset({"unknown", "anonymous", "restricted", "unavailable", "private", "<unknown>"})

ENTERED, CONNECTED, ABANDONED = "ENTERQUEUE", "CONNECT", "ABANDON"
COMPLETED = frozenset({"COMPLETEAGENT", "COMPLETECALLER"})
TRANSFERRED = frozenset({"TRANSFER", "BLINDTRANSFER", "ATTENDEDTRANSFER"})
LEFT_BY_KEY = "EXITWITHKEY"
PUT_OUT = frozenset({"EXITWITHTIMEOUT", "EXITEMPTY", "SYSCOMPAT"})

_ID_BYTES = 190
"""Leaves room for a word after it in a name of 200 bytes."""
_WAIT_AT = {CONNECTED: 0, ABANDONED: 2, LEFT_BY_KEY: 3}
"""Which parameter states the wait in this queue."""


@dataclass
class _Call:
    """What is remembered of a call."""

    born_at: int
    lines: int = 0
    entered_at: int | None = None
    """When it entered its first queue, if that was seen."""
    visits: int = 0
    connected: bool = False
    """Whether an operator was reached, ever: the wait was over then."""
    answered_at: int | None = None
    """When the talk that goes on now began, if one does."""
    talked_s: int | None = 0
    """Seconds of all talks so far; None when one of them is not known."""
    last_at: int = 0


class Calls:
    """The calls of a log, line by line in the order in which they stand."""

    def __init__(self) -> None:
        self._calls: dict[str, _Call] = {}

    def events(self, line: Line, key: bytes) -> tuple[list[Told], int]:
        """Events of a line of a call, and when the call was born. Raises RefusedError."""
        if line.event not in _TELLERS:
            raise RefusedError("unknown_word")
        call = self._calls.get(line.call) or _Call(self._born_at(line))
        told = _TELLERS[line.event](call, line, key)
        revision = min(call.lines, REVISION_MAX)
        events = [{"line": line.queue, "revision": revision, "occurred_at": line.at, **event} for event in told]
        self._remember(line, call)
        return events, call.born_at

    def _born_at(self, line: Line) -> int:
        made = made_at(line.call)
        if made is not None:
            return made
        if line.event != ENTERED:
            raise RefusedError("missing_field")  # an id of another form, and nothing that says since when
        return line.at

    def _remember(self, line: Line, call: _Call) -> None:
        """Keep the call, as the last one; forget those that are long over."""
        call.lines += 1
        call.last_at = line.at
        self._calls.pop(line.call, None)
        self._calls[line.call] = call
        while self._calls:
            oldest = next(iter(self._calls))
            if len(self._calls) <= CALLS_KEPT and self._calls[oldest].last_at >= line.at - KEPT_S:
                return
            del self._calls[oldest]


def _id(line: Line) -> str:
    """Name an event by what its line alone says: a call may leave two queues in the same second."""
    return f"{line.event} {line.at} {line.queue or ''}".encode()[:_ID_BYTES].decode(errors="ignore").strip()


def _stated(line: Line, place: int) -> int | None:
    return seconds(line.data[place]) if place < len(line.data) else None


def _entered(call: _Call, line: Line, key: bytes) -> list[Told]:
    caller = line.data[1].strip() if len(line.data) > 1 else ""
    offered = {
        "type": "call.offered",
        "direction": "inbound",
        "caller": None if caller.lower() in UNKNOWN_CALLERS else person(caller, key),
    }
    first = call.lines == 0
    call.visits += 1
    call.entered_at = line.at if first else call.entered_at
    queued = {"type": "call.queued", "id": _id(line), "revision": 0}
    return [{**offered, "revision": 0}, queued] if first else [queued]


def _wait_s(call: _Call, line: Line) -> int | None:
    """The whole wait: as stated for a first queue, from entering the first one for any other; none after a talk."""
    if call.connected:
        return None
    stated = _stated(line, _WAIT_AT[line.event])
    if call.visits > 1 and call.entered_at is not None:
        return max(0, line.at - call.entered_at)
    return stated


def _connected(call: _Call, line: Line, key: bytes) -> list[Told]:
    wait_s = _wait_s(call, line)
    call.answered_at, call.connected = line.at, True
    answered = {"type": "call.answered", "id": _id(line), "leg": "operator", "operator": person(line.agent, key)}
    return [{**answered, "wait_s": wait_s}]


def _abandoned(call: _Call, line: Line, _: bytes) -> list[Told]:
    return [{"type": "call.abandoned", "id": _id(line), "wait_s": _wait_s(call, line)}]


def _put_out(_: _Call, line: Line, __: bytes) -> list[Told]:
    return [{"type": "call.lost", "id": _id(line)}]


def _ended(call: _Call, line: Line, talk_at: int) -> Told:
    stated = _stated(line, talk_at)
    talked = max(0, line.at - call.answered_at) if stated is None and call.answered_at is not None else stated
    call.talked_s = None if talked is None or call.talked_s is None else call.talked_s + talked
    call.answered_at = None
    return {"type": "call.ended", "id": _id(line), "talk_s": call.talked_s}


def _completed(call: _Call, line: Line, _: bytes) -> list[Told]:
    return [_ended(call, line, 1)]


def _transferred(call: _Call, line: Line, _: bytes) -> list[Told]:
    """The talk with this operator is over; what follows outside of the queues the log does not tell."""
    link = line.event == "ATTENDEDTRANSFER" and line.data[:1] == ("LINK",)  # names two channels where others name one
    moved = {"type": "call.transferred", "id": f"{_id(line)} moved"}
    return [moved, _ended(call, line, 4 if link else 3)]


_TELLERS = {
    ENTERED: _entered,
    CONNECTED: _connected,
    ABANDONED: _abandoned,
    LEFT_BY_KEY: _abandoned,
    **dict.fromkeys(PUT_OUT, _put_out),
    **dict.fromkeys(COMPLETED, _completed),
    **dict.fromkeys(TRANSFERRED, _transferred),
}
