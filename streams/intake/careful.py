"""What intake takes, stated while it may crash the process; records that do, whoever reads them, are set aside."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from hotline.names import INTAKE_TOPIC
from streams.alone import DEATHS_MAX
from streams.ending import at_known_end
from streams.in_hand import InHand, Span
from streams.intake.alone import poisonous
from streams.intake.desk import Desk, Done

log = logging.getLogger("streams.intake")

Poison = dict[tuple[int, int], str]
"""Partition and offset of a record → how a process dies of it."""


class CarefulDesk:
    """A desk, and for each partition what it has in hand. Not for two threads at once."""

    def __init__(self, desk: Desk, number: int, files: Callable[[int], Path]) -> None:
        """`number` is the log's; `files` names the file of a partition."""
        self._desk, self._log, self._files = desk, number, files
        self._in_hand: dict[int, InHand] = {}

    def take(self, bundles: Sequence[Any], *, now: float, timer: float) -> Done:
        """As `Desk.take`. Takes seconds where processes died over some of it."""
        spans = self._spans(bundles)
        poison = self._poison(bundles, spans)
        for partition, span in spans.items():
            self._of(partition).begin(span)
        done = self._desk.take(bundles, now=now, timer=timer, poison=poison)
        for partition in spans:
            self._of(partition).done()
        return done

    def _of(self, partition: int) -> InHand:
        if partition not in self._in_hand:
            self._in_hand[partition] = InHand(self._files(partition))
            at_known_end(self._in_hand[partition].let_go)
        return self._in_hand[partition]

    def _spans(self, bundles: Sequence[Any]) -> dict[int, Span]:
        spans: dict[int, Span] = {}
        for bundle in bundles:
            first = spans[bundle.partition].first if bundle.partition in spans else bundle.offset
            spans[bundle.partition] = Span(self._log, first, bundle.next_offset)
        return spans

    def _poison(self, bundles: Sequence[Any], spans: Mapping[int, Span]) -> Poison:
        found: Poison = {}
        for bundle in bundles:
            deaths = self._of(bundle.partition).deaths(spans[bundle.partition])
            if deaths >= DEATHS_MAX:
                found |= self._tried(bundle, deaths)
        return found

    def _tried(self, bundle: Any, deaths: int) -> Poison:
        place = f"{INTAKE_TOPIC}/{bundle.partition}/{self._log}"
        found = poisonous(bundle.records)
        for offset, how in found.items():
            log.critical(
                "ALARM %s/%d is poison: %d workers died over it, and so did processes of their own that read nothing "
                "else (%s). It is set aside and the others go on: hotline dead-letters list --reason poison",
                *(place, offset, deaths, how),
            )
        if not found:
            log.critical(
                "ALARM %d workers died over %s/%d to %d, but a process of its own reads them: they are tried again. "
                "Look for who kills the workers, and whether memory is short",
                *(deaths, place, bundle.offset, bundle.next_offset - 1),
            )
        return {(bundle.partition, offset): how for offset, how in found.items()}
