"""Single JSON events against intake's desk: decoding, judging, completing, packing, as the agent runs them."""

from __future__ import annotations

import functools
import json
import random
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from hotline.names import PSEUDONYMISED
from hotline.subjects import SUBJECTS
from streams.bundles import Bundle
from tests.fuzz import odd_json
from tests.fuzz.plain_json import plainly_wrong
from tests.fuzz.plain_reading import breach
from tests.fuzz.spoilt_bytes import spoilt
from tests.fuzz.targets import Case, Stopwatch, claim, claim_closed
from tests.hotline.random_rows import life
from tests.streams.intake_desks import LOG, NOW, WAIT_S, Record, Sent, as_json, desk

PHONE = "13912345678"
RECORDS_MAX = 60
OLD_DESK_EVERY = 4
"""Every so many cases the same records go to a desk that has grown old as well."""
_ALLOWED = {"unknown_ticket", "future_time"}
"""Reasons for which an event that is good by itself may be refused."""
_HEADERS: tuple[Any, ...] = (
    [(PSEUDONYMISED, b"yes")],
    [(PSEUDONYMISED, None)],
    [("", b"")],
    [("content-type", b"\xff")],
    None,
)


@functools.cache
def pool() -> list[dict[str, Any]]:
    """Sound events as a system outside would send them."""
    draw = random.Random(7)
    found = []
    for number in range(600):
        subject = draw.choice(list(SUBJECTS.values()))
        fields = {str(event.__struct_config__.tag): set(event.__struct_fields__) | {"type"} for event in subject.events}
        for event in life(subject, draw, str(number)):
            mine = {name: value for name, value in event.items() if name in fields[event["type"]] and value is not None}
            found.append(json.loads(as_json(_as_sent(draw, mine))))
    return found


def _as_sent(draw: random.Random, event: dict[str, Any]) -> dict[str, Any]:
    if event["type"] == "call.offered":
        event["caller"] = PHONE
    if "operator" in event:
        event["operator"] = PHONE
    if draw.random() < 0.4:
        event.pop("born_at")
    return event


def value_of(draw: random.Random) -> tuple[bytes | None, bool]:
    """The value of a mutated record, and whether only its structure was mutated."""
    chance = draw.random()
    if chance < 0.01:
        return draw.choice(
            (None, b"", b"\0", b"null", b"[]", b"1", b'"a"', draw.randbytes(draw.randrange(1, 300)))
        ), False
    if chance < 0.06:
        return as_json(draw.choice(pool())), True
    text = odd_json.mutated(draw, draw.choice(pool())) if chance < 0.7 else as_json(draw.choice(pool())).decode()
    value = text.encode("utf-8", "surrogatepass")
    if chance < 0.6:
        return value, True
    return spoilt(draw, value, as_json(draw.choice(pool()))), False


class Intake:
    """Each case is a bundle of records on a desk of its own."""

    cpu_s_max = passed_s_max = 1.0
    records_per_case = RECORDS_MAX // 2

    def __init__(self) -> None:
        self.watch = Stopwatch()
        self._old = desk(known_entities_max=1_000)
        self._cases = 0

    @contextmanager
    def opened(self) -> Iterator[None]:
        """Nothing runs but the desk."""
        yield

    def case(self, draw: random.Random) -> Case:
        """Make a bundle."""
        values = [value_of(draw) for _ in range(draw.randrange(1, RECORDS_MAX))]
        headers = [draw.choice(_HEADERS) if draw.random() < 0.05 else () for _ in values]
        records = [Record(at, value, given) for at, ((value, _), given) in enumerate(zip(values, headers, strict=True))]
        sound = [of_structure for _, of_structure in values]
        return Case(len(values), b"\n".join(value or b"" for value, _ in values), (records, sound))

    def judge(self, case: Case) -> Counter[str]:
        """Hand the bundle over, let the wait pass, and look at all that came out."""
        records, sound = case.more
        self._cases += 1
        if self._cases % OLD_DESK_EVERY == 0:
            taken(self._old, records, now=NOW + self._cases)
            self._old.good.clear()
            self._old.dead.clear()
        sent = desk()
        with self.watch:
            taken(sent, records, now=NOW)
            taken(sent, [], now=NOW + WAIT_S + 1)
        claim(sent.positions == {0: len(records)}, f"{len(records)} records, positions {sent.positions}")
        reasons = Counter(row["problem"] for row in sent.dead)
        claim_closed(reasons)
        dead = {row["origin"]: row["problem"] for row in sent.dead}
        claim(len(dead) == len(sent.dead), "two letters of one record")
        claim(len(sent.good) + len(dead) == len(records), f"{len(records)} in, {len(sent.good)} and {len(dead)} out")
        claim(all(row["detail"] for row in sent.dead), "a letter that does not say what is wrong")
        for row in sent.good:
            wrong = breach(row["block"].subject, {name: row[name] for name in row if name != "block"})
            claim(wrong is None, f"a good event breaks a rule: {wrong}")
        for record, of_structure in zip(records, sound, strict=True):
            reason = dead.get(f"hotline.intake/0/{LOG}/{record.offset}")
            if not record.headers:
                claim_same(record.value, reason)
            if of_structure and not record.headers:
                claim_nobody(sent, record)
        return reasons + Counter({"good": len(sent.good)})


def taken(sent: Sent, records: list[Record], *, now: int) -> None:
    """Hand records over as one bundle."""
    bundles = [Bundle("hotline.intake", 0, records)] if records else []
    done = sent.desk.take(bundles, now=NOW, timer=now)
    sent.positions = sent.positions | done.positions
    for block in done.blocks:
        block.encode()
        for row in block.events.iter_rows(named=True):
            (sent.good if row["problem"] is None else sent.dead).append({**row, "block": block})


def claim_same(value: bytes | None, reason: str | None) -> None:
    """A plain reading of the record says the same, where it is sure."""
    wrong = plainly_wrong(value)
    if wrong is None:
        return
    if wrong:
        claim(reason is not None, f"counted, although {wrong}")
    else:
        claim(reason is None or reason in _ALLOWED, f"dead ({reason}), although nothing is wrong with it")


def claim_nobody(sent: Sent, record: Record) -> None:
    """Nobody's telephone stands in what is kept of a record that names it in the right place."""
    origin = f"hotline.intake/0/{LOG}/{record.offset}"
    for row in sent.dead:
        if row["origin"] == origin:
            claim(PHONE.encode() not in row["original"], f"a telephone is kept: {row['original'][:500]!r}")
