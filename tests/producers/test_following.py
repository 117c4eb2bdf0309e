"""A log that is read while it grows: rotated, cut off, stopped in the middle of a line."""

from __future__ import annotations

import shutil
import threading
import time
from typing import TYPE_CHECKING

import pytest

from hotline.subjects import CALLS
from producers.adapters import ADAPTERS, Batch, UnreadableError
from producers.files import Files, IncompleteError
from producers.following import Follower
from tests.producers.telling import KEY, dead, good

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

T = 1_700_000_000
PATIENCE_S = 30.0


def line(number: int, event: str = "ENTERQUEUE||0123|1", call: int | None = None) -> str:
    return f"{T + number}|{T}.{number if call is None else call}|q|SIP/1|{event}\n"


class Reader(threading.Thread):
    """Reads on in the background what is written to a log."""

    def __init__(self, *files: Path, adapter: str = "asterisk") -> None:
        super().__init__(daemon=True)
        self.follower = Follower()
        names = [str(file) for file in files]
        self.files = Files(ADAPTERS[adapter], names, key=KEY, follower=self.follower)
        self.batches: list[Batch] = []
        self.error: Exception | None = None

    def run(self) -> None:
        try:
            for batch in self.files:
                self.batches.append(batch)
        except Exception as error:  # noqa: BLE001 the test looks at it
            self.error = error

    @property
    def lines(self) -> int:
        return sum(batch.lines_read for batch in self.batches)

    def until(self, lines: int) -> None:
        """Wait until so many lines were read."""
        deadline = time.monotonic() + PATIENCE_S
        while self.lines < lines and self.is_alive() and time.monotonic() < deadline:
            time.sleep(0.01)
        assert self.lines == lines, (self.lines, self.error)

    def stop(self) -> None:
        self.follower.stop.set()
        self.join(PATIENCE_S)
        assert not self.is_alive()

    @property
    def calls(self) -> list[str]:
        """Serial numbers of the calls that were read, in the order of reading."""
        found = [batch.frames["calls"]["entity"].drop_nulls() for batch in self.batches if batch.frames]
        return [entity.partition(".")[2] for entities in found for entity in entities.unique(maintain_order=True)]


@pytest.fixture
def log(tmp_path: Path) -> Path:
    file = tmp_path / "queue_log"
    file.write_text(line(0))
    return file


@pytest.fixture
def reader(log: Path) -> Iterator[Reader]:
    reading = Reader(log)
    reading.start()
    reading.until(1)
    yield reading
    reading.stop()


def add(file: Path, text: str) -> None:
    with file.open("a") as out:
        out.write(text)


def test_lines_are_read_as_they_are_written(log: Path, reader: Reader) -> None:
    for number in range(1, 4):
        add(log, line(number))
        reader.until(number + 1)
    assert reader.calls == ["0", "1", "2", "3"]
    assert len(reader.batches) == 4


def test_a_line_is_read_when_its_end_is_written(log: Path, reader: Reader) -> None:
    whole = line(1, "CONNECT|12|x|1", call=0)
    add(log, whole[:-8])
    time.sleep(0.5)
    assert reader.lines == 1
    add(log, whole[-8:])
    reader.until(2)
    assert good(CALLS, reader.batches)["wait_s"].drop_nulls().to_list() == [12]


def test_a_renamed_log_is_read_to_its_end_and_then_the_new_one(log: Path, reader: Reader) -> None:
    for turn in range(1, 4):
        old = log.rename(log.with_name(f"queue_log.{turn}"))
        log.touch()  # an empty new file does not mean that the writer knows of it
        add(old, line(turn * 10))
        reader.until(turn * 3 - 1)
        add(old, line(turn * 10 + 1))
        add(log, line(turn * 10 + 2))
        reader.until(turn * 3 + 1)
    assert reader.calls == ["0", *(str(turn * 10 + place) for turn in (1, 2, 3) for place in range(3))]


def test_a_log_that_is_away_for_a_while_is_awaited(log: Path, reader: Reader) -> None:
    log.rename(log.with_name("queue_log.1"))
    time.sleep(0.5)
    log.write_text(line(1))
    reader.until(2)


