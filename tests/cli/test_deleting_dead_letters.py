"""`hotline dead-letters delete` against a real engine: what is named goes, all else stays."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from hotline.names import DATABASE, DEAD_LETTERS_TABLE
from tests.cli.test_kpi import hotline, printed
from tests.hotline.stored_rows import engine, migrated

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hotline.settings import Settings

TABLE = f"{DATABASE}.{DEAD_LETTERS_TABLE}"
COLUMNS = ["subject", "log", "topic", "partition", "offset", "place", "block_id", "reason", "original", "set_aside_at"]
MAY, JUNE = datetime(2023, 5, 31, 15, 59, 59, tzinfo=UTC), datetime(2023, 5, 31, 16, 0, 0, tzinfo=UTC)
"""The last second of May and the first of June in Shanghai."""
LETTERS = {0: ("undecodable", MAY), 1: ("bad_value", MAY), 2: ("bad_value", JUNE), 3: ("undecodable", JUNE)}


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Settings, Any]]:
    with engine(tmp_path_factory.mktemp("letters"), "Asia/Shanghai") as settings, migrated(settings) as client:
        yield settings, client


@pytest.fixture
def settings(database: tuple[Settings, Any]) -> Settings:
    """Store the letters anew."""
    found, client = database
    client.command(f"TRUNCATE TABLE {TABLE}")
    rows = [
        ["calls", 1, "hotline.calls", 0, 4, place, "b", why, f"tel. {place}", at]
        for place, (why, at) in LETTERS.items()
    ]
    client.insert(TABLE, rows, column_names=COLUMNS)
    return found


@pytest.mark.parametrize(
    ("named", "left"),
    [
        (["hotline.calls/0/1/4/2"], {0, 1, 3}),
        (["--reason", "undecodable"], {1, 2}),
        (["--until", "2023-05-31"], {2, 3}),
        (["--until", "2023-05", "--reason", "bad_value"], {0, 2, 3}),
        (["hotline.calls/0/1/4/2", "--reason", "undecodable"], {0, 1, 2, 3}),
        (["hotline.calls/0/1/4/99"], {0, 1, 2, 3}),
        (["--until", "2023"], set()),
    ],
)
def test_what_is_named_is_deleted_and_nothing_else(settings: Settings, named: list[str], left: set[int]) -> None:
    assert printed(settings, "dead-letters", "delete", *named) == {"deleted": len(LETTERS) - len(left)}
    listed = printed(settings, "dead-letters", "list")
    assert {int(letter["id"].rpartition("/")[2]) for letter in listed} == left


@pytest.mark.parametrize(
    ("named", "says"),
    [
        ([], "name what to delete"),
        (["7"], "is no id of a dead letter"),
        (["--reason", "bad_valu"], "bad_value"),
        (["--until", "soon"], "is no period"),
    ],
)
def test_misuse_is_refused_and_deletes_nothing(settings: Settings, named: list[str], says: str) -> None:
    done = hotline(settings, "dead-letters", "delete", *named)
    assert (done.returncode, done.stdout) == (2, "")
    assert says in done.stderr
    assert len(printed(settings, "dead-letters", "list")) == len(LETTERS)


def test_people_are_told_how_many(settings: Settings) -> None:
    done = hotline(settings, "dead-letters", "delete", "--reason", "bad_value")
    assert (done.returncode, done.stdout) == (0, "")
    assert "deleted 2 dead letters" in done.stderr


@pytest.mark.parametrize("command", ["dead-letters", "gaps"])
def test_what_is_no_place_of_a_log_is_not_accepted(settings: Settings, command: str) -> None:
    for place in ("7", "hotline.calls/0/1", "hotline.calls/0/1/-4", "hotline.calls/0/1/x"):
        done = hotline(settings, command, "accept", place)
        assert (done.returncode, done.stdout) == (2, "")
        assert "write topic/partition/log/offset" in done.stderr


def test_an_acceptance_stands_once_however_often_it_is_given(database: tuple[Settings, Any]) -> None:
    settings, client = database
    for _ in range(2):
        assert hotline(settings, "dead-letters", "accept", "hotline.calls/0/1/4").returncode == 0
    found = client.query("SELECT kind, topic, partition, log, offset FROM hotline.acceptances FINAL").result_rows
    assert found == [("dead_letters", "hotline.calls", 0, 1, 4)]
