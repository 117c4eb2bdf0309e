"""What intake does with the events that came together: decode, judge, complete, and put into columns.

No clock and no connection of its own: the time and the look-up are handed in, so the same records give the same blocks.
Not for two threads at once.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any

import msgspec
import polars as pl

from hotline.blocks import Block, complete, pack
from hotline.dead_letters import REASONS
from hotline.names import INTAKE_TOPIC, PSEUDONYMISED
from hotline.pseudonyms import pseudonym
from hotline.subjects import SUBJECTS, TICKETS, Subject
from streams.intake import refusals
from streams.intake.arriving import BIRTHS, KINDS, Arrival, NotDecodedError, decode
from streams.intake.births import Births, entity_name
from streams.intake.frames import refused_rows
from streams.intake.judging import judge
from streams.intake.keeping import kept, unread
from streams.intake.shelf import Shelf

RETIRED_MAX = 20_000
"""Dead letters `unknown_ticket` that are kept in memory, to be sent when their ticket appears after all."""
RETIRED_BYTES_MAX = 64 << 20
"""The same in bytes: an event of its usual size takes 300, the largest a mebibyte."""
RETIRED_S = 3600.0
RECHECK_S = 1.0
"""How often the tables are asked again for what events wait for: other producers bring tickets, too."""
RECHECK_RETIRED_S = 30.0

LookUp = Callable[[Collection[str]], Iterable[tuple[str, int]]]
"""Births, in epoch seconds, of those of the entities that are stored; raises when the store is away."""


class Rules(msgspec.Struct, frozen=True, kw_only=True):
    """What a desk goes by."""

    partitions: int
    log: int
    """Number of the log of `INTAKE_TOPIC`."""
    key: bytes
    """Key of the pseudonyms."""
    future_skew_s: int
    unknown_ticket_wait_s: int
    known_entities_max: int
    waiting_events_max: int
    waiting_bytes_max: int
    """Of events that may wait for their ticket; of more the oldest become dead letters at once."""


@dataclass
class Done:
    """Blocks to be sent, and where each partition of the topic stands once they are acknowledged."""

    blocks: list[Block] = field(default_factory=list)
    positions: dict[int, int] = field(default_factory=dict)


@dataclass
class _Work:
    now: int
    poison: Mapping[tuple[int, int], str]
    ready: list[Arrival] = field(default_factory=list)
    """With a birth."""
    lacking: dict[str, list[Arrival]] = field(default_factory=dict)
    good: dict[str, list[pl.DataFrame]] = field(default_factory=dict)
    refused: dict[str, list[dict[str, Any]]] = field(default_factory=dict)


class Desk:
    """Takes bundles of records in the order of each partition, gives blocks."""

    def __init__(self, rules: Rules, look_up: LookUp) -> None:
        self._rules, self._look_up = rules, look_up
        self._births = Births(rules.known_entities_max)
        self._waiting = Shelf(rules.waiting_events_max, rules.waiting_bytes_max)
        self._retired = Shelf(RETIRED_MAX, RETIRED_BYTES_MAX)
        self._pseudonym = functools.lru_cache(65_536)(lambda value: pseudonym(value.strip(), rules.key))
        self._next: dict[int, int] = {}
        self._recheck_at = self._recheck_retired_at = 0.0
        self.away = False
        """Whether the last look-up failed: what waits goes on waiting."""

    @property
    def must_pause(self) -> bool:
        """Whether nothing more may be taken: too much waits for a store that is away."""
        return self.away and self._waiting.full

    @property
    def waiting(self) -> int:
        """Events that hold up the positions."""
        return len(self._waiting)

    def due_in(self, timer: float) -> float | None:
        """Seconds until there is something to do even if no record comes; None when there is not."""
        due = [self._recheck_at] if self._waiting else []
        if self._retired:
            due.append(self._recheck_retired_at)
        return max(0.0, min(due) - timer) if due else None

    def take(
        self,
        bundles: Sequence[Any],
        *,
        now: float,
        timer: float,
        poison: Mapping[tuple[int, int], str] = MappingProxyType({}),
    ) -> Done:
        """The blocks of what came, and of what waited and can now be sent. `bundles` may be empty.

        `now` is the time in epoch seconds, which somebody may set; `timer` counts seconds and never goes back. Records
        in `poison`, {(partition, offset): how one dies of it}, are refused unread.
        """
        work = _Work(int(now), poison)
        for bundle in bundles:
            self._decode(bundle, work)
            self._next[bundle.partition] = bundle.next_offset
        self._judge(work)
        self._complete(work, timer)
        self._judge(work)
        for name, found in work.lacking.items():  # they waited for a ticket that has just become known, and wait on
            self._waiting.put(name, found, timer)
        return Done(self._blocks(work), self._positions())

    def recall(self, letters: Iterable[tuple[Arrival, float]], timer: float) -> None:
        """Let dead letters `unknown_ticket` wait for their tickets, the oldest first, each with its age in seconds."""
        for arrival, age_s in letters:
            self._retired.put(_name(arrival), [arrival], timer + RETIRED_S - age_s)

    # -- decoding --------------------------------------------------------------------------------------------------

    def _decode(self, bundle: Any, work: _Work) -> None:
        for record in bundle.records:
            if how := work.poison.get((bundle.partition, record.offset)):
                origin = self._origin(bundle.partition, record.offset)
                self._set_aside(work, TICKETS.name, ("poison", how), unread(record.value), origin)
                continue
            made = bool(record.headers) and any(name == PSEUDONYMISED for name, _ in record.headers)
            try:
                event = decode(record.value)
            except NotDecodedError:
                found = refusals.refusal(record.value) or ("bad_value", REASONS["bad_value"])
                self._refuse(work, found, record.value, self._origin(bundle.partition, record.offset), made=made)
                continue
            arrival = Arrival(event, record.value, bundle.partition, record.offset, made)
            if not made:
                for name in KINDS[type(event)].personal:
                    if value := getattr(event, name):
                        setattr(event, name, self._pseudonym(value))
            self._sort(arrival, work)

    def _sort(self, arrival: Arrival, work: _Work) -> None:
        event, kind = arrival.event, KINDS[type(arrival.event)]
        if event.born_at is None and kind.name in BIRTHS and not event.revision:
            event.born_at = event.occurred_at
        if event.born_at is not None:
            work.ready.append(arrival)
        else:
            work.lacking.setdefault(_name(arrival), []).append(arrival)

    # -- completing ------------------------------------------------------------------------------------------------

    def _complete(self, work: _Work, timer: float) -> None:
        lacking, work.lacking = work.lacking, {}
        unknown = {name: found for name, found in lacking.items() if not self._born(found, name, work)}
        again = self._due(timer)
        for name in self._asked({*unknown, *again}, timer):
            self._born(unknown.pop(name, []) + self._waiting.take(name) + self._retired.take(name), name, work)
        if unknown and not self._waiting:
            self._recheck_at = timer + RECHECK_S
        for name, found in unknown.items():
            self._waiting.put(name, found, timer + self._rules.unknown_ticket_wait_s)
        if not self.away:
            self._retire(work, timer)

    def _born(self, arrivals: list[Arrival], name: str, work: _Work) -> bool:
        """Give them their birth, if it is known."""
        for arrival in arrivals:
            born = self._births.birth(name, int(arrival.event.occurred_at.timestamp() // 1))
            if born is None:
                return False
            arrival.event.born_at = datetime.fromtimestamp(born, UTC)
            work.ready.append(arrival)
        return True

    def _due(self, timer: float) -> set[str]:
        """Entities to be asked for again."""
        due: set[str] = set()
        if timer >= self._recheck_at and self._waiting:
            self._recheck_at = timer + RECHECK_S
            due |= set(self._waiting.names)
        if timer >= self._recheck_retired_at and self._retired:
            self._recheck_retired_at = timer + RECHECK_RETIRED_S
            due |= set(self._retired.names)
        return due

    def _asked(self, names: set[str], timer: float) -> list[str]:
        """Those of the entities that the store knows; their births are learnt."""
        if not names:
            return []
        try:
            found = list(self._look_up(names))
        except Exception:  # noqa: BLE001 away, in any way there is: the events wait, and nothing is refused meanwhile
            self.away = True
            return []
        if self.away:  # what came while the store was away may have to be stored first
            self.away = False
            self._waiting.postpone(timer + self._rules.unknown_ticket_wait_s)
        for name, born in found:
            self._births.learn(name, born)
        return list({name for name, _ in found})

    def _retire(self, work: _Work, timer: float) -> None:
        for name, found in self._waiting.overdue(timer):
            for arrival in found:
                subject = KINDS[type(arrival.event)].subject
                reason = refusals.unknown(subject, self._rules.unknown_ticket_wait_s)
                self._refuse_arrival(work, reason, arrival)
            if not self._retired:
                self._recheck_retired_at = timer + RECHECK_RETIRED_S
            self._retired.put(name, found, timer + RETIRED_S)
        for _ in self._retired.overdue(timer):
            pass

    # -- judging ---------------------------------------------------------------------------------------------------

    def _judge(self, work: _Work) -> None:
        """Put what has a birth into columns, by the rules of all events and by the clock; learn births from it."""
        for subject in SUBJECTS.values():
            if mine := [a for a in work.ready if KINDS[type(a.event)].subject is subject]:
                self._judge_subject(subject, mine, work)
        work.ready = []

    def _judge_subject(self, subject: Subject, arrivals: list[Arrival], work: _Work) -> None:
        judged = judge(subject, arrivals, now=work.now, future_skew_s=self._rules.future_skew_s)
        for arrival, reason in judged.refused:
            self._refuse_arrival(work, reason, arrival)
        for arrival in judged.arrivals:
            self._learn(arrival, work)
        work.good.setdefault(subject.name, []).append(judged.events)

    def _learn(self, arrival: Arrival, work: _Work) -> None:
        name = _name(arrival)
        self._births.learn(name, int(arrival.event.born_at.timestamp() // 1))
        for shelf in (self._waiting, self._retired):
            if shelf:
                for waiting in shelf.take(name):
                    work.lacking.setdefault(name, []).append(waiting)

    # -- refusing, packing -----------------------------------------------------------------------------------------

    def _refuse_arrival(self, work: _Work, reason: refusals.Refusal, arrival: Arrival) -> None:
        origin = arrival.origin or self._origin(arrival.partition, arrival.offset)
        self._refuse(work, reason, arrival.value, origin, made=arrival.made)

    def _origin(self, partition: int, offset: int) -> str:
        return f"{INTAKE_TOPIC}/{partition}/{self._rules.log}/{offset}"

    def _refuse(self, work: _Work, reason: refusals.Refusal, value: bytes | None, origin: str, *, made: bool) -> None:
        known = refusals.parsed(value)
        kind = str(known.get("type", "")) if isinstance(known, dict) else ""
        subject = next((s.name for s in SUBJECTS.values() if kind.startswith(f"{s.singular}.")), TICKETS.name)
        self._set_aside(work, subject, reason, kept(value, self._rules.key, pseudonymised=made), origin)

    def _set_aside(self, work: _Work, subject: str, reason: refusals.Refusal, original: bytes, origin: str) -> None:
        row = {"problem": reason[0], "detail": reason[1], "original": original, "origin": origin}
        work.refused.setdefault(subject, []).append(row)

    def _blocks(self, work: _Work) -> list[Block]:
        made: list[Block] = []
        for name, subject in SUBJECTS.items():
            frames = work.good.get(name, [])
            if rows := work.refused.get(name):
                frames = [*frames, complete(subject, refused_rows(rows))]
            if frames:
                made += pack(subject, pl.concat(frames), self._rules.partitions)
        return [block for block in made if len(block.events)]

    def _positions(self) -> dict[int, int]:
        held = self._waiting.first_offsets() if self._waiting else {}
        return {partition: min(held.get(partition, due), due) for partition, due in self._next.items()}


def _name(arrival: Arrival) -> str:
    event = arrival.event
    return entity_name(KINDS[type(event)].subject, event.source, event.entity)