def test_a_log_that_is_copied_and_cut_off_is_read_from_its_new_beginning(log: Path, reader: Reader) -> None:
    for turn in range(1, 4):
        add(log, line(turn * 2) + line(turn * 2 + 1))
        reader.until(turn * 3)
        shutil.copy(log, log.with_name(f"queue_log.{turn}"))
        with log.open("w"):
            pass
        time.sleep(0.5)
        add(log, line(turn * 2 + 50))
        reader.until(turn * 3 + 1)


def test_a_call_goes_on_over_a_rotation(log: Path, reader: Reader) -> None:
    add(log, line(25, "EXITWITHTIMEOUT|1|1|25", call=0))
    reader.until(2)
    log.rename(log.with_name("queue_log.1"))
    log.write_text(line(26, call=0) + line(36, "CONNECT|10|x|1", call=0))
    reader.until(4)
    told = good(CALLS, reader.batches)
    assert told["type"].to_list().count("call.offered") == 1
    assert told["wait_s"].drop_nulls().to_list() == [36]


def test_dead_letters_name_the_line_of_the_file_that_it_is_in_now(log: Path, reader: Reader) -> None:
    add(log, "broken\n")
    reader.until(2)
    log.rename(log.with_name("queue_log.1"))
    log.write_text("broken\n" + line(2))
    reader.until(4)
    assert dead(reader.batches) == [("undecodable", f"{log}:2"), ("undecodable", f"{log}:1")]


def test_stopping_reads_what_is_there_and_leaves_the_line_that_has_no_end(log: Path, reader: Reader) -> None:
    add(log, "".join(line(number) for number in range(1, 20_001)) + line(20_001)[:-3])
    reader.stop()
    assert (reader.lines, reader.error) == (20_001, None)
    assert dead(reader.batches) == []


def test_older_files_are_read_before_the_one_that_grows(tmp_path: Path) -> None:
    older, log = tmp_path / "queue_log.1", tmp_path / "queue_log"
    older.write_text(line(0))
    log.write_text("")
    reader = Reader(older, log)
    reader.start()
    add(log, line(5, "ABANDON|1|1|5", call=0))
    reader.until(2)
    reader.stop()
    assert good(CALLS, reader.batches)["type"].to_list() == ["call.offered", "call.queued", "call.abandoned"]


def test_a_log_in_which_nothing_was_ever_written_is_no_error(tmp_path: Path) -> None:
    log = tmp_path / "queue_log"
    log.touch()
    reader = Reader(log)
    reader.start()
    time.sleep(0.3)
    reader.stop()
    assert (reader.batches, reader.error) == ([], None)


def test_records_of_other_systems_are_followed_too_and_what_waits_is_given_at_the_end(tmp_path: Path) -> None:
    log = tmp_path / "records.jsonl"
    times = '"Channel": "VOICE", "InitiationTimestamp": "2024-03-01T10:00:00Z"'
    log.write_text(
        f'{{"ContactId": "a", "InitiationMethod": "INBOUND", "NextContactId": "x", {times}}}\n'
        f'{{"ContactId": "b", "InitiationMethod": "TRANSFER", "PreviousContactId": "never", {times}}}\n'
    )
    reader = Reader(log, adapter="amazon-connect")
    reader.start()
    reader.until(1)
    reader.stop()
    assert dead(reader.batches) == [("missing_field", f"{log}:2")]


def test_a_file_of_something_else_ends_the_reading_at_once(tmp_path: Path) -> None:
    log = tmp_path / "queue_log"
    log.write_text("a,b,c\n")
    reader = Reader(log)
    reader.start()
    reader.join(PATIENCE_S)
    assert isinstance(reader.error, UnreadableError)
    older = tmp_path / "queue_log.1"
    older.write_text(line(0))
    reader = Reader(older, log)
    reader.start()
    reader.join(PATIENCE_S)
    assert (reader.lines, type(reader.error)) == (1, IncompleteError)


@pytest.mark.parametrize(
    ("adapter", "file", "why"),
    [("boston311", "cases.csv", "files of boston311 do not grow"), ("asterisk", "-", "read as it comes")],
)
def test_what_cannot_be_followed_is_refused_with_the_remedy(adapter: str, file: str, why: str) -> None:
    with pytest.raises(UnreadableError, match=f"{why}. Load it without --follow"):
        Files(ADAPTERS[adapter], [file], key=KEY, follower=Follower())
