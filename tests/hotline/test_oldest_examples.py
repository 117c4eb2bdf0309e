"""What was ever sent can be read for ever: one committed example of each event type, one block of each subject.

The files are never written again. A new type or field gets an example of its own beside them.
"""

from __future__ import annotations

import json
import operator
from datetime import UTC, datetime
from functools import reduce
from pathlib import Path
from typing import Any

import msgspec
import polars as pl
import pytest

from hotline import blocks
from hotline.columns import TIME
from hotline.events import Event
from hotline.events.keys import digests
from hotline.events.rules import problems
from hotline.fold import fold, with_keys
from hotline.subjects import SUBJECTS, Subject

EXAMPLES = Path(__file__).parent / "oldest_examples"
TYPES = {kind: subject for subject in SUBJECTS.values() for kind in subject.types}
OTHER_TYPES = ("forum.visit", "forum.item_handled", "kb.query", "qa_desk.question_asked", "link110.received")


def event(kind: str) -> Event:
    decoded: Event = msgspec.json.decode(example(kind), type=reduce(operator.or_, TYPES[kind].events))
    return decoded


def example(kind: str) -> bytes:
    return (EXAMPLES / f"{kind}.json").read_bytes()


def row(kind: str) -> dict[str, Any]:
    """Make a row of a block of the event."""
    stated = {"type": kind, **msgspec.structs.asdict(event(kind))}
    return {name: value.astimezone(UTC) if isinstance(value, datetime) else value for name, value in stated.items()}


def frame(subject: Subject) -> pl.DataFrame:
    return blocks.complete(subject, pl.DataFrame([row(kind) for kind in subject.types], schema=subject.columns))


def old_block(subject: Subject) -> pl.DataFrame:
    value = (EXAMPLES / f"{subject.name}.arrow").read_bytes()
    return blocks.decode(subject, value, block_id="old", partition=0).events


def test_there_is_an_example_of_every_type_and_no_other() -> None:
    assert {file.stem for file in EXAMPLES.glob("*.json")} == set(TYPES)


@pytest.mark.parametrize("kind", TYPES)
def test_the_oldest_json_of_a_type_still_says_all_it_said(kind: str) -> None:
    stated, read = json.loads(example(kind)), row(kind)
    assert stated["type"] == kind
    for name, value in stated.items():
        expected = datetime.fromisoformat(value) if TYPES[kind].columns[name] == TIME else value
        assert read[name] == expected


@pytest.mark.parametrize("subject", SUBJECTS.values(), ids=lambda subject: subject.name)
def test_the_oldest_events_break_no_rule_and_fold_into_rows(subject: Subject) -> None:
    events = frame(subject)
    assert problems(subject, events).to_list() == [None] * len(events)
    rows = fold(subject, with_keys(subject, events))
    assert sorted(rows["entity"]) == sorted(set(events["entity"]))


@pytest.mark.parametrize("subject", SUBJECTS.values(), ids=lambda subject: subject.name)
def test_the_oldest_block_still_holds_the_same_events_and_its_reject(subject: Subject) -> None:
    events = old_block(subject)
    assert events.columns == list(blocks.columns(subject))
    good = events.filter(pl.col("problem").is_null())
    assert good.select(*subject.columns).rows() == frame(subject).select(*subject.columns).rows()
    (reject,) = events.filter(pl.col("problem").is_not_null()).select(*blocks.REJECT_COLUMNS).rows()
    assert reject == ("bad_value", b"31;x;\xff", "calls-2023.csv:4", None)


@pytest.mark.parametrize("subject", SUBJECTS.values(), ids=lambda subject: subject.name)
def test_what_was_stated_then_has_the_same_digest_now(subject: Subject) -> None:
    good = old_block(subject).filter(pl.col("problem").is_null())
    assert digests(frame(subject), subject.stated).tolist() == good["digest"].to_list()


@pytest.mark.parametrize("kind", OTHER_TYPES)
def test_the_envelope_takes_events_of_other_sub_systems_as_it_is(kind: str) -> None:
    stranger = msgspec.defstruct("Stranger", [("place", str)], bases=(Event,), frozen=True, kw_only=True, tag=kind)
    stated = {**json.loads(example("call.lost")), "type": kind, "place": "寒山闻钟"}
    read = msgspec.json.decode(json.dumps(stated), type=stranger | event_union())
    assert type(read) is stranger
    assert json.loads(msgspec.json.encode(read)) == stated


def event_union() -> Any:
    return reduce(operator.or_, (event for subject in SUBJECTS.values() for event in subject.events))
