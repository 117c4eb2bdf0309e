"""A line's records, each stated while it may crash the process; one that does, whoever reads it, is set aside."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from typing import NamedTuple

from hotline.measured import Measured
from streams.alone import DEATHS_MAX
from streams.in_hand import InHand, Span
from streams.measure.alone import kills
from streams.measure.line import Line

log = logging.getLogger("streams.measure")


Outputs = Callable[..., Iterator[Measured]]
"""`Line.measure` or `Line.refold`."""


class Made(NamedTuple):
    """An output, and its bytes."""

    record: Measured
    value: bytes


def carefully(
    line: Line, in_hand: InHand, outputs: Outputs, *, offset: int, block_id: str, value: bytes | None, minutes_from: int
) -> Iterator[Made]:
    """The outputs of one input record, as `outputs` gives them. Takes seconds where processes died over it."""
    span = Span(line.place.log, offset, offset + 1)
    records = outputs(offset, block_id, value, minutes_from=minutes_from)
    if (deaths := in_hand.deaths(span)) >= DEATHS_MAX:
        how = _tried(line, offset, value or b"", deaths, minutes_from)
        if how:
            records = iter([line.set_aside(offset, block_id, value or b"", how)])
    while True:
        in_hand.begin(span)
        record = next(records, None)
        if record is None:
            break
        made = Made(record, record.encode())
        in_hand.let_go()
        yield made
    in_hand.done()


def _tried(line: Line, offset: int, value: bytes, deaths: int, minutes_from: int) -> str:
    """How a process dies of a record alone; empty when it lives."""
    place = line.place
    here = f"{place.topic}/{place.partition}/{place.log}/{offset}"
    how = kills(place.topic, place.partition, value, minutes_from)
    if how:
        log.critical(
            "ALARM %s is poison: %d workers died over it, and so did processes of their own that read nothing else "
            "(%s). It is set aside as a dead letter and the line goes on: hotline dead-letters list --reason poison",
            *(here, deaths, how),
        )
    else:
        log.critical(
            "ALARM %d workers died over %s, but a process of its own reads it: it is tried again. Look for who kills "
            "the workers, and whether memory is short",
            *(deaths, here),
        )
    return how
