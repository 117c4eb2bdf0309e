"""The queue log of Asterisk's `app_queue`: every caller's way through the queues, a line a step."""

from __future__ import annotations

import codecs
from typing import TYPE_CHECKING, Any

from hotline.subjects import CALLS
from producers.adapters.adapter import Adapter, Batch, Reading
from producers.adapters.errors import UnreadableError
from producers.adapters.lines import line_frames
from producers.adapters.objects import Found, objects
from producers.adapters.queue_calls import Calls
from producers.adapters.queue_lines import Line, of_row, of_text
from producers.adapters.told import Telling
from producers.adapters.values import RefusedError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from producers.adapters.opening import Input

NAME = "asterisk"
LISTS = frozenset({"queue_log"})
COLUMNS = {
    "time": "the times of all events (first in a line)",
    "callid": "entity; born_at, the moment in its name",
    "queuename": "line",
    "agent": "operator, as a pseudonym; NONE is nobody",
    "event ENTERQUEUE": "call.offered (a call's first), call.queued",
    "event CONNECT": "call.answered",
    "event COMPLETEAGENT, COMPLETECALLER": "call.ended",
    "event TRANSFER, BLINDTRANSFER, ATTENDEDTRANSFER": "call.transferred, call.ended",
    "event ABANDON, EXITWITHKEY": "call.abandoned",
    "event EXITWITHTIMEOUT, EXITEMPTY, SYSCOMPAT": "call.lost",
    "data1…data5: holdtime, waittime": "wait_s",
    "data1…data5: calltime": "talk_s",
    "data2 of ENTERQUEUE": "caller, as a pseudonym",
    "other data": "",
    "id": "",
}
SKIPPED = {
    **dict.fromkeys(
        (
            *("ADDMEMBER", "REMOVEMEMBER", "PAUSE", "UNPAUSE", "PAUSEALL", "UNPAUSEALL", "PAUSEREASON", "PENALTY"),
            *("RINGINUSE", "AGENTLOGIN", "AGENTLOGOFF", "AGENTCALLBACKLOGIN", "AGENTCALLBACKLOGOFF", "WRAPUPSTART"),
        ),
        "operators",
    ),
    **dict.fromkeys(("RINGNOANSWER", "RINGCANCELED", "AGENTDUMP"), "still waiting"),
    **dict.fromkeys(("QUEUESTART", "CONFIGRELOAD"), "system"),
    **dict.fromkeys(("DID", "INFO"), "remarks"),
    # What Wazo writes besides: LEAVEEMPTY says EXITEMPTY again, the others are of callers that no queue took.
    "LEAVEEMPTY": "said before",
    **dict.fromkeys(
        ("JOINEMPTY", "FULL", "CLOSED", "DIVERT_CA_RATIO", "DIVERT_HOLDTIME", "DIVERT_WAITTIME"), "not queued"
    ),
}
"""Events that no event of a call follows from → why."""

_MEMORY = "calls"
_Read = tuple[Found, "Line | RefusedError"]


def _batches(source: Input, reading: Reading) -> Iterator[Batch]:
    calls: Calls = reading.memory.setdefault(_MEMORY, Calls())
    telling = Telling(CALLS, NAME)
    recognised = reading.recognised
    for read in _lines(source, reading):
        recognised = recognised or any(isinstance(line, Line) for _, line in read)
        if not recognised:
            break
        reading.recognise()
        for found, line in read:
            _tell(found, line, calls, telling, reading)
        yield telling.batch(source.position)
    if not recognised:
        reason = "no line at its start has a time, a call, a queue, an agent and an event between pipes"
        raise UnreadableError(source.name, reason, "Use the adapter of what it holds.")


def _lines(source: Input, reading: Reading) -> Iterator[list[_Read]]:
    if source.head.removeprefix(codecs.BOM_UTF8).lstrip()[:1] in {b"[", b"{"}:
        for rows in objects(source, reading.chunk_bytes, LISTS):
            yield [(row, _line(row, row.value, of_row, reading.zone)) for row in rows]
        return
    for frame in line_frames(source.pieces(), reading.chunk_bytes):
        yield [
            (found, _line(found, text, of_text, reading.zone))
            for line, raw, text, problem in frame.select("line", "raw", "text", "problem").iter_rows()
            for found in [Found(line, raw, problem, {})]
        ]


def _line(found: Found, content: Any, read: Callable[[Any, str], Line], zone: str) -> Line | RefusedError:
    try:
        found.check()
        return read(content, zone)
    except RefusedError as refused:
        return refused


def _tell(found: Found, line: Line | RefusedError, calls: Calls, telling: Telling, reading: Reading) -> None:
    if isinstance(line, RefusedError):
        telling.refused(line.reason, found.raw, f"{reading.origin}:{found.line}")
    elif line.event in SKIPPED:
        telling.skipped(SKIPPED[line.event])
    else:
        try:
            events, born_at = calls.events(line, reading.key)
            telling.events(events, entity=line.call, born_at=born_at)
        except RefusedError as refused:
            telling.refused(refused.reason, found.raw, f"{reading.origin}:{found.line}")


ASTERISK = Adapter(
    name=NAME,
    title="Asterisk queue log (text with pipes, or rows of its table as JSON)",
    title_zh="Asterisk 队列日志 queue_log(竖线分隔文本或数据表 JSON)",
    source="Asterisk, /var/log/asterisk/queue_log",
    licence="your own data",
    zone="UTC",
    subjects=(CALLS.name,),
    scopes=("line",),
    columns=COLUMNS,
    batches=_batches,
    grows=True,
    limits=(
        "Time in menus before the first queue is not part of the wait; who never enters a queue is no call.",
        "What follows a transfer out of the queues, or an exit by key or timeout, is not in the log.",
        "Holds during a talk are part of the talk; work after the talk is not told.",
        "Outbound calls are not in the log.",
        "A call that entered in an older log is answered or abandoned, but offered only once that log is read as well.",
        "A call whose id does not name the moment it was made is born when it enters its first queue.",
        "Without that line, or a day after its last one, a line of such a call is a dead letter (missing_field).",
    ),
)
