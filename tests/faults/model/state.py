"""What there is: logs, processes, the database, and what is on its way between them. Everything is immutable."""

from __future__ import annotations

from typing import Any, NamedTuple

from hotline.accept import Accepted

Row = tuple[int, str]
"""The ticket's row: the version of the fold that made it, and the events it was made of."""
EVENTS_OF = {"A": "ab", "B": "bc", "C": "cd"}
"""The events of each block, by its block_id. Neighbours share one."""


WHOLE = "whole"
"""All parts of an insert."""


class Output(NamedTuple):
    """One record of the measured topic."""

    log: int
    offset: int
    first: int
    last: int
    final: bool
    block: str
    deployment: int
    fresh: str
    """New members of the set."""
    old: Row | None
    """The row whose contribution the sums lose."""
    new: Row | None
    """The row whose contribution they gain; None when nothing changed."""
    upon: int
    """Id of the output accepted before it, whose set and row it was measured upon."""


class Account(NamedTuple):
    """What is stored of where an output came from, and its verdicts."""

    log: int
    offset: int
    first: int
    last: int
    final: bool
    block: str
    """Its block_id."""
    counted: int


class Mark(NamedTuple):
    """How far the measured log is read, and the last records: what block_id and digest are compared with."""

    log: int = 1
    position: int = 0
    accepted: Accepted = Accepted()
    block: str = ""
    """block_id and time of the input record that was accepted last."""
    record: int = 0
    """Digest of the output before `position`."""

    @property
    def version(self) -> tuple[int, int]:
        """Grows with every mark."""
        return self.log, self.position


class Batch(NamedTuple):
    """Outputs that are stored together, under tokens of its id."""

    maker: int
    before: Mark
    """The mark that stands before it is stored."""
    after: Mark
    taken: tuple[Output, ...]

    @property
    def id(self) -> tuple[int, int, int]:
        """What tells it from every other batch: its maker, and where it ends."""
        return self.maker, self.after.log, self.after.position


class Database(NamedTuple):
    """ClickHouse. Strings and tuples are sorted, so that equal contents are equal states."""

    events: str = ""
    rows: tuple[Row, ...] = ()
    sums: tuple[tuple[Row, int], ...] = ()
    accounts: tuple[Account, ...] = ()
    mark: Mark = Mark()
    epoch: int = 0
    tokens: frozenset[tuple[tuple[int, int, int], str, str]] = frozenset()
    """Of parts: a batch, a table, a partition, or `WHOLE` for all of its partitions."""
    in_log: int = 1
    out_log: int = 1

    @property
    def standing(self) -> Row | None:
        """The row with the highest version: the size of its set, then that of the fold."""
        return max(self.rows, key=row_version, default=None)


class Worker(NamedTuple):
    """One life of a worker: what it remembers, and its one unacknowledged output."""

    deployment: int
    in_log: int
    out_log: int
    accepted: Accepted
    next_output: int
    members: str = ""
    row: Row | None = None
    looked_up: bool = False
    """Whether the tables were asked for what is not in memory."""
    unacked: Output | None = None
    block: str = ""
    """block_id and time of the last input record."""
    record: int = 0
    """Digest of the last record of its output log."""
    noted: tuple[tuple[int, int], ...] = ()
    """Positions that no mark has come to, and the id of the output accepted last before each."""
    broke: bool = False
    """Its connections did, and it has not looked at its logs since."""


class Sink(NamedTuple):
    """One life of a sink: how far it has read, and the batch in hand with its next table."""

    maker: int
    mark: Mark
    """How far it has read."""
    stored: Mark
    """The mark that its last batch left."""
    batch: Batch | None = None
    step: int = 0
    finishing: bool = False
    """The batch in hand is a former life's: the sink is not ready yet."""
    broke: bool = False


class Late(NamedTuple):
    """An insert of a dead sink that the engine has not begun yet."""

    maker: int
    batch: Batch
    table: str


class State(NamedTuple):
    """Everything. Of worker and sink there is one that the supervisor knows and, after a fault, a zombie."""

    blocks: str
    """The blocks that are to be sent, in order."""
    sent: tuple[int, ...]
    """For each block, the number of the input log that it was last sent to; 0: not yet."""
    times: tuple[int, ...]
    """For each block, how often it was sent."""
    inputs: tuple[str, ...] = ()
    """The input log: of each record the block_id, and its time: a stroke for each earlier sending."""
    outputs: tuple[Output, ...] = ()
    """The output log."""
    worker: Worker | None = None
    zombie_worker: Worker | None = None
    late_outputs: tuple[Output, ...] = ()
    """Outputs of dead workers that the broker has not taken yet."""
    sink: Sink | None = None
    zombie_sink: Sink | None = None
    late_insert: Late | None = None
    spool: Batch | None = None
    makers: int = 0
    """Sinks that were started so far."""
    database: Database = Database()
    deployment: int = 1
    faults_left: int = 0

    def having(self, slot: str, process: Worker | Sink | None) -> State:
        """This state with another process in a slot: worker, zombie_worker, sink, zombie_sink."""
        changed: dict[str, Any] = {slot: process}
        return self._replace(**changed)


def row_version(row: Row) -> tuple[int, int]:
    """What decides which of two rows stands."""
    return len(row[1]), row[0]
