"""An account tells the first stored verdict of every event of a block, however often and in whatever pieces it came."""

from __future__ import annotations

import random
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

from hotline.measured import Verdicts
from hotline.names import ACCOUNTS_TABLE, DATABASE
from producers.accounts import stored_verdicts
from tests.hotline.stored_rows import engine, migrated

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from clickhouse_connect.driver.client import Client

COLUMNS = ["log", "topic", "partition", "offset", "first", "last", "final", "block_id", "counted", "seen", "revised"]
COLUMNS += ["dead", "reasons"]
ALIVE = ("counted", "seen", "revised")
REASONS = ("bad_value", "unknown_type")


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    with engine(tmp_path_factory.mktemp("accounts"), "Asia/Shanghai") as settings, migrated(settings) as found:
        yield found


class Sent:
    """A block whose events have these first verdicts, and its sendings as measure and the sink would account them."""

    def __init__(self, block_id: str, first: Sequence[str]) -> None:
        self.block_id, self.first = block_id, first
        self.rows: list[list[Any]] = []
        self._known = 0

    def send(self, log: int, offset: int, cuts: Sequence[int], *, whole: bool) -> None:
        """Store slices that end at `cuts`; what was stored before is only seen now, or dead again."""
        for start, end in zip([0, *cuts], cuts, strict=False):
            now = Counter(self._now(place) for place in range(start, end))
            reasons = {reason: now[reason] for reason in REASONS if now[reason]}
            row = [log, "t", 0, offset, start, end, whole and end == cuts[-1], self.block_id]
            self.rows.append([*row, *(now[kind] for kind in ALIVE), sum(reasons.values()), reasons])
        self._known = max(self._known, cuts[-1])

    def _now(self, place: int) -> str:
        verdict = self.first[place]
        return "seen" if verdict in ALIVE and place < self._known else verdict

    @property
    def truth(self) -> Verdicts:
        found = Counter(self.first)
        reasons = {reason: found[reason] for reason in REASONS if found[reason]}
        alive = {kind: found[kind] for kind in ALIVE}
        return Verdicts(**alive, dead=sum(reasons.values()), reasons=reasons)


def store(client: Client, *blocks: Sent) -> None:
    rows = [row for block in blocks for row in block.rows]
    client.insert(f"{DATABASE}.{ACCOUNTS_TABLE}", rows, column_names=COLUMNS)


def test_slices_that_were_stored_before_a_broker_died_count_as_what_they_did(client: Client) -> None:
    block = Sent("cut", ["counted"] * 3 + ["bad_value", "revised", "seen"] + ["counted"] * 4)
    block.send(1, 7, [3, 5], whole=False)
    block.send(2, 0, [10], whole=True)
    store(client, block)
    assert stored_verdicts(client, ["cut"]) == {"cut": block.truth}
    assert block.truth == Verdicts(counted=7, seen=1, revised=1, dead=1, reasons={"bad_value": 1})


def test_a_block_of_which_only_slices_are_stored_has_no_account_yet(client: Client) -> None:
    block = Sent("half", ["counted"] * 4)
    block.send(1, 7, [2], whole=False)
    block.send(2, 7, [1, 3], whole=False)
    store(client, block)
    assert stored_verdicts(client, ["half", "nobody"]) == {}
    block.send(3, 0, [4], whole=True)
    store(client, *[_last(block)])
    assert stored_verdicts(client, ["half"]) == {"half": block.truth}


def _last(block: Sent) -> Sent:
    block.rows = block.rows[-1:]
    return block


def test_however_often_and_wherever_a_block_is_cut_its_account_is_the_same(client: Client) -> None:
    draw = random.Random(5)
    blocks = [_random_block(draw, f"random-{number}") for number in range(200)]
    store(client, *blocks)
    found = stored_verdicts(client, [block.block_id for block in blocks])
    assert found == {block.block_id: block.truth for block in blocks}
    assert sum(len(block.rows) for block in blocks) > 1_000


def _random_block(draw: random.Random, name: str) -> Sent:
    size = draw.randint(1, 30)
    block = Sent(name, draw.choices([*ALIVE, *REASONS], k=size))
    whole_at = draw.randint(1, 4)
    for sending in range(1, 6):
        whole = sending >= whole_at
        end = size if whole else draw.randint(1, size)
        cuts = sorted({*draw.choices(range(1, end + 1), k=draw.randint(0, 3)), end})
        block.send(log=1 + sending // 2, offset=10 * sending, cuts=cuts, whole=whole)
    return block
