"""What a producer does: sends blocks in order, and again what is not stored when the log has another number."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.faults.model.database import block_stored

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.faults.model.rules import Rules
    from tests.faults.model.state import State

Move = tuple[str, "State"]


def moves(state: State, rules: Rules) -> Iterator[Move]:
    """Send the next block, or one again that a log lost."""
    for place, block in enumerate(state.blocks):
        number = state.sent[place]
        if place and not state.sent[place - 1]:
            return
        if number == 0:
            yield f"produce {block}", put(state, place)
        elif not block_stored(state.database, block):
            if number < state.database.in_log:
                yield f"the producer sees log {state.database.in_log} and sends {block} again", put(state, place)
            elif rules.durable and not in_log(state, block):
                yield f"the producer waited too long and {block} is loaded again", put(state, place)


def put(state: State, place: int) -> State:
    """The state after a block was written to the input log."""
    sent = (*state.sent[:place], state.database.in_log, *state.sent[place + 1 :])
    times = (*state.times[:place], state.times[place] + 1, *state.times[place + 1 :])
    record = state.blocks[place] + "'" * state.times[place]
    return state._replace(inputs=(*state.inputs, record), sent=sent, times=times)


def in_log(state: State, block: str) -> bool:
    """Whether a sending of the block is in the input log."""
    return any(record[0] == block for record in state.inputs)
