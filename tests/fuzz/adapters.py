"""Files against the adapters: mutated lines and records, mutated files, packed and not, read in chunks of any size."""

from __future__ import annotations

import gzip
import io
import random
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import polars as pl
import zstandard

from hotline.blocks import complete, decode, pack
from hotline.dead_letters import ORIGINAL_BYTES_MAX
from hotline.events.rules import problems
from hotline.subjects import SUBJECTS, Subject
from producers.adapters import ADAPTERS, AdapterError, Batch
from tests.fuzz import odd_json, sample_files
from tests.fuzz.plain_reading import breach
from tests.fuzz.spoilt_bytes import spoilt
from tests.fuzz.targets import Case, Stopwatch, claim, claim_closed

KEY = b"a key of the tests"
LINES_MAX = 40
SMALL_BYTES = 10_000
"""Larger files are not read in chunks of a few bytes."""
ODD_FIELDS = (
    *(
        "",
        " ",
        "0",
        "-1",
        "NULL",
        "NONE",
        "x" * 201,
        "x" * 70_000,
        "吴" * 67,
        "a\0b",
        "\x1f",
        "\x7f",
        '"',
        '""',
        '"a',
        "'",
    ),
    *(
        "1e9",
        "99999999999999999999",
        "2024-02-30 10:00:00",
        "02/30/2024 10:00:00 AM",
        "24:00:00",
        "0:00:00",
        "23:59:60",
    ),
    *(
        "991332",
        "0",
        "000000",
        "9999999999",
        "253402300800",
        "-62135596800",
        "1700000000.5",
        "1700000000.",
        "٣",
        "１２",
    ),
    *(
        "2024-03-10 02:30:00",
        "03/31/2024 02:30:00 AM",
        "PHANTOM",
        "AGENT",
        "=1+1",
        "\u2028",
        "\ufeff",
        "NaN",
        "inf",
        "\t",
        "|",
        ",",
    ),
)


class Adapters:
    """Each case is one file of one adapter."""

    cpu_s_max = passed_s_max = 1.0
    records_per_case = LINES_MAX // 4

    def __init__(self) -> None:
        self.watch = Stopwatch()

    @contextmanager
    def opened(self) -> Iterator[None]:
        """Nothing runs but the adapter."""
        yield

    def case(self, draw: random.Random) -> Case:
        """Make a file."""
        name = draw.choice(list(ADAPTERS))
        odd, content = _content(draw, name)
        size = len(content)
        for pack_it in (gzip.compress, zstandard.compress):
            if draw.random() < 0.1:
                content = pack_it(content)
        if draw.random() < 0.4 or not odd:
            odd += 1
            content = spoilt(draw, content, _content(draw, draw.choice(list(ADAPTERS)))[1])
        small = max(size, len(content)) < SMALL_BYTES  # a mutation may have repeated it
        chunk_bytes = draw.choice((*((1, 100, 1000) if small else ()), 2**16, 5 * 2**20))
        zone = draw.choice((None, None, "Asia/Shanghai", "America/New_York", "Australia/Lord_Howe"))
        return Case(odd, content, (name, chunk_bytes, zone))

    def judge(self, case: Case) -> Counter[str]:
        """Read it, and send what was read."""
        name, chunk_bytes, zone = case.more
        found: Counter[str] = Counter()
        batches: list[Batch] = []
        try:
            with self.watch:
                more = ADAPTERS[name].read(
                    io.BytesIO(case.value), key=KEY, origin="the file", chunk_bytes=chunk_bytes, zone=zone
                )
                batches.extend(more)  # what came before an error stays
        except AdapterError as error:
            found[f"file: {type(error).__name__}"] += 1
        if batches:
            found.update(looked_at(batches))
        return found + Counter({"files": 1})


