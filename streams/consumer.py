"""A Faust consumer that skips no record and commits none before it was acked.

What the stock one does otherwise, and why it is overridden, stands at each method.
"""

from collections.abc import Collection, Iterable, Mapping
from typing import Any, NoReturn

from aiokafka import TopicPartition
from faust.transport.drivers import aiokafka as driver
from faust.types.tuples import TP

from hotline.ends import EXIT_HOLE, EXIT_UNEXPECTED
from streams.bundles import Bundle
from streams.ending import end_process
from streams.fixed_partitions import FixedPartitions

PAUSED_POLL_S = 0.02  # how soon fetching goes on once a buffer has room again; stock: 1 s


class SafeConsumer(driver.Consumer):  # type: ignore[misc]
    """Starts at the worker's own marks and takes exactly the next record of each partition, or ends the process."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._next_in: dict[TP, int] = {}  # the offset that must arrive next
        self._last_headers: dict[TP, Any] = {}  # of the record before that; not the record, which may be large
        self._next_done: dict[TP, int] = {}  # the offset before which everything was acked
        self._bundle_ends: dict[TP, dict[int, int]] = {}  # first offset of a bundle → the offset after it
        super().__init__(*args, **kwargs)

    def _new_consumer_thread(self) -> Any:
        manual = self.app.reading.assignment == "manual"
        cls = FixedPartitions if manual else driver.AIOKafkaConsumerThread
        return cls(self, loop=self.loop, beacon=self.beacon)

    async def subscribe(self, topics: Iterable[str]) -> None:
        """Take the partitions of the topics: all that are configured (manual), or what the group deals out."""
        if isinstance(self._thread, FixedPartitions):
            partitions = await self._thread.owned(frozenset(topics))
            await self._thread.take(await self._starts(partitions))
        else:
            await super().subscribe(topics)

    async def seek_to_committed(self) -> Mapping[TP, int]:
        """Seek every partition of the assignment to the worker's own mark.

        Always an explicit seek: aiokafka's own does nothing where the committed offset is 0 or absent.
        """
        partitions = {TP(tp.topic, tp.partition) for tp in self.assignment()}
        # The marks of partitions just taken were asked for a moment ago, without the time limit that holds here.
        taken = self._thread.starts if isinstance(self._thread, FixedPartitions) else {}
        starts = taken if taken.keys() == partitions and not self._next_in else await self._starts(partitions)
        await self._thread.seek_wait({TopicPartition(*tp): offset for tp, offset in starts.items()})
        self._forget(starts)
        self._next_in.update(starts)
        self._next_done.update(starts)
        return starts

    async def _starts(self, partitions: Collection[TP]) -> dict[TP, int]:
        marks = await self.app.reading.resume_from(partitions)
        earliest = await self.earliest_offsets(*(TopicPartition(*tp) for tp in partitions))
        starts = {}
        for tp in partitions:
            first = earliest[TopicPartition(*tp)]
            starts[tp] = marks.get(tp, first)
            if starts[tp] < first:
                await self._give_up(tp, starts[tp], first)
                starts[tp] = first
        return starts

    async def _give_up(self, tp: TP, due: int, first: int) -> None:
        """Return when somebody accepted that records are gone; else end the process."""
        on_gap = self.app.reading.on_gap
        why = f"{tp.topic}/{tp.partition}: records {due} to {first - 1} are gone before they were read (retention?)"
        if on_gap is None or (why := await on_gap(tp, due, first)):
            end_process(f"ALARM {why}")

    def _forget(self, partitions: Iterable[TP]) -> None:
        for tp in partitions:
            for marks in (
                self._next_in,
                self._last_headers,
                self._next_done,
                self._bundle_ends,
                self._acked,
                self._acked_index,
                self._gap,
            ):
                marks.pop(tp, None)

    async def on_partitions_revoked(self, revoked: set[TP]) -> None:
        """Clear the marks first: a late ack of the old generation must not commit."""
        self._forget(revoked)
        await super().on_partitions_revoked(revoked)

    async def _wait_next_records(self, timeout: float) -> Any:  # noqa: ASYNC109 - the signature is Faust's
        if self.flow_active and not self._get_active_partitions():  # all are paused: the buffer is full
            await self.sleep(PAUSED_POLL_S)
            return {}, self._get_active_partitions()
        # A wait for the others must not hold up the partition whose buffer has room again: 64 records/s were seen.
        records, active = await super()._wait_next_records(PAUSED_POLL_S if self._buffered_partitions else timeout)
        if isinstance(self._thread, FixedPartitions):
            await self._check_log(self._thread, arrived=bool(records))
        return self._bundled(records), active

    def _bundled(self, records: Any) -> Any:
        topics = self.app.reading.bundled
        if not records or not topics:
            return records
        return {
            tp: [Bundle(tp.topic, tp.partition, found)] if tp.topic in topics and found else found
            for tp, found in records.items()
        }

    async def _check_log(self, thread: FixedPartitions, *, arrived: bool) -> None:
        check = self.app.reading.on_reconnect
        if arrived and thread.broke and check is not None:
            while not thread.connected() and not self.should_stop:
                await self.sleep(PAUSED_POLL_S)
            thread.broke = False  # before the check: a break during it asks for another one
            await check({tp: (due, self._last_headers.get(tp)) for tp, due in self._next_in.items()})
        for tp, due in self._next_in.items():
            end = self.highwater(TopicPartition(*tp))
            if end is not None and end < due:  # the embedded broker answers such a fetch with nothing, for ever
                self._end(tp, f"offset {due} is due but the log ends at {end}: this is another log than before")

    def _to_message(self, tp: Any, record: Any) -> Any:
        at = TP(tp.topic, tp.partition)
        due = self._next_in.get(at)
        if record.offset != due:
            self._end(at, f"offset {due} is due, {record.offset} came: a hole would be lost silently", EXIT_HOLE)
        self._next_in[at], self._last_headers[at] = record.offset + 1, record.headers
        if isinstance(record, Bundle):
            if not record.whole:
                self._end(at, f"records between {record.offset} and {record.next_offset} are missing", EXIT_HOLE)
            self._next_in[at] = record.next_offset
            self._bundle_ends.setdefault(at, {})[record.offset] = record.next_offset
        return super()._to_message(tp, record)

    def _end(self, tp: TP, why: str, code: int = EXIT_UNEXPECTED) -> NoReturn:
        end_process(f"{tp.topic}/{tp.partition}: {why}", code=code)

    async def _drain_messages(self, fetcher: Any) -> None:
        try:
            await super()._drain_messages(fetcher)
        except Exception as error:  # noqa: BLE001 - stock Faust may hang in its own shutdown from here
            end_process("reading failed", error=error)

    async def _add_gap(self, tp: TP, offset_from: int, offset_to: int) -> None:
        """Do nothing: there are no gaps here, and stock Faust counts the record that arrived as part of one."""

    def _new_offset(self, tp: TP) -> int | None:
        """Return the offset after the contiguous run of acks, or None when that has not moved."""
        before = done = self._next_done.get(tp)
        if done is None:
            return None
        acked, ends = self._acked_index[tp], self._bundle_ends.get(tp, {})
        while done in acked:
            acked.discard(done)
            done = ends.pop(done, done + 1)
        if done == before:
            return None
        self._acked[tp] = [offset for offset in self._acked[tp] if offset >= done]
        self._next_done[tp] = done
        return done

    async def commit(self, topics: Any = None, start_new_transaction: bool = True) -> bool:  # noqa: FBT001, FBT002
        """Commit the contiguous acks to the group; under manual assignment there is none, so only move the marks."""
        if not isinstance(self._thread, FixedPartitions):
            return bool(await super().commit(topics, start_new_transaction))
        for tp in list(self._acked):
            self._new_offset(tp)
        return False

    def lag(self) -> dict[TP, int]:
        """Return how many records of each partition are not done yet, as of some seconds ago (`MARK_S`, `COMMIT_S`).

        A partition that was never fetched is left out.
        """
        ends = {tp: self.highwater(TopicPartition(*tp)) for tp in self._next_done}
        return {tp: end - self._next_done[tp] for tp, end in ends.items() if end is not None}
