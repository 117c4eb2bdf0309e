"""What is done to the processes, the logs and the network. Each counts as one fault."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.faults.model.database import TABLES, torn
from tests.faults.model.fences import CONNECTION
from tests.faults.model.producing import in_log, put
from tests.faults.model.state import Late

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.faults.model.rules import Rules
    from tests.faults.model.state import Output, Sink, State, Worker

Move = tuple[str, "State"]
RESENT = "resent"
WORKER_DIES = "worker dies"
WORKER_HANGS = "worker hangs"
DEPLOYED = "deployed"
FORGOTTEN = "forgotten"
SINK_DIES = "sink dies"
ANSWER_LOST = "answer lost"
INSERT_TORN = "insert torn"
TOKENS_FORGOTTEN = "tokens forgotten"
SINK_HANGS = "sink hangs"
SINK_MOVES = "sink moves"
LOG_LOST = "log lost"
TAILS_CUT = "tails cut"


def moves(state: State, rules: Rules) -> Iterator[Move]:
    """Everything that may go wrong now, each marked as a fault."""
    if state.faults_left:
        weaker = state._replace(faults_left=state.faults_left - 1)
        for kind in sorted(rules.faults):
            for told, moved in FAULTS[kind](weaker, rules):
                yield f"FAULT {told}", moved


# -- producers ---------------------------------------------------------------------------------------------------------


def resent(state: State, rules: Rules) -> Iterator[Move]:
    """A producer does not hear that a block was taken, and sends it again."""
    for place, block in enumerate(state.blocks):
        if in_log(state, block):
            yield f"{block} is sent twice", put(state, place)


# -- workers -----------------------------------------------------------------------------------------------------------


def worker_dies(state: State, rules: Rules) -> Iterator[Move]:
    """A worker is killed; the output on its way is lost, or arrives later, or was taken."""
    worker = state.worker
    if worker is None:
        return
    dead = state._replace(worker=None)
    yield "the worker dies", dead
    if worker.unacked is not None:
        late = (*state.late_outputs, worker.unacked)
        yield "the worker dies, its output still on its way", dead._replace(late_outputs=late)
        taken = dead._replace(outputs=(*state.outputs, worker.unacked))
        yield "the worker dies before it hears of its output", taken
        yield "the worker dies, its output taken and on its way once more", taken._replace(late_outputs=late)


def worker_hangs(state: State, rules: Rules) -> Iterator[Move]:
    """A worker stands still for so long that another one is started; then it goes on."""
    if state.worker is not None and state.zombie_worker is None:
        yield "the worker hangs and is replaced", state._replace(worker=None, zombie_worker=state.worker)


def deployed(state: State, rules: Rules) -> Iterator[Move]:
    """A new version, with another fold: the worker is stopped, or hangs at that."""
    newer = state._replace(deployment=state.deployment + 1)
    for told, moved in (*worker_dies(newer, rules), *worker_hangs(newer, rules)):
        yield f"a new version is deployed: {told}", moved


def forgotten(state: State, rules: Rules) -> Iterator[Move]:
    """A worker lets a day go that is stored whole."""
    worker, mark = state.worker, state.database.mark
    if worker and worker.looked_up and not worker.unacked and mark.version >= (worker.out_log, worker.next_output):
        yield "memory is short", state._replace(worker=worker._replace(members="", row=None, looked_up=False))


# -- the sink and the engine -------------------------------------------------------------------------------------------


def sink_dies(state: State, rules: Rules) -> Iterator[Move]:
    """The sink is killed, perhaps with an insert that the engine has not begun."""
    if state.sink is None:
        return
    dead = state._replace(sink=None)
    yield "the sink dies", dead
    for late in _on_its_way(state.sink):
        yield f"the sink dies, its insert of {late.table} still on its way", dead._replace(late_insert=late)


def _on_its_way(sink: Sink) -> Iterator[Late]:
    if sink.batch and sink.step < len(TABLES):
        yield Late(sink.maker, sink.batch, TABLES[sink.step])


def answer_lost(state: State, rules: Rules) -> Iterator[Move]:
    """An insert took effect, but the sink hears nothing and does it again."""
    sink = state.sink
    if sink and sink.batch and sink.step:
        again = sink._replace(step=sink.step - 1)
        yield f"the answer to the insert of {TABLES[again.step]} is lost", state._replace(sink=again)


def insert_torn(state: State, rules: Rules) -> Iterator[Move]:
    """The engine fails, or dies and comes back, in the middle of an insert: some of its parts are stored."""
    sink = state.sink
    if sink and sink.batch and sink.step < len(TABLES):
        table = TABLES[sink.step]
        for count, database in torn(state.database, table, sink.batch, sink.maker, rules):
            yield f"the insert of {table} breaks off after {count} parts", state._replace(database=database)


def tokens_forgotten(state: State, rules: Rules) -> Iterator[Move]:
    """So much was stored that the engine remembers no token but those of the batch in hand."""
    database = state.database
    kept = frozenset(token for token in database.tokens if state.spool and token[0] == state.spool.id)
    if kept != database.tokens:
        yield "the engine forgets tokens", state._replace(database=database._replace(tokens=kept))


def sink_hangs(state: State, rules: Rules) -> Iterator[Move]:
    """The sink stands still between two batches for so long that another one is started elsewhere."""
    if state.sink is not None and state.zombie_sink is None and state.sink.batch is None:
        yield "the sink hangs and is replaced", state._replace(sink=None, zombie_sink=state.sink)


def sink_moves(state: State, rules: Rules) -> Iterator[Move]:
    """The sink hangs in the middle of a batch, and another one is started on another spool."""
    if state.sink is not None and state.zombie_sink is None and state.sink.batch is not None:
        yield (
            "the sink hangs and is replaced, without its spool",
            state._replace(sink=None, zombie_sink=state.sink, spool=None),
        )


# -- logs --------------------------------------------------------------------------------------------------------------


def log_lost(state: State, rules: Rules) -> Iterator[Move]:
    """The embedded broker dies: empty logs under new numbers. Worker and sink fall with it."""
    database = state.database._replace(in_log=state.database.in_log + 1, out_log=state.database.out_log + 1)
    lost = state._replace(inputs=(), outputs=(), database=database, worker=None, zombie_worker=None, sink=None)
    kept = () if rules.has(CONNECTION) else (*state.late_outputs, *_unacked(state))
    yield "the broker dies with its logs", lost._replace(late_outputs=kept)


def _unacked(state: State) -> Iterator[Output]:
    for worker in (state.worker, state.zombie_worker):
        if worker and worker.unacked:
            yield worker.unacked


def tails_cut(state: State, rules: Rules) -> Iterator[Move]:
    """The durable broker comes back without the newest records of a log, or of both."""
    for inputs in _lengths(state.inputs):
        for outputs in _lengths(state.outputs):
            if inputs < len(state.inputs) or outputs < len(state.outputs):
                cut = state._replace(inputs=state.inputs[:inputs], outputs=state.outputs[:outputs])
                yield f"the broker is left with {inputs} inputs and {outputs} outputs", _broken(cut)


def _lengths(log: tuple[Any, ...]) -> list[int]:
    """Lengths that a log may be left with: as it is, without its last record, empty."""
    return sorted({len(log), max(0, len(log) - 1), 0})


def _broken(state: State) -> State:
    """All connections broke."""
    slots = ("worker", "zombie_worker", "sink", "zombie_sink")
    for slot in slots:
        process: Worker | Sink | None = getattr(state, slot)
        if process:
            state = state.having(slot, process._replace(broke=True))
    return state


FAULTS: dict[str, Callable[[State, Rules], Iterator[Move]]] = {
    RESENT: resent,
    WORKER_DIES: worker_dies,
    WORKER_HANGS: worker_hangs,
    DEPLOYED: deployed,
    FORGOTTEN: forgotten,
    SINK_DIES: sink_dies,
    ANSWER_LOST: answer_lost,
    INSERT_TORN: insert_torn,
    TOKENS_FORGOTTEN: tokens_forgotten,
    SINK_HANGS: sink_hangs,
    SINK_MOVES: sink_moves,
    LOG_LOST: log_lost,
    TAILS_CUT: tails_cut,
}
"""Name → what it does to a state."""
