"""Breadth first over all states, so that the first wrong one has a shortest trace."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from tests.faults.model import faults, forks, invariants, measuring, producing, sinking
from tests.faults.model.faults import TAILS_CUT
from tests.faults.model.state import State

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tests.faults.model.invariants import Violation
    from tests.faults.model.rules import Rules
    from tests.faults.model.state import Worker

Move = tuple[str, State]
Came = dict[State, tuple[State, str] | None]
"""State → the state before it, and what led from there."""


class Found(NamedTuple):
    """What a search came to."""

    states: int
    quiet: int
    """States in which nothing moves any more."""
    moves: int
    """Length of the longest traces that were followed."""
    complete: bool
    """Whether there was nothing left to visit."""
    violation: Violation | None = None
    trace: tuple[str, ...] = ()

    def __str__(self) -> str:
        lines = [f"{number:3} {told}" for number, told in enumerate(self.trace, 1)]
        end = f"==> {self.violation}" if self.violation else "nothing is wrong"
        return "\n".join([*lines, f"{end} ({self.states} states, {'all' if self.complete else 'not all'})"])


def search(
    blocks: str,
    faults_max: int,
    rules: Rules,
    *,
    moves_max: int = 1000,
    states_max: int = 1_500_000,
    story: Sequence[str] = (),
) -> Found:
    """Visit every state that so many faults and moves lead to; stop at the first that is wrong.

    It begins where the moves of a story lead.
    A search that passes `states_max` ends after the traces of one length; it is not `complete` then.
    """
    start = after_story(begun(blocks, faults_max, rules), story, rules)
    came: Came = {start: None}
    level, moves, quiet = [start], 0, 0
    while level and moves <= moves_max and len(came) < states_max:
        following: list[State] = []
        for state in level:
            onward = list(going_on(state, rules))
            quiet += not onward
            wrong = _wrong(state, rules, stands=not onward)
            if wrong:
                return Found(len(came), quiet, moves, False, wrong, _trace(came, state))
            for told, moved in (*onward, *faults.moves(state, rules)):
                after = tidied(moved)
                if after not in came:
                    came[after] = state, told
                    following.append(after)
        level, moves = following, moves + 1
    return Found(len(came), quiet, moves, not level)


def begun(blocks: str, faults_max: int, rules: Rules) -> State:
    """The first state. Where no tail is cut all blocks are there: not yet measured is as good as not yet sent."""
    state = State(blocks, (0,) * len(blocks), (0,) * len(blocks), faults_left=faults_max)
    if TAILS_CUT not in rules.faults:
        for place in range(len(blocks)):
            state = producing.put(state, place)
    return state


def after_story(state: State, story: Sequence[str], rules: Rules) -> State:
    """Where moves lead one after another. Raises KeyError for one that nobody can make."""
    for told in story:
        state = tidied(dict((*going_on(state, rules), *faults.moves(state, rules)))[told])
    return state


def tidied(state: State) -> State:
    """The state without what nobody asks for again: equal futures are to be equal states."""
    return _without_tokens(_without_notes(state))


def _without_notes(state: State) -> State:
    """What workers noted of positions before the mark, and of the mark's where it is not refuted."""
    for slot in ("worker", "zombie_worker"):
        worker: Worker | None = getattr(state, slot)
        mark = state.database.mark
        if worker and worker.noted and worker.out_log == mark.log and worker.noted[0][0] <= mark.position:
            kept_from = mark.position + (not forks.refuted(state, worker))
            noted = tuple(note for note in worker.noted if note[0] >= kept_from)
            state = state.having(slot, worker._replace(noted=noted))
    return state


def _without_tokens(state: State) -> State:
    """Tokens of batches that nobody can insert again."""
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


def _wrong(state: State, rules: Rules, *, stands: bool) -> Violation | None:
    wrong = invariants.broken(state) or (invariants.unfinished(state) if stands else None)
    return wrong if wrong and wrong.kind in rules.kinds else None


def _trace(came: Came, state: State) -> tuple[str, ...]:
    trace: list[str] = []
    while (before := came[state]) is not None:
        state, told = before
        trace.append(told)
    return tuple(reversed(trace))
