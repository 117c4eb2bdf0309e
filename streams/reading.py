"""What one worker reads, and from where."""

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from faust.types.tuples import TP

Assignment: TypeAlias = Literal["manual", "static"]
ResumeFrom: TypeAlias = Callable[[Collection[TP]], Awaitable[Mapping[TP, int]]]
Reached: TypeAlias = tuple[int, Sequence[tuple[str, bytes]] | None]
"""Of a partition: the offset that comes next, and the headers of the record before it; None before any came."""
OnGap: TypeAlias = Callable[[TP, int, int], Awaitable[str]]
OnReconnect: TypeAlias = Callable[[Mapping[TP, Reached]], Awaitable[None]]


def partitions_of_worker(index: int, *, workers: int, partitions: int) -> frozenset[int]:
    """Return the partitions that worker `index` of `workers` owns: those p with p % workers == index.

    Raises ValueError when there is no such worker, or when it would own nothing.
    """
    if not 0 <= index < workers:
        raise ValueError(f"worker {index} of {workers} does not exist: the index runs from 0 to {workers - 1}")
    if index >= partitions:
        raise ValueError(f"worker {index} of {workers} owns none of {partitions} partitions: start fewer workers")
    return frozenset(range(index, partitions, workers))


@dataclass(frozen=True, kw_only=True)
class Reading:
    """A worker's share of its source topics.

    `partitions` are the partition numbers owned in every source topic; None is all of them. They hold for manual
    assignment only: in a static group the broker deals them out.

    `resume_from` is awaited with the partitions about to be read and answers the next offset of each. A partition it
    leaves out is read from the start of its log. Under manual assignment it is awaited before anything is assigned
    and may take as long as it needs; in a static group it must answer within `broker_request_timeout`.

    `on_reconnect` is awaited with how far each partition came after a connection broke, before any record that came
    over a newer one is handed on; it may read the record before each offset again, and raises when that is another one:
    the process ends. `log_survives` is False for a broker that begins a new log when it restarts: there a broken
    connection ends the process at once. Both hold for manual assignment.

    `on_gap` is awaited with a partition, the offset that is due and the first one that the log still has, where that is
    a later one; it answers why the process must end, or nothing when somebody accepted that the records are gone.
    Without it the process ends.

    Records of the topics in `bundled` are handed over in bundles (see `streams.bundles`); manual assignment only.
    """

    topics: tuple[str, ...]
    partitions: frozenset[int] | None
    resume_from: ResumeFrom
    assignment: Assignment
    on_reconnect: OnReconnect | None = None
    on_gap: OnGap | None = None
    log_survives: bool = True
    bundled: frozenset[str] = frozenset()
