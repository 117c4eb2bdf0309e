"""What a sink does: finishes the spool, gathers what is readable, stores it table after table, the marks last."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.faults.model import accepting, forks
from tests.faults.model.database import TABLES, insert
from tests.faults.model.fences import ACCEPT, DIGEST, EPOCH, MARK, SPOOL
from tests.faults.model.state import Batch, Mark, Sink

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.faults.model.rules import Rules
    from tests.faults.model.state import Output, State

Move = tuple[str, "State"]
SLOTS = {"sink": "the sink", "zombie_sink": "the zombie sink"}


def moves(state: State, rules: Rules) -> Iterator[Move]:
    """Start a sink where there is none; what each one does next."""
    if state.sink is None:
        yield _start(state, rules)
    for slot, name in SLOTS.items():
        sink: Sink | None = getattr(state, slot)
        if sink is not None and not _stands_still(state, slot, sink):
            for told, moved in _of_one(state, slot, sink, rules):
                yield f"{name} {told}", moved
    if state.late_insert is not None:
        yield _late_insert(state, rules)


def _stands_still(state: State, slot: str, sink: Sink) -> bool:
    """A sink that hangs goes on when its successor has begun: before that it would only be a sink that waited."""
    return slot == "zombie_sink" and state.database.epoch == sink.maker


def _of_one(state: State, slot: str, sink: Sink, rules: Rules) -> Iterator[Move]:
    if sink.batch is not None:
        yield _store(state, slot, sink, sink.batch, rules)
        return
    if sink.mark.log != state.database.out_log:
        moved = sink.mark._replace(log=state.database.out_log, position=0, record=0)
        yield f"reads log {moved.log}", state.having(slot, sink._replace(mark=moved, broke=False))
    if forked := forks.seen_by_sink(state, sink, rules):
        yield forked
    elif sink.broke:
        yield "reconnects", state.having(slot, sink._replace(broke=False))
    if not sink.broke and (batch := gathered(state, sink, rules)):
        yield _take(state, slot, sink, batch, rules)


# -- starting ----------------------------------------------------------------------------------------------------------


def _start(state: State, rules: Rules) -> Move:
    """Take the next epoch; finish the batch in the spool unless it is stored."""
    maker = state.makers + 1
    database = state.database._replace(epoch=maker)
    mark = database.mark if rules.has(MARK) else Mark()
    left = state.spool if state.spool and state.spool.before == mark else None
    sink = Sink(maker, mark, mark, left, finishing=left is not None, broke=rules.has(DIGEST) and left is None)
    told = "a sink starts and finishes the spool" if left else "a sink starts"
    return told, state._replace(sink=sink, makers=maker, database=database, spool=left)


# -- gathering ---------------------------------------------------------------------------------------------------------


def gathered(state: State, sink: Sink, rules: Rules) -> Batch | None:
    """All that is readable, up to what stops the line; None when that is nothing."""
    mark, taken = sink.mark, []
    for output in state.outputs[mark.position :]:
        verdict = _judged(mark, output, rules)
        if verdict in {accepting.GAP, accepting.OLDER}:
            break
        mark = mark._replace(position=mark.position + 1, record=rules.digest(output))
        if verdict == accepting.TAKE:
            taken.append(output)
            mark = mark._replace(accepted=accepting.after(output, rules.output_id(output)), block=output.block)
    return Batch(sink.maker, sink.stored, mark, tuple(taken)) if mark != sink.mark else None


def _judged(mark: Mark, output: Output, rules: Rules) -> str:
    return accepting.judge(mark.accepted, output) if rules.has(ACCEPT) else accepting.TAKE


def _take(state: State, slot: str, sink: Sink, batch: Batch, rules: Rules) -> Move:
    state = state.having(slot, sink._replace(batch=batch))
    if slot == "sink" and rules.has(SPOOL):
        state = state._replace(spool=batch)
    return f"gathers outputs {sink.mark.position} to {batch.after.position - 1}", state


# -- storing -----------------------------------------------------------------------------------------------------------


def _store(state: State, slot: str, sink: Sink, batch: Batch, rules: Rules) -> Move:
    """The next insert; after the last one the epoch is asked for, then the spool is forgotten."""
    if sink.step == len(TABLES):
        return _done(state, slot, sink, batch, rules)
    table = TABLES[sink.step]
    state = _inserted(state, table, batch, sink.maker, rules)
    return f"inserts {table}", state.having(slot, sink._replace(step=sink.step + 1))


def _inserted(state: State, table: str, batch: Batch, maker: int, rules: Rules) -> State:
    return state._replace(database=insert(state.database, table, batch, maker, rules))


def _done(state: State, slot: str, sink: Sink, batch: Batch, rules: Rules) -> Move:
    if rules.has(EPOCH) and sink.maker < state.database.epoch:
        return "finds that it has a successor and ends", state.having(slot, None)
    after = Sink(sink.maker, batch.after, batch.after, broke=sink.broke or (sink.finishing and rules.has(DIGEST)))
    spool = state.spool if slot == "zombie_sink" else None
    return "forgets the spool", state._replace(spool=spool).having(slot, after)


def _late_insert(state: State, rules: Rules) -> Move:
    """The engine does what a dead sink asked for."""
    late = state.late_insert
    assert late is not None
    state = _inserted(state, late.table, late.batch, late.maker, rules)
    return f"the engine begins a dead sink's insert of {late.table}", state._replace(late_insert=None)
