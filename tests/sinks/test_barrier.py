"""The barrier by itself: a lease ends whatever its holder does, and never meets a batch."""

from __future__ import annotations

import time

import pytest

from sinks.writer.barrier import Barrier, BarrierError


def test_a_lease_that_has_ended_holds_nothing_and_is_none_any_more() -> None:
    barrier = Barrier()
    ended = barrier.hold(0.01)
    time.sleep(0.02)
    with pytest.raises(BarrierError, match="it has ended"):
        barrier.renew(ended, 60)
    with barrier.batch() as go_on:
        assert go_on
    lease = barrier.hold(60)
    with pytest.raises(BarrierError, match="it has ended"):
        barrier.release(ended)
    barrier.release(lease)


def test_a_lease_is_not_given_while_a_batch_is_applied() -> None:
    barrier = Barrier()
    with barrier.batch(), pytest.raises(BarrierError, match="the batch in hand was not stored"):
        barrier.hold(0.01)
    barrier.release(barrier.hold(60))
