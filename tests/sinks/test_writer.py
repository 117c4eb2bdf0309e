"""The sink, as a process, between a real broker and the real engine."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from deploy.brokers import EmbeddedBroker
from hotline.subjects import CALLS
from tests.sinks.sinking import PARTITIONS, Stack, stack_on, wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def stack(tmp_path: Path) -> Iterator[Stack]:
    """Give an embedded broker of its own, because topic names are fixed."""
    with EmbeddedBroker(tmp_path / "broker") as broker, stack_on(broker, tmp_path) as started:
        yield started


def test_every_row_is_stored_once(stack: Stack) -> None:
    sink = stack.sink()
    sink.start()
    for _ in range(3):
        stack.send(stack.outputs.round())
    stack.await_stored(12, sink)
