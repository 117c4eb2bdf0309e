"""The one rule to accept, case by case: taken, dropped, astray, or a line that stops."""

from __future__ import annotations

import msgspec
import pytest

from hotline.accept import Accepted, Decision, DeploymentError, GapError, accept, advance
from hotline.measured import FIRST, UNKNOWN, Measured, Source, Verdicts, Versions, decode

WHOLE = Accepted(log=2, offset=5, last=3, final=True, deployment=2, block_id="b", output_id=50)
IN_PART = msgspec.structs.replace(WHOLE, final=False)
WITHOUT_ID = msgspec.structs.replace(WHOLE, output_id=UNKNOWN)
TAKE, DROP, STRAY = Decision.TAKE, Decision.DROP, Decision.STRAY


def output(at: tuple[int, int, int], upon: int = UNKNOWN, *, deployment: int = 2, given_up: int = 0) -> Measured:
    log, offset, first = at
    source = Source(
        log=log,
        topic="t",
        partition=0,
        offset=offset,
        first=first,
        last=first + 1,
        final=True,
        block_id="c",
        given_up=given_up,
        output_id=60,
        upon=upon,
    )
    return Measured(source=source, verdicts=Verdicts(), versions=Versions(deployment=deployment, fold=1), tables={})


@pytest.mark.parametrize(
    ("state", "at", "upon", "decision"),
    [
        (WHOLE, (2, 6, 0), 50, TAKE),
        (IN_PART, (2, 5, 3), 50, TAKE),
        (WHOLE, (3, 0, 0), 50, TAKE),
        (Accepted(), (1, 0, 0), FIRST, TAKE),
        (WHOLE, (2, 5, 3), 50, DROP),
        (WHOLE, (1, 9, 0), 51, DROP),
        (IN_PART, (2, 5, 2), 51, DROP),
        (WHOLE, (2, 6, 0), 51, STRAY),
        (IN_PART, (2, 5, 3), 51, STRAY),
        (WHOLE, (2, 8, 0), 51, STRAY),
        (WHOLE, (3, 0, 0), 51, STRAY),
        (WHOLE, (3, 0, 0), FIRST, STRAY),
        (Accepted(), (1, 0, 0), 50, STRAY),
        (WHOLE, (2, 6, 0), UNKNOWN, TAKE),
        (WITHOUT_ID, (2, 6, 0), 51, TAKE),
        (Accepted(), (1, 0, 0), UNKNOWN, TAKE),
    ],
)
def test_an_output_is_taken_when_its_source_is_next_and_it_follows_the_last_one_as_far_as_ids_are_known(
    state: Accepted, at: tuple[int, int, int], upon: int, decision: Decision
) -> None:
    assert accept(state, output(at, upon)) is decision


@pytest.mark.parametrize(("upon", "state"), [(50, WHOLE), (UNKNOWN, WHOLE), (51, WITHOUT_ID)])
@pytest.mark.parametrize("at", [(2, 7, 0), (2, 6, 1), (3, 1, 0), (3, 0, 1)])
def test_a_gap_stops_the_line_where_nothing_says_that_the_output_is_astray(
    state: Accepted, upon: int, at: tuple[int, int, int]
) -> None:
    with pytest.raises(GapError, match="outputs between them are missing"):
        accept(state, output(at, upon))


def test_an_older_deployment_stops_the_line_unless_what_it_wrote_is_passed_over() -> None:
    with pytest.raises(DeploymentError, match="deployment 1 writes after 2"):
        accept(WHOLE, output((2, 6, 0), 50, deployment=1))
    assert accept(WHOLE, output((2, 6, 0), 51, deployment=1)) is STRAY
    assert accept(WHOLE, output((2, 5, 0), 50, deployment=1)) is DROP


def test_what_is_accepted_next_follows_from_the_output() -> None:
    after = advance(output((2, 6, 0), 50, deployment=3, given_up=4))
    assert after == Accepted(log=2, offset=9, last=1, final=True, deployment=3, block_id="c", output_id=60)
    assert (after.next_offset, after.next_first, after.upon) == (10, 0, 60)
    assert (IN_PART.next_offset, IN_PART.next_first, Accepted().upon) == (5, 3, FIRST)


def test_an_output_of_a_version_without_ids_is_read_as_one_whose_ids_are_not_known() -> None:
    stated = msgspec.msgpack.decode(output((2, 6, 0), 50).encode())
    del stated["source"]["output_id"], stated["source"]["upon"]
    record = decode(msgspec.msgpack.encode(stated))
    assert accept(WHOLE, record) is TAKE
    assert advance(record).upon == UNKNOWN
