"""Records that are gone before they were read: given up, and counted, when somebody accepted that."""

from __future__ import annotations

import contextlib
import logging
from typing import TYPE_CHECKING

from hotline.acceptances import ACCEPTED_SQL, GAP, Stop
from hotline.names import DATABASE, GAPS_TABLE
from streams.connecting import connect

if TYPE_CHECKING:
    from hotline.settings import Settings
    from hotline.stops import Stops

log = logging.getLogger("streams.gaps")


def accepted(settings: Settings, kind: str, stop: Stop) -> set[int]:
    """The offsets that somebody accepted in that log of a partition; none while the engine is away."""
    asked = {"kind": kind, "topic": stop.topic, "partition": stop.partition, "log": stop.log}
    # Whatever an absent engine shows as: nobody accepted anything yet.
    with contextlib.suppress(Exception), connect(settings) as client:
        return {int(offset) for (offset,) in client.query(ACCEPTED_SQL, parameters=asked).result_rows}
    return set()


def refusal(settings: Settings, due: Stop, first: int, stops: Stops) -> str:
    """Why a partition stands still before the records from `due` to `first`; empty when somebody gave them up.

    `first` is the offset of the first record that is left.
    """
    place = f"{due.topic}/{due.partition}"
    if max(accepted(settings, GAP, due), default=0) > due.offset:
        log.critical("ALARM %s: records %d to %d are gone unread and were given up", place, due.offset, first - 1)
        stops.over(place)
        return ""
    why = (
        f"{place} stops: records {due.offset} to {first - 1} are gone before they were read, {first - due.offset:,} of "
        "them (retention?). If their senders still have them, let them send again after this. To go on without them: "
        f"hotline gaps accept {due._replace(offset=first).name}"
    )
    stops.say(place, why)
    return why


def store(settings: Settings, due: Stop, first: int) -> None:
    """Write down records that were given up, once. Raises what the client raises."""
    row = {**due._asdict(), "next": first}
    with connect(settings) as client:
        client.command(
            f"INSERT INTO {DATABASE}.{GAPS_TABLE} (topic, partition, log, first_offset, next_offset) "  # noqa: S608
            "VALUES ({topic:String}, {partition:UInt16}, {log:UInt32}, {offset:Int64}, {next:Int64})",
            parameters=row,
            settings={"async_insert": 0},
        )
