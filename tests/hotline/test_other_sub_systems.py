"""Events of sub-systems that come later: the envelope takes them, nothing is lost, and a struct is all they need."""

from __future__ import annotations

import io
import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import msgspec
import polars as pl
import pytest

from hotline import blocks
from hotline.events import SCHEMA, Event
from hotline.events.rules import problems
from hotline.measured import Source
from hotline.names import DEAD_LETTERS_TABLE
from hotline.subjects import SUBJECTS, Subject
from streams.measure.memory import Memory
from streams.measure.output import output
from streams.measure.step import step
from tests.streams.test_measure_step import ZONE, Kept

if TYPE_CHECKING:
    from streams.measure.step import Step

AT = datetime(2023, 3, 1, 4, 5, 6, tzinfo=UTC)
ENVELOPE: dict[str, Any] = {
    "source": "city",
    "entity": "7",
    "born_at": AT,
    "occurred_at": AT,
    "id": "e1",
    "revision": 2,
    "schema": 1,
}
OTHERS: dict[str, dict[str, tuple[Any, Any]]] = {
    # what the annual report of the reference year counts besides calls and tickets: type → field → (its type, a value)
    "forum.visit": {"visits": (int, 104_233)},
    "forum.item_posted": {"item": (str, "帖7")},
    "link110.completed": {"due_at": (datetime, datetime(2023, 3, 4, tzinfo=UTC))},
    "program.episode_aired": {"episode": (str, "x"), "heads": (int, 3), "principal_heads": (int, 1)},
    "program.request_rated": {"score": (int, 5)},
    "publication.hotspot": {},
    "kb.entry_published": {"kind": (str, "qa"), "line": (str, "尚贤")},
    "qa_desk.converted": {"question": (str, "q"), "entry": (str, "e")},
    "roster.snapshot": {"level": (str, "市"), "role": (str, "operator"), "count": (int, 512)},
    "population.snapshot": {"residents": (int, 12_958_000)},
    "policy.issued": {"number": (str, "苏府〔2023〕1号"), "title": (str, "x")},
    "share.delivery": {"records": (int, 10), "period_from": (datetime, AT), "period_to": (datetime, AT)},
    "calendar.version": {"version": (int, 4), "is_workday": (bool, False)},
    "hotline.merged": {"number": (str, "12329")},
}
every_other = pytest.mark.parametrize("kind", OTHERS)


def stated(kind: str, **changed: Any) -> dict[str, Any]:
    values = {name: value for name, (_, value) in OTHERS[kind].items()}
    return {"type": kind, **ENVELOPE, **values, **changed}


def struct(kind: str) -> type[Event]:
    fields = [(name, hint | None, None) for name, (hint, _) in OTHERS[kind].items()]
    made = msgspec.defstruct("Other", fields, bases=(Event,), frozen=True, kw_only=True, tag=kind, module=__name__)
    assert issubclass(made, Event)
    return made


def record(*events: dict[str, Any]) -> bytes:
    """A block as a sender of another version would make it: whatever columns the events have."""
    out = io.BytesIO()
    pl.DataFrame(list(events), infer_schema_length=None).write_ipc_stream(out, compat_level=pl.CompatLevel.oldest())
    return out.getvalue()


def measured(subject: Subject, value: bytes) -> Step:
    block = blocks.decode(subject, value, block_id="b", partition=0)
    return step(block, 1, Memory(subject, 0, Kept()), ZONE)


def letters(subject: Subject, found: Step) -> pl.DataFrame:
    source = Source(log=1, topic="t", partition=0, offset=0, first=0, last=9, final=True, block_id="b")
    tables = output(found, subject, source, deployment=1, days=[]).tables
    return pl.read_ipc_stream(tables[DEAD_LETTERS_TABLE])


@every_other
def test_a_struct_is_all_that_the_envelope_and_a_block_need(kind: str) -> None:
    subject = Subject("activities", "activity", (struct(kind),))
    read = msgspec.json.decode(msgspec.json.encode(stated(kind)), type=struct(kind))
    assert {"type": kind, **{name: getattr(read, name) for name in stated(kind) if name != "type"}} == stated(kind)
    frame = pl.DataFrame([stated(kind)], schema={name: subject.columns[name] for name in stated(kind)})
    (block,) = blocks.pack(subject, frame, 1)
    kept = blocks.decode(subject, block.encode(), block_id=block.block_id, partition=0).events
    assert kept.select(list(stated(kind))).row(0, named=True) == stated(kind)
    assert problems(subject, kept).to_list() == [None]


@every_other
@pytest.mark.parametrize("subject", SUBJECTS.values(), ids=list(SUBJECTS))
def test_where_its_type_is_unknown_it_is_a_dead_letter_with_all_it_states(subject: Subject, kind: str) -> None:
    good = {"type": subject.types[0], **ENVELOPE, "id": "e2"}
    found = measured(subject, record(stated(kind), good))
    assert (found.verdicts.counted, found.verdicts.reasons) == (1, {"unknown_type": 1})
    letter = letters(subject, found).row(0, named=True)
    assert letter["reason"] == "unknown_type"
    assert json.loads(letter["original"]) == msgspec.to_builtins(stated(kind))


@pytest.mark.parametrize("subject", SUBJECTS.values(), ids=list(SUBJECTS))
def test_of_a_later_schema_nothing_is_lost_either(subject: Subject) -> None:
    later = {"type": subject.types[0], **ENVELOPE, "schema": SCHEMA + 1, "mood": "calm", "steps": [1, 2]}
    found = measured(subject, record(later))
    assert found.verdicts.reasons == {"unknown_schema": 1}
    assert json.loads(letters(subject, found)["original"][0]) == msgspec.to_builtins(later)


@pytest.mark.parametrize("subject", SUBJECTS.values(), ids=list(SUBJECTS))
def test_bytes_that_the_sender_kept_itself_stay_as_they_are(subject: Subject) -> None:
    found = measured(subject, record({**stated("forum.visit"), "original": b"\xff raw", "visits": 3}))
    assert letters(subject, found)["original"].to_list() == [b"\xff raw"]
