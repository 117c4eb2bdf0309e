"""What happens where a log is not the one it was: who finds that out takes a new number for it.

Everybody goes on from the start of a log with a new number: sets and the rule to accept drop what is known.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.faults.model.fences import BLOCK_ID, DIGEST

if TYPE_CHECKING:
    from hotline.accept import Accepted
    from tests.faults.model.rules import Rules
    from tests.faults.model.state import Sink, State, Worker

Move = tuple[str, "State"]


def at_start_of_worker(state: State, worker: Worker | None, rules: Rules) -> Move | None:
    """A fork that a starting worker finds: of the outputs at the mark, of the input after those behind it."""
    database, mark = state.database, state.database.mark
    position = mark.position if mark.log == database.out_log else 0
    if rules.has(DIGEST) and _output_forked(state, position, mark.record, rules):
        return _new_output("a starting worker", state)
    if worker and rules.has(BLOCK_ID) and _input_forked(state, worker.in_log, worker.accepted, worker.block):
        return _new_input("a starting worker", state)
    return None


def reconnected(state: State, slot: str, worker: Worker, rules: Rules) -> Move:
    """A worker looks at both logs after its connections broke."""
    ended = state.having(slot, None)
    if worker.in_log == state.database.in_log and _input_forked(state, worker.in_log, worker.accepted, worker.block):
        if rules.has(BLOCK_ID):
            return _new_input("reconnects, ends, and", ended)
        if worker.accepted.next_offset > len(state.inputs):
            return "finds that its input ends too early and ends", ended
    same = worker.out_log == state.database.out_log
    if rules.has(DIGEST) and same and _output_forked(state, worker.next_output, worker.record, rules):
        return _new_output("reconnects, ends, and", ended)
    return "reconnects", state.having(slot, worker._replace(broke=False))


def sink_reconnected(state: State, slot: str, sink: Sink, rules: Rules) -> Move:
    """A sink looks at the output log after its connections broke, or at its start."""
    same = sink.mark.log == state.database.out_log
    if rules.has(DIGEST) and same and _output_forked(state, sink.mark.position, sink.mark.record, rules):
        return _new_output("reconnects and", state)
    return "reconnects", state.having(slot, sink._replace(broke=False))


def _input_forked(state: State, number: int, accepted: Accepted, block: str) -> bool:
    """Whether the input record that was accepted last is another one now, or gone."""
    if accepted.log != number or accepted.offset < 0:
        return False
    return state.inputs[accepted.offset : accepted.offset + 1] != (block,)


def _output_forked(state: State, position: int, record: int, rules: Rules) -> bool:
    """Whether the output before a position is another one now, or gone."""
    if position == 0:
        return False
    return position > len(state.outputs) or rules.digest(state.outputs[position - 1]) != record


def _new_input(who: str, state: State) -> Move:
    number = state.database.in_log + 1
    return f"{who} finds a fork: input log {number}", state._replace(database=state.database._replace(in_log=number))


def _new_output(who: str, state: State) -> Move:
    number = state.database.out_log + 1
    return f"{who} finds a fork: output log {number}", state._replace(database=state.database._replace(out_log=number))
