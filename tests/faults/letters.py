"""Dead letters: what there must be of a story, and what is wrong with those that there are."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec
import polars as pl

from tests.faults.story import NO_EVENT, single_events

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from tests.faults.story import Story

Says = tuple[str, bytes]
"""Why, and what was stated, as canonical JSON."""


class Letter(NamedTuple):
    """A dead letter as it is stored."""

    topic: str
    partition: int
    log: int
    offset: int
    place: int
    block_id: str
    reason: str
    original: bytes

    @property
    def record(self) -> tuple[str, int, int, int]:
        """The record in which it came."""
        return self[:4]

    @property
    def says(self) -> Says:
        """Why, and what was stated."""
        return self.reason, self.original


def letter(*row: Any) -> Letter:
    """Make one of a row of the table."""
    found = Letter(*row)
    return found._replace(original=canonical(found.original))


def dead_of(story: Story) -> Counter[Says]:
    """What letters must say of a story, and how often it was told."""
    found: Counter[Says] = Counter()
    for piece in story.pieces:
        nothing = replace(piece, events=piece.events.filter(pl.col("type") == NO_EVENT))
        found.update(("unknown_type", canonical(event)) for event in single_events(nothing))
    return found


def canonical(original: bytes) -> bytes:
    """The same JSON with its names in order."""
    return msgspec.json.encode(msgspec.json.decode(original), order="sorted")


def wrong(letters: Sequence[Letter], told: Counter[Says], besides: Collection[bytes]) -> list[str]:
    """Name what is wrong.

    Each place in a record has one letter, which says the same each time that its block comes again. What was told has
    as many as it was told, or more where a record came again; nothing else has one, unless it is in `besides`.
    """
    said = {(one.block_id, one.place): one.says for one in letters}
    places, found = Counter((*one.record, one.place) for one in letters), Counter(one.says for one in letters)
    return [
        *(f"{at} has {times}" for at, times in places.items() if times > 1),
        *(
            f"{one} says what no other of its block says"
            for one in letters
            if said[one.block_id, one.place] != one.says
        ),
        *(
            f"{says} has {found[says]} and was told {times} times"
            for says, times in told.items()
            if found[says] < times
        ),
        *(f"{says} was not told so" for says in found if says not in told and says[1] not in besides),
    ]


def wrong_numbers(letters: Iterable[Letter], outputs: Iterable[Sequence[Any]]) -> list[str]:
    """Outputs (topic, partition, log, offset, first, last, dead) that have other letters, and letters of none."""
    left: dict[tuple[Any, ...], list[int]] = defaultdict(list)
    for one in letters:
        left[one.record].append(one.place)
    odd = []
    for *record, first, last, dead in outputs:
        places = left[tuple(record)]
        here = [place for place in places if first <= place < last]
        odd += [f"{record} from {first} to {last} has {len(here)}, its account {dead}"] if len(here) != dead else []
        left[tuple(record)] = [place for place in places if not first <= place < last]
    return odd + [f"{record} has letters at {places} of no output" for record, places in left.items() if places]
