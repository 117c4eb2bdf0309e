"""A line that stands still because too many dead letters came in a row, or in a minute, until somebody accepts them."""

from __future__ import annotations

import asyncio
import logging
from functools import partial
from typing import TYPE_CHECKING

from faust.types.tuples import TP

from hotline.acceptances import DEAD_LETTERS, Stop
from streams.gaps import accepted
from streams.measure.in_a_row import InARow, Limits

if TYPE_CHECKING:
    from hotline.measured import Measured
    from hotline.settings import Settings
    from hotline.stops import Stops
    from streams.measure.line import Line

log = logging.getLogger("streams.measure")

LOOK_EVERY_S = 2.0


class Stopping:
    """Holds the outputs of one line back while they are dead letters, too many of them."""

    def __init__(self, settings: Settings, tp: TP, line: Line, stops: Stops) -> None:
        self._settings, self._place, self._stops = settings, f"{tp.topic}/{tp.partition}", stops
        self._may_be_told = True  # by the process before
        self._in_a_row = InARow(
            settings.folder.in_a_row(*tp),
            (line.place.log, line.next_input, line.next_first),
            Limits(
                events=settings.dead_events_in_a_row_max,
                blocks=settings.dead_blocks_in_a_row_max,
                in_minute=settings.dead_letters_a_minute_max,
            ),
        )

    async def pass_on(self, record: Measured, at_s: int) -> None:
        """Return when the output of an input that the broker took at that instant may be sent."""
        if self._in_a_row.take(record, at_s):
            await self._accepted(record)
        if self._may_be_told:
            self._stops.over(self._place)
            self._may_be_told = False

    async def _accepted(self, record: Measured) -> None:
        """Say why the line stands still, and return when somebody accepted that."""
        source = record.source
        stop = Stop(source.topic, source.partition, source.log, source.offset)
        asked = partial(accepted, self._settings, DEAD_LETTERS, stop)
        said = False
        while stop.offset not in await asyncio.to_thread(asked):
            if not said:
                why = self._why(stop)
                log.critical("ALARM %s", why)
                self._stops.say(self._place, why)
            said = self._may_be_told = True
            await asyncio.sleep(LOOK_EVERY_S)
        self._in_a_row.accept(record)

    def _why(self, stop: Stop) -> str:
        return (
            f"{self._place} stops: {self._in_a_row.too_many}; "
            "look at the last ones: hotline dead-letters list. If a change of this installation is wrong, undo it: the "
            f"line then goes on by itself. If they are rightly dead: hotline dead-letters accept {stop.name}"
        )
