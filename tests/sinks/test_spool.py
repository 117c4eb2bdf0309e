"""The spool gives back exactly the batches that were whole, and says so where the disk did not keep one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from hotline.marks import Mark
from hotline.subjects import CALLS
from sinks.writer.batch import Batch, Gathering
from sinks.writer.spool import Spool, SpoolError
from tests.full_disks import full_after
from tests.sinks.sinking import Outputs

if TYPE_CHECKING:
    from pathlib import Path

AT = ("hotline.calls.measured", 0)


def batch(outputs: Outputs, offset: int) -> Batch:
    record = outputs.output(CALLS, 0)
    gathering = Gathering(lambda *_: None)
    gathering.take(AT, Mark(log=1), record, offset=offset)
    gathering.read(AT, record.encode())
    return gathering.close({})


def left_after(folder: Path) -> list[Batch]:
    """What the next sink finds in the folder."""
    spool = Spool(folder)
    try:
        return [found for _, found in spool.left()]
    finally:
        spool.close()


def test_batches_are_found_in_their_order_and_a_draft_is_none(tmp_path: Path) -> None:
    outputs, spool = Outputs(), Spool(tmp_path)
    written = [batch(outputs, offset) for offset in range(3)]
    first, *_ = [spool.write(one) for one in written]
    spool.remove(first)
    spool.close()
    draft = first.with_suffix(".draft")
    draft.write_bytes(written[0].encode()[:100])
    assert left_after(tmp_path) == written[1:]
    assert not draft.exists()
    assert left_after(tmp_path) == written[1:], "who died before it applied them finds them again"


@pytest.mark.parametrize("kept", [0, 100, -1], ids=["empty", "beginning", "all but a byte"])
def test_a_batch_that_the_disk_did_not_keep_is_an_error_that_names_the_file(tmp_path: Path, kept: int) -> None:
    spool = Spool(tmp_path)
    path = spool.write(batch(Outputs(), 0))
    spool.close()
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(SpoolError, match=rf"{path} is damaged .*: the disk lost bytes it had acknowledged"):
        left_after(tmp_path)


@pytest.mark.parametrize("size", [0, 100, -1], ids=["nothing", "a piece", "all but a byte"])
def test_a_batch_for_which_the_disk_has_no_room_leaves_nothing_there_and_is_written_later(
    tmp_path: Path, size: int
) -> None:
    one, spool = batch(Outputs(), 0), Spool(tmp_path)
    with full_after(len(one.encode()) + size if size < 0 else size):
        for _ in range(2):
            with pytest.raises(OSError, match=r"bytes does not get on the disk; give it room: .*000000000001\.draft"):
                spool.write(one)
            assert [path.name for path in tmp_path.iterdir()] == ["sink.lock"], "a piece would take the room it needs"
    spool.write(one)
    spool.close()
    assert left_after(tmp_path) == [one]


def test_a_folder_is_of_one_sink_until_that_gives_it_up(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    with pytest.raises(SpoolError, match="another sink runs on"):
        Spool(tmp_path)
    spool.close()
    Spool(tmp_path).close()
