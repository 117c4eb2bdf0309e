"""Echo workers for the tests of this room, cleaned up after each."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from deploy.brokers import Broker
    from tests.streams.echoes import Echoes, MakeEchoes


@pytest.fixture
def make_echoes(tmp_path: Path) -> Iterator[MakeEchoes]:
    """Make topics on a broker; their workers are killed at the end."""
    from tests.streams.echoes import Echoes

    made: list[Echoes] = []

    def make(broker: Broker, partitions: int = 3) -> Echoes:
        made.append(Echoes(broker, tmp_path, partitions=partitions))
        return made[-1]

    yield make
    for worker in [worker for echoes in made for worker in echoes.workers]:
        worker.kill()


@pytest.fixture
def echoes(broker: Broker, make_echoes: MakeEchoes) -> Echoes:
    """Three partitions on each broker in turn."""
    return make_echoes(broker)
