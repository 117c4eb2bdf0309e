"""What a worker of measure does: starts from the sink's mark, measures one record after another, sends each output."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hotline.accept import Accepted
from hotline.measured import UNKNOWN
from tests.faults.model import accepting, forks
from tests.faults.model.fences import ACCEPT, CHAIN, LOOK, MARK, OFFSET, OLD_ROW, REFUTED, SET, SPOOL_FIRST
from tests.faults.model.forks import next_input
from tests.faults.model.state import EVENTS_OF, Output, Worker, row_version

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.faults.model.rules import Rules
    from tests.faults.model.state import Row, State

Move = tuple[str, "State"]
SLOTS = {"worker": "the worker", "zombie_worker": "the zombie worker"}


def moves(state: State, rules: Rules) -> Iterator[Move]:
    """Start a worker where there is none; what each one does next."""
    if state.worker is None:
        yield from _start(state, rules)
    for slot, name in SLOTS.items():
        worker: Worker | None = getattr(state, slot)
        if worker is not None:
            for told, moved in _of_one(state, slot, worker, rules):
                yield f"{name} {told}", moved


def _of_one(state: State, slot: str, worker: Worker, rules: Rules) -> Iterator[Move]:
    if (worker.in_log, worker.out_log) != (state.database.in_log, state.database.out_log):
        yield "hears of another log and ends", state.having(slot, None)
    if rules.has(REFUTED) and forks.refuted(state, worker):
        yield "hears that the sink accepted another output and ends", state.having(slot, None)
    if worker.broke:
        yield from forks.reconnected(state, slot, worker, rules)
    elif worker.unacked is not None:
        yield _sent(state, slot, worker, rules)
    elif next_input(worker) < len(state.inputs):
        output, after = measured(state, worker, rules)
        yield f"measures {output.block} of {output.log}/{output.offset}", state.having(slot, after)
    if rules.has(LOOK) and not worker.broke and not worker.unacked and forks.output_gone(state, worker, rules):
        yield "finds its last output gone and ends", state.having(slot, None)


# -- starting ----------------------------------------------------------------------------------------------------------


def _start(state: State, rules: Rules) -> Iterator[Move]:
    if rules.has(SPOOL_FIRST) and not _sink_is_ready(state):
        return
    worker = started(state, rules)
    if worker and forks.may_start(state, worker, rules):
        yield f"a worker starts at output {worker.next_output}", state._replace(worker=worker)


def _sink_is_ready(state: State) -> bool:
    """Whether the sink has nothing half stored that the logs may not hold any more."""
    sink = state.sink
    return sink is not None and not sink.finishing and (sink.mark.log == state.database.out_log)


def started(state: State, rules: Rules) -> Worker | None:
    """A worker with its memory from the outputs behind the mark; None where it cannot start: it ends, with an alarm."""
    database, mark = state.database, state.database.mark
    here = mark.log == database.out_log and rules.has(MARK)
    position = mark.position if here else 0
    worker = Worker(
        state.deployment,
        database.in_log,
        database.out_log,
        mark.accepted if rules.has(MARK) else Accepted(),
        len(state.outputs),
        block=mark.block,
        record=mark.record if here else 0,
    )
    if position > len(state.outputs):
        return None
    for number, output in enumerate(state.outputs[position:], position + 1):
        recalled = _recalled(worker, output, rules)
        if recalled is None:
            return None
        worker = _noting(recalled, number, output, rules)
    return worker


def _recalled(worker: Worker, output: Output, rules: Rules) -> Worker | None:
    """The worker after an output of a former one; None for a gap."""
    verdict = accepting.judge(worker.accepted, output) if rules.has(ACCEPT) else accepting.TAKE
    if verdict == accepting.TAKE:
        return _remembering(worker, output, rules)
    return worker if verdict in {accepting.DROP, accepting.STRAY} else None


# -- measuring ---------------------------------------------------------------------------------------------------------


def measured(state: State, worker: Worker, rules: Rules) -> tuple[Output, Worker]:
    """The next output, and the worker that has it on its way."""
    worker = _with_look_up(state, worker)
    offset = next_input(worker)
    block = state.inputs[offset]
    first = worker.accepted.next_first if worker.accepted.log == worker.in_log else 0
    events = EVENTS_OF[block[0]]
    last = first + 1 if rules.slices and worker.deployment % 2 else len(events)
    fresh, old, new = _changed(worker, events[first:last], rules)
    output = Output(
        worker.in_log,
        offset,
        first,
        last,
        last >= len(events),
        block,
        worker.deployment,
        fresh,
        old,
        new,
        worker.accepted.upon if rules.has(CHAIN) else UNKNOWN,
    )
    return output, _remembering(worker, output, rules)._replace(unacked=output)


def _changed(worker: Worker, events: str, rules: Rules) -> tuple[str, Row | None, Row | None]:
    """New events, and the row before and after them."""
    fresh = "".join(event for event in events if event not in worker.members) if rules.has(SET) else events
    if not fresh:
        return "", None, None
    again = (worker.deployment, worker.members) if worker.members else None
    old = worker.row if rules.has(OLD_ROW) else again
    return fresh, old, (worker.deployment, union(worker.members, fresh))


def _remembering(worker: Worker, output: Output, rules: Rules) -> Worker:
    return worker._replace(
        accepted=accepting.after(output, rules.output_id(output)),
        members=union(worker.members, output.fresh),
        row=output.new or worker.row,
        block=output.block,
    )


def _with_look_up(state: State, worker: Worker) -> Worker:
    """The worker after it asked the tables, which it does once: then the ticket is in memory."""
    if worker.looked_up:
        return worker
    rows = [row for row in (worker.row, state.database.standing) if row]
    return worker._replace(
        members=union(worker.members, state.database.events),
        row=max(rows, key=row_version, default=None),
        looked_up=True,
    )


def union(some: str, more: str) -> str:
    """Both sets of events as one."""
    return "".join(sorted(set(some + more)))


# -- sending -----------------------------------------------------------------------------------------------------------


def _sent(state: State, slot: str, worker: Worker, rules: Rules) -> Move:
    """The broker takes the output and says where it went."""
    output, offset = worker.unacked, len(state.outputs)
    assert output is not None
    state = state._replace(outputs=(*state.outputs, output))
    if offset != worker.next_output and rules.has(OFFSET):
        return f"has its output at {offset} instead of {worker.next_output} and ends", state.having(slot, None)
    worker = _noting(worker._replace(unacked=None, next_output=offset + 1), offset + 1, output, rules)
    return f"has its output at {offset}", state.having(slot, worker)


def _noting(worker: Worker, position: int, output: Output, rules: Rules) -> Worker:
    """The worker that knows what stands before a position, and what was accepted last there."""
    worker = worker._replace(record=rules.digest(output))
    if not (rules.has(REFUTED) or rules.has(LOOK)):
        return worker
    return worker._replace(noted=(*worker.noted, (position, worker.accepted.output_id)))
