"""What a worker tells of itself, now and then, to whoever watches the pipeline."""

from __future__ import annotations

import asyncio
import logging
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Protocol

from aiokafka import TopicPartition
from faust.types.tuples import TP

from hotline.health import LAG_RECORDS, RESIDENT_BYTES, Fact, Teller, until_next_s
from hotline.names import CONTENT_TYPE, HEALTH, HEALTH_TOPIC
from hotline.resident import resident_bytes
from streams.app import StreamsApp
from streams.handling import send

log = logging.getLogger("streams.telling")


class Telling(Protocol):
    """An agent that says how far it is."""

    def reached(self) -> Mapping[TP, int]:
        """The next offset of each partition that it has not taken in."""
        ...

    def facts(self) -> Sequence[Fact]:
        """What else there is to tell."""
        ...


async def tell(app: StreamsApp, process: str, agents: Sequence[Telling]) -> None:
    """Tell for ever. Whatever goes wrong with it is no reason to stop counting."""
    teller = Teller(process)
    while True:
        await asyncio.sleep(until_next_s(time.time()))
        try:
            value = teller.tell(list(_facts(app, agents))).encode()
            await send(app, topic=HEALTH_TOPIC, partition=0, value=value, headers=[(CONTENT_TYPE, HEALTH)])
        except Exception as error:  # noqa: BLE001
            log.warning("%s could not tell how it does: %r", process, error)


def _facts(app: StreamsApp, agents: Sequence[Telling]) -> Iterator[Fact]:
    yield Fact(RESIDENT_BYTES, resident_bytes(os.getpid()))
    highwater: Callable[[TopicPartition], int | None] = app.consumer.highwater
    for agent in agents:
        for tp, offset in agent.reached().items():
            end = highwater(TopicPartition(*tp))
            if end is not None:
                yield Fact(LAG_RECORDS, max(0, end - offset), *tp)
        yield from agent.facts()
