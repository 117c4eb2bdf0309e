"""One record of a topic of events through a line that knows nothing else, in a process of its own.

    python -m streams.measure.alone TOPIC PARTITION MINUTES_FROM

The record comes on standard input; settings from HOTLINE_* variables.
"""

from __future__ import annotations

import sys

from hotline.accept import Accepted
from hotline.names import EVENTS_TOPICS
from hotline.settings import load
from hotline.subjects import SUBJECTS
from hotline.working_time import load_working_time
from streams.alone import TRIES, alone, expect_to_die
from streams.measure.line import Line, Place
from streams.measure.memory import Memory
from streams.measure.store import NothingStored


def kills(topic: str, partition: int, value: bytes, minutes_from: int) -> str:
    """How a process dies of this record alone, each time; empty when one lives. Takes seconds."""
    how = ""
    for _ in range(TRIES):
        how = alone("streams.measure.alone", topic, str(partition), str(minutes_from), given=value).how
        if not how:
            break
    return how


def main(topic: str, partition: int, minutes_from: int) -> None:
    """Measure what comes on standard input."""
    settings, _ = load()
    subject = next(SUBJECTS[name] for name, other in EVENTS_TOPICS.items() if other == topic)
    place = Place(
        subject=subject,
        topic=topic,
        partition=partition,
        partitions=settings.partitions,
        log=1,
        deployment=settings.deployment,
        zone=settings.zone,
        working=load_working_time(settings),
    )
    line = Line(place, Memory(subject, partition, NothingStored()), Accepted(), next_output=0, output_log=1)
    value = sys.stdin.buffer.read()
    expect_to_die()
    for record in line.measure(0, "alone", value, minutes_from=minutes_from):
        record.encode()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
