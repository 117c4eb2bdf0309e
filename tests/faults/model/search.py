"""Breadth first over all states, so that the first wrong one has a shortest trace."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, NamedTuple

from tests.faults.model import faults, invariants, measuring, producing, sinking
from tests.faults.model.state import State

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.faults.model.rules import Rules

Move = tuple[str, State]


class Found(NamedTuple):
    """What a search came to."""

    states: int
    quiet: int
    """States in which nothing moves any more."""
    violation: str | None = None
    trace: tuple[str, ...] = ()

    def __str__(self) -> str:
        lines = [f"{number:3} {told}" for number, told in enumerate(self.trace, 1)]
        return "\n".join([*lines, f"==> {self.violation}", f"    ({self.states} states)"])


class TooManyError(RuntimeError):
    """A search is larger than it should be."""


def search(blocks: str, faults_max: int, rules: Rules, *, states_max: int = 2_000_000) -> Found:
    """Visit every state that so many faults lead to; stop at the first that is wrong. Raises TooManyError."""
    start = State(blocks, (0,) * len(blocks), (0,) * len(blocks), faults_left=faults_max)
    came: dict[State, tuple[State, str] | None] = {start: None}
    waiting, quiet = deque([start]), 0
    while waiting:
        state = waiting.popleft()
        onward = list(going_on(state, rules))
        quiet += not onward
        wrong = invariants.broken(state) or (None if onward else invariants.unfinished(state))
        if wrong:
            return Found(len(came), quiet, wrong, _trace(came, state))
        for told, next_state in (*onward, *faults.moves(state, rules)):
            moved = tidied(next_state)
            if moved not in came:
                came[moved] = state, told
                waiting.append(moved)
        if len(came) > states_max:
            raise TooManyError(f"more than {states_max} states with {faults_max} faults: {sorted(rules.faults)}")
    return Found(len(came), quiet)


def tidied(state: State) -> State:
    """The state without tokens of batches that nobody can insert again: equal futures are to be equal states."""
    tokens = state.database.tokens
    if not tokens:
        return state
    batches = (state.spool, *(owner.batch for owner in (state.sink, state.zombie_sink, state.late_insert) if owner))
    ids = {batch.id for batch in batches if batch}
    kept = frozenset(token for token in tokens if token[0] in ids)
    return state if len(kept) == len(tokens) else state._replace(database=state.database._replace(tokens=kept))


def going_on(state: State, rules: Rules) -> Iterator[Move]:
    """What happens without a fault."""
    yield from producing.moves(state, rules)
    yield from measuring.moves(state, rules)
    yield from sinking.moves(state, rules)
    for place, output in enumerate(state.late_outputs):
        others = state.late_outputs[:place] + state.late_outputs[place + 1 :]
        told = f"an output of a dead worker arrives at {len(state.outputs)}"
        yield told, state._replace(outputs=(*state.outputs, output), late_outputs=others)


def _trace(came: dict[State, tuple[State, str] | None], state: State) -> tuple[str, ...]:
    trace: list[str] = []
    while (before := came[state]) is not None:
        state, told = before
        trace.append(told)
    return tuple(reversed(trace))
