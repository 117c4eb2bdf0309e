"""What happens where a log is not the one it was: a worker that finds it ends, the sink takes a new number for it.

Everybody goes on from the start of a log with a new number: sets and the rule to accept drop what is known.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hotline.measured import UNKNOWN
from tests.faults.model.fences import BLOCK_ID, DIGEST

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hotline.accept import Accepted
    from tests.faults.model.rules import Rules
    from tests.faults.model.state import Sink, State, Worker

Move = tuple[str, "State"]


def may_start(state: State, worker: Worker, rules: Rules) -> bool:
    """Whether a starting worker finds the input record that was measured last where it was; else it ends at once."""
    forked = _input_forked(state, worker.in_log, worker.accepted, worker.block)
    return not (forked and rules.has(BLOCK_ID)) and next_input(worker) <= len(state.inputs)


def reconnected(state: State, slot: str, worker: Worker, rules: Rules) -> Iterator[Move]:
    """A worker looks at its input after its connections broke; what it had on its way may arrive where it ends."""
    same = worker.in_log == state.database.in_log
    forked = same and _input_forked(state, worker.in_log, worker.accepted, worker.block)
    if forked and (rules.has(BLOCK_ID) or worker.accepted.next_offset > len(state.inputs)):
        ended = state.having(slot, None)
        yield "reconnects, finds another input and ends", ended
        if worker.unacked is not None:
            late = (*state.late_outputs, worker.unacked)
            yield "reconnects, finds another input and ends, its output on its way", ended._replace(late_outputs=late)
    else:
        yield "reconnects", state.having(slot, worker._replace(broke=False))


def refuted(state: State, worker: Worker) -> bool:
    """Whether the sink's mark names another output than the worker accepted there."""
    mark = state.database.mark
    return mark.log == worker.out_log and dict(worker.noted).get(mark.position, UNKNOWN) not in {
        UNKNOWN,
        mark.accepted.output_id,
    }


def output_gone(state: State, worker: Worker, rules: Rules) -> bool:
    """Whether the last output that a worker knows of is another one now, or gone, before a mark came to it."""
    return bool(worker.noted) and _output_forked(state, worker.next_output, worker.record, rules)


def next_input(worker: Worker) -> int:
    """Offset of the input record that comes next."""
    return worker.accepted.next_offset if worker.accepted.log == worker.in_log else 0


def seen_by_sink(state: State, sink: Sink, rules: Rules) -> Move | None:
    """Both logs compared with the stored mark, as a sink does at its start, after it was cut off, and now and then."""
    database, mark = state.database, sink.stored
    same = rules.has(DIGEST) and mark.log == database.out_log
    outputs = same and _output_forked(state, mark.position, mark.record, rules)
    inputs = rules.has(BLOCK_ID) and _input_forked(state, database.in_log, mark.accepted, mark.block)
    if not (outputs or inputs):
        return None
    numbered = database._replace(in_log=database.in_log + inputs, out_log=database.out_log + outputs)
    told = f"finds a fork: input log {numbered.in_log}, output log {numbered.out_log}"
    return told, state._replace(database=numbered)


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
