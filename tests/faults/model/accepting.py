"""The product's own rule to accept, run on the model's outputs."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from hotline.accept import Accepted, Decision, DeploymentError, GapError, accept, advance
from hotline.measured import Measured, Source, Verdicts, Versions

if TYPE_CHECKING:
    from tests.faults.model.state import Account, Output

Verdict = str
TAKE, DROP, GAP, OLDER = "take", "drop", "gap", "older"


def judge(accepted: Accepted, output: Output) -> Verdict:
    """What a reader does with an output: TAKE or DROP; GAP and OLDER stop the line."""
    return _judge(accepted, *output[:5], output.deployment)


def after(output: Output) -> Accepted:
    """What is accepted once the output is."""
    return _after(*output[:5], output.deployment)


def judge_source(accepted: Accepted, account: Account) -> Verdict:
    """What a reader would do with the source of an account, whatever deployment wrote it."""
    return _judge(accepted, *account[:5], 0)


def after_source(account: Account) -> Accepted:
    """What is accepted after the source of an account."""
    return _after(*account[:5], 0)


@cache
def _judge(accepted: Accepted, *source: int) -> Verdict:
    try:
        return TAKE if accept(accepted, _measured(*source)) is Decision.TAKE else DROP
    except GapError:
        return GAP
    except DeploymentError:
        return OLDER


@cache
def _after(*source: int) -> Accepted:
    return advance(_measured(*source))


def _measured(log: int, offset: int, first: int, last: int, final: int, deployment: int) -> Measured:
    source = Source(
        log=log, topic="t", partition=0, offset=offset, first=first, last=last, final=bool(final), block_id=""
    )
    return Measured(source=source, verdicts=Verdicts(), versions=Versions(deployment=deployment, fold=1), tables={})
