"""When a sender asks what is stored: often enough that nobody waits long, seldom enough that it costs little."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from producers.pace import ASK_AFTER_S, ASK_AFTER_S_MAX, Pace

STEP_S = 0.01


@dataclass
class Load:
    """Blocks of a megabyte that are stored at given seconds, and a sender that asks at a pace."""

    stored_at: list[float]
    seconds: float = 0.0
    asked: int = 0

    def last(self) -> float:
        """Second in which the last block is found stored."""
        pace, left = Pace(clock=lambda: self.seconds), list(self.stored_at)
        while left:
            self.seconds += STEP_S
            if pace.due:
                pace.asked()
                self.asked += 1
                found = [at for at in left if at <= self.seconds]
                left = [at for at in left if at > self.seconds]
                pace.found(len(found) << 20, len(left) << 20)
        return self.seconds


@pytest.mark.parametrize("seconds", [1.0, 3.0, 30.0])
def test_the_end_of_an_even_load_is_noticed_at_once_for_few_questions(seconds: float) -> None:
    load = Load([seconds * (number + 1) / 100 for number in range(100)])
    assert load.last() - seconds <= ASK_AFTER_S + STEP_S
    assert load.asked <= seconds / ASK_AFTER_S_MAX + 12


@pytest.mark.parametrize("every_s", [0.3, 1.0, 1.4])
def test_the_last_batch_is_noticed_soon_when_blocks_are_stored_by_batches(every_s: float) -> None:
    batches = 20
    load = Load([every_s * (batch + 1) for batch in range(batches) for _ in range(7)])
    assert load.last() - every_s * batches <= max(4 * ASK_AFTER_S, every_s / 4)
    assert load.asked <= batches * (every_s / ASK_AFTER_S_MAX + 5)


def test_one_block_is_asked_for_soon_and_then_ever_more_rarely() -> None:
    load = Load([100.0])
    assert load.last() - 100 <= ASK_AFTER_S_MAX + STEP_S
    assert load.asked <= 100 / ASK_AFTER_S_MAX + 5
    assert Load([0.04]).last() <= ASK_AFTER_S + STEP_S


def test_who_is_not_in_a_hurry_never_asks_sooner() -> None:
    seconds = 0.0
    pace = Pace(0.5, clock=lambda: seconds)
    seconds = 0.49
    assert not pace.due
    seconds = 0.5
    assert pace.due
    pace.asked()
    pace.found(1 << 20, 1)
    assert pace.after_s == 0.5
