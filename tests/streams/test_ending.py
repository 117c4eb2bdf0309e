"""How a worker ends decides whom the next one blames: the record in hand, or nobody."""

from __future__ import annotations

import contextlib
import os
import sys
from typing import TYPE_CHECKING

import pytest
from aiokafka.errors import KafkaConnectionError
from clickhouse_connect.driver.exceptions import OperationalError
from urllib3.exceptions import ProtocolError

from hotline.ends import EXIT_UNEXPECTED
from streams import ending
from streams.in_hand import InHand, Span
from tests.full_disks import full_after

if TYPE_CHECKING:
    from pathlib import Path

SPAN = Span(1, 7, 8)


class EndedError(BaseException):
    """The process would be gone here."""


def deaths_after(file: Path, error: BaseException | None) -> int:
    """How many deaths the next process counts over a record that this one had in hand when it ended so."""
    one = InHand(file)
    ending.at_known_end(one.let_go)
    one.begin(SPAN)
    with pytest.raises(EndedError):
        ending.end_process("the end of a test", error=error)
    one.close()
    following = InHand(file)
    following.close()
    return following.deaths(SPAN)


@pytest.fixture(autouse=True)
def _living(monkeypatch: pytest.MonkeyPatch) -> None:
    def end(code: int) -> None:
        assert code == EXIT_UNEXPECTED
        raise EndedError

    monkeypatch.setattr(os, "_exit", end)
    monkeypatch.setattr(ending, "_KNOWN_END", [])


@pytest.mark.parametrize(
    "outage",
    [
        KafkaConnectionError("the broker is away"),
        OperationalError("the engine is away"),
        ProtocolError("the engine's connection broke"),
        ConnectionResetError("somebody's connection broke"),
        OSError("no space left on device"),
        None,
    ],
    ids=lambda error: type(error).__name__,
)
def test_an_outage_is_no_death_over_the_record_in_hand(tmp_path: Path, outage: BaseException | None) -> None:
    assert deaths_after(tmp_path / "in-hand", outage) == 0


def test_an_error_that_nobody_knows_is_one(tmp_path: Path) -> None:
    assert deaths_after(tmp_path / "in-hand", ValueError("what the record did")) == 1


def test_a_disk_that_takes_no_line_of_the_log_keeps_nobody_alive(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with (tmp_path / "log").open("w", buffering=1) as log, full_after(0):
        monkeypatch.setattr(sys, "stderr", log)
        with pytest.raises(EndedError):
            ending.end_process("nobody reads this", error=OSError("no space left on device"))
        with contextlib.suppress(OSError):
            log.close()
