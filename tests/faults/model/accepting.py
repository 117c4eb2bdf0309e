"""The product's own rule to accept, run on the model's outputs."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from hotline.accept import Accepted, Decision, DeploymentError, GapError, accept, advance
from hotline.measured import UNKNOWN, Measured, Source, Verdicts, Versions

if TYPE_CHECKING:
    from tests.faults.model.state import Account, Output

Verdict = str
TAKE, DROP, STRAY, GAP, OLDER = "take", "drop", "stray", "gap", "older"
_VERDICTS = {Decision.TAKE: TAKE, Decision.DROP: DROP, Decision.STRAY: STRAY}


def judge(accepted: Accepted, output: Output) -> Verdict:
    """What a reader does with an output: TAKE, DROP or STRAY; GAP and OLDER stop the line."""
    return _judge(accepted, *output[:5], output.deployment, output.upon)


def after(output: Output, output_id: int) -> Accepted:
    """What is accepted once the output of that id is."""
    return _after(*output[:5], output.deployment, output.upon, output_id)


def judge_source(accepted: Accepted, account: Account) -> Verdict:
    """What a reader would do with the source of an account, whatever deployment wrote it."""
    return _judge(accepted, *account[:5], 0)


def after_source(account: Account) -> Accepted:
    """What is accepted after the source of an account."""
    return _after(*account[:5], 0)


@cache
def _judge(accepted: Accepted, *source: int) -> Verdict:
    try:
        return _VERDICTS[accept(accepted, _measured(*source))]
    except GapError:
        return GAP
    except DeploymentError:
        return OLDER


@cache
def _after(*source: int) -> Accepted:
    return advance(_measured(*source))


def _measured(
    log: int, offset: int, first: int, last: int, final: int, deployment: int, upon: int = UNKNOWN, own: int = UNKNOWN
) -> Measured:
    source = Source(
        log=log,
        topic="t",
        partition=0,
        offset=offset,
        first=first,
        last=last,
        final=bool(final),
        block_id="",
        output_id=own,
        upon=upon,
    )
    return Measured(source=source, verdicts=Verdicts(), versions=Versions(deployment=deployment, fold=1), tables={})