def _content(draw: random.Random, name: str) -> tuple[int, bytes]:
    """How many records of a file are odd, and its content."""
    count = draw.randrange(1, LINES_MAX)
    share = draw.choice((0.0, 0.1, 0.5, 1.0))
    odd = sorted(place for place in range(count) if draw.random() < share)
    if name not in sample_files.FIELDS or (name == "asterisk" and draw.random() < 0.4):
        events = [sample_files.OBJECTS[name](draw) for _ in range(count)]
        texts = [
            odd_json.mutated(draw, event) if place in odd else odd_json.text_of(draw, odd_json.pairs_of(event))
            for place, event in enumerate(events)
        ]
        return len(odd), sample_files.objects_file(draw, name, texts).encode("utf-8", "surrogatepass")
    rows = [sample_files.FIELDS[name][0](draw) for _ in range(count)]
    for place in odd:
        _spoil(draw, rows[place])
    if name == "boston311" and draw.random() < 0.3:
        return len(odd), sample_files.parquet_file(
            _even(rows), draw.choice((pl.String(), pl.Datetime("us"), pl.Datetime("ms", "UTC"), pl.Date()))
        )
    lines = [sample_files.HEADERS[name]] if name in sample_files.HEADERS else []
    lines += [sample_files.line_of(name, row) for row in rows]
    return len(odd), draw.choice(("\n", "\n", "\r\n")).join([*lines, ""]).encode("utf-8", "surrogatepass")


def _even(rows: list[list[str]]) -> list[list[str]]:
    width = len(sample_files.BOSTON_COLUMNS)
    return [[*row, *[""] * width][:width] for row in rows]


def _spoil(draw: random.Random, row: list[str]) -> None:
    for _ in range(draw.choice((1, 1, 2, 4))):
        if not row:
            return
        place, kind = draw.randrange(len(row)), draw.random()
        if kind < 0.7:
            row[place] = draw.choice(ODD_FIELDS)
        elif kind < 0.8:
            row.insert(place, draw.choice(ODD_FIELDS))
        elif kind < 0.9:
            del row[place]
        else:
            other = draw.randrange(len(row))
            row[place], row[other] = row[other], row[place]


def looked_at(batches: Sequence[Batch]) -> Counter[str]:
    """What became of the lines of a file, whose figures must be those of its rows."""
    reasons: Counter[str] = Counter()
    events = 0
    for name, subject in SUBJECTS.items():
        frames = [batch.frames[name] for batch in batches if name in batch.frames]
        if not frames:
            continue
        frame = pl.concat(frames, how="diagonal")
        whole = complete(subject, frame)
        claim(problems(subject, whole).equals(whole["problem"]), "rows with another problem than the rules find")
        reasons.update(whole["problem"].drop_nulls().to_list())
        events += whole["problem"].null_count()
        _claim_rows(subject, whole)
        _claim_sent(subject, frame)
    claim_closed(reasons)
    read, broken = sum(batch.lines_read for batch in batches), sum(batch.lines_broken for batch in batches)
    skipped = sum(sum(batch.skipped.values()) for batch in batches)
    claim(reasons.total() == broken, f"{reasons.total()} dead rows, {broken} broken lines")
    told = read - broken - skipped
    claim(told >= 0, f"{read} lines, {broken} broken, {skipped} skipped")
    claim((told > 0) == (events > 0) and told <= events, f"{told} lines gave {events} events")
    return reasons + Counter({"lines": read, "lines with events": told, "lines skipped": skipped})


def _claim_rows(subject: Subject, whole: pl.DataFrame) -> None:
    for row in whole.iter_rows(named=True):
        if row["problem"] is None:
            wrong = breach(subject, row)
            claim(wrong is None, f"an event breaks a rule: {wrong}")
        else:
            claim(row["original"] is not None and row["origin"], "a dead row without its bytes or its place")
            claim(len(row["original"]) <= ORIGINAL_BYTES_MAX, f"{len(row['original'])} bytes are kept")


def _claim_sent(subject: Subject, frame: pl.DataFrame) -> None:
    """The blocks are what measure can read, and hold every row."""
    blocks = list(pack(subject, frame, 3))
    read = [decode(subject, one.encode(), block_id=one.block_id, partition=one.partition).events for one in blocks]
    claim(sum(map(len, read)) == len(frame), f"{len(frame)} rows were packed, {sum(map(len, read))} come out")
