"""Events that wait for the first event of their call or ticket."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator

from streams.intake.arriving import Arrival


class Shelf:
    """Events by the entity they wait for, each until its time is up; so many, and so many bytes of them, at most."""

    def __init__(self, events_max: int, bytes_max: int) -> None:
        self._events_max, self._bytes_max = events_max, bytes_max
        self._by_name: dict[str, list[Arrival]] = {}
        self._until: deque[tuple[float, str]] = deque()  # in the order they were put here, which is that of time
        self._count = self._bytes = 0

    def __len__(self) -> int:
        return self._count

    @property
    def full(self) -> bool:
        """Whether it holds as much as it may."""
        return self._count >= self._events_max or self._bytes >= self._bytes_max

    @property
    def _is_over(self) -> bool:
        return self._count > self._events_max or self._bytes > self._bytes_max

    @property
    def names(self) -> Iterable[str]:
        """The entities that events wait for."""
        return self._by_name.keys()

    def put(self, name: str, arrivals: list[Arrival], until: float) -> None:
        """Let events of an entity wait; `until` never goes back from one call to the next."""
        self._by_name.setdefault(name, []).extend(arrivals)
        self._until.append((until, name))
        self._count += len(arrivals)
        self._bytes += _bytes_of(arrivals)

    def take(self, name: str) -> list[Arrival]:
        """Take what waits for an entity."""
        found = self._by_name.pop(name, [])
        self._count -= len(found)
        self._bytes -= _bytes_of(found)
        return found

    def overdue(self, now: float) -> Iterator[tuple[str, list[Arrival]]]:
        """Take what waited long enough, and the oldest of what is too much: all events of an entity together."""
        while self._until and (self._until[0][0] <= now or self._is_over):
            _, name = self._until.popleft()
            if found := self.take(name):
                yield name, found

    def postpone(self, until: float) -> None:
        """Let everything wait at least that long."""
        self._until = deque((max(until, former), name) for former, name in self._until)

    def first_offsets(self) -> dict[int, int]:
        """The lowest offset that waits, by partition."""
        lowest: dict[int, int] = {}
        for arrivals in self._by_name.values():
            for arrival in arrivals:
                if arrival.offset < lowest.get(arrival.partition, arrival.offset + 1):
                    lowest[arrival.partition] = arrival.offset
        return lowest


def _bytes_of(arrivals: Iterable[Arrival]) -> int:
    return sum(len(arrival.value) for arrival in arrivals)
