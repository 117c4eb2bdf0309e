"""Completion as of a cut-off, in SQL over the events of a real engine, is what a second reading of them says."""

from __future__ import annotations

import random
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import polars as pl
import pytest

from cli.reader import Reader
from hotline.blocks import complete
from hotline.buckets import By
from hotline.catalogue import CUTOFFS, KPIS
from hotline.fold import MEMBER, fold, with_keys
from hotline.periods import parse
from hotline.queries import (
    Question,
    QuestionError,
    Scope,
    answer,
    answer_until,
    pick,
    pick_until,
)
from hotline.subjects import TICKETS
from tests.hotline import naive_fold
from tests.hotline.stored_rows import engine, migrated, store_events, store_rows

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hotline.queries.statement import Ask

NEW_YORK = ZoneInfo("America/New_York")
FIRST = datetime(2023, 11, 1, 4, tzinfo=UTC)
"""A local midnight; clocks go back on the fifth day."""
DAYS = 12
KINDS = ("created", "dispatched", "dispatched", "handled", "handled", "handled", "reopened", "closed", "snapshot")
MONTH = parse("2023-11", zone=NEW_YORK, now=FIRST)
UNTIL = CUTOFFS["completion_rate_until"]
CUTOFF_DAYS = (1, 2, 4, 5, 8, DAYS + 3)


def _events() -> pl.DataFrame:
    """Tickets with few instants, repeated ids and revisions: ties, moved times and withdrawn handlings are the rule."""
    draw = random.Random(11)
    events = [event for number in range(1_500) for event in _life(draw, str(number))]
    frame = pl.DataFrame(events, schema={name: TICKETS.columns[name] for name in events[0]}, infer_schema_length=None)
    return with_keys(TICKETS, complete(TICKETS, frame)).unique(MEMBER, maintain_order=True)


def _life(draw: random.Random, entity: str) -> Iterator[dict[str, Any]]:
    born = FIRST + timedelta(days=draw.randrange(5))
    for _ in range(draw.randint(2, 9)):
        identifier = draw.choice([None, None, "e1", "e2", "e3"])
        yield {
            "type": f"ticket.{draw.choice(KINDS)}",
            "source": "city",
            "entity": entity,
            "born_at": born,
            "occurred_at": born + timedelta(hours=6 * draw.randrange(4 * 7)),
            "id": identifier,
            "revision": draw.randrange(3) if identifier else 0,
            "line": draw.choice([None, "a", "b"]),
            "dispatched_at": born + timedelta(hours=6 * draw.randrange(8)),
        }


EVENTS = _events()


@pytest.fixture(scope="module")
def ask(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ask]:
    with engine(tmp_path_factory.mktemp("cutoff"), NEW_YORK.key) as settings:
        with migrated(settings) as client:
            store_events(client, TICKETS, EVENTS)
            store_rows(client, TICKETS, fold(TICKETS, EVENTS), NEW_YORK.key)
        with Reader(settings) as reader:
            yield reader.ask


def cut(day: int) -> datetime:
    """Give the end of a local day."""
    return parse(f"2023-11-{day:02}", zone=NEW_YORK, now=FIRST).end


def _naively(cutoff: datetime) -> dict[tuple[Any, str], tuple[int, int]]:
    """By local day of dispatch and line: handled by then, and dispatched."""
    events = [{**event, "key": event["event_key"]} for event in EVENTS.iter_rows(named=True)]
    rows = naive_fold.fold("tickets", events)
    lives: dict[Any, dict[Any, naive_fold.Event]] = {}
    for event in sorted(events, key=lambda e: (e["revision"], e["digest"])):  # the last one of a name stands
        named = event["id"] or (event["type"], event["occurred_at"])
        lives.setdefault((event["source"], event["entity"], event["born_at"]), {})[named] = event
    found: Counter[Any] = Counter()
    for entity, row in rows.items():
        at = row["dispatched_at"]
        if at is not None and at < cutoff:
            known = [event for event in lives[entity].values() if event["occurred_at"] < cutoff]
            known.sort(key=lambda e: (e["occurred_at"], naive_fold._rank("tickets", e)))
            where = (at.astimezone(NEW_YORK).date(), row["line"])
            found[where, "handled"] += naive_fold._unless_reopened(known, "handled") is not None
            found[where, "dispatched"] += 1
    return {where: (found[where, "handled"], found[where, "dispatched"]) for where, what in found if what != "handled"}


def _added(parts: Any) -> tuple[int, int]:
    pairs = list(parts)
    return sum(pair[0] for pair in pairs), sum(pair[1] for pair in pairs)


@pytest.mark.parametrize("day", CUTOFF_DAYS)
def test_it_is_what_a_second_reading_of_the_events_says(ask: Ask, day: int) -> None:
    truth = _naively(cut(day))
    (whole,) = answer_until(Question(kpis=(UNTIL,), period=MONTH), cut(day), ask)
    assert (whole.numerator, whole.denominator) == _added(truth.values())
    assert whole.value == whole.numerator / whole.denominator  # type: ignore[operator]
    by_day = answer_until(Question(kpis=(UNTIL,), period=MONTH, by=By.DAY, split="line"), cut(day), ask)
    parts = [(r.start.date(), r.scope.value, r.numerator, r.denominator) for r in by_day if r.scope and r.denominator]
    assert {(when, line): (handled, asked) for when, line, handled, asked in parts} == truth
    scope = Scope("line", "b")
    (one,) = answer_until(Question(kpis=(UNTIL,), period=MONTH, scope=scope), cut(day), ask)
    assert (one.numerator, one.denominator) == _added(pair for (_, line), pair in truth.items() if line == "b")


def test_at_an_early_cut_off_it_is_another_number_and_at_the_end_that_of_all_that_is_known(ask: Ask) -> None:
    (now,) = answer(Question(kpis=(KPIS["completion_rate"],), period=MONTH), ask)
    question = Question(kpis=(UNTIL,), period=MONTH)
    then = {day: answer_until(question, cut(day), ask)[0] for day in CUTOFF_DAYS}
    last = then[CUTOFF_DAYS[-1]]
    assert (last.kpi, last.numerator, last.denominator) == ("completion_rate_until", now.numerator, now.denominator)
    assert len({result.numerator for result in then.values()}) == len(CUTOFF_DAYS)


def test_it_is_named_by_either_name_and_only_with_a_cut_off(ask: Ask) -> None:
    assert pick_until(["completion_rate"]) == pick_until(["completion_rate_until"]) == [UNTIL]
    with pytest.raises(QuestionError, match="--until goes with completion_rate"):
        pick_until(["tickets_created"])
    with pytest.raises(QuestionError, match="write --until with a day"):
        pick(["completion_rate_until"])
    with pytest.raises(QuestionError, match="before the period begins"):
        answer_until(Question(kpis=(UNTIL,), period=MONTH), MONTH.start, ask)
