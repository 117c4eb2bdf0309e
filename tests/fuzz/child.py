"""The process in which a target's cases are judged: it may die, and says before each case which one it is.

Prints one JSON line a case. Started by `flight`.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib
import json
import logging
import os
import resource
import traceback
from collections import Counter
from typing import Any

from tests.fuzz.targets import Target, draw_of

TRACE_CHARS = 4000
TIMES_MAX = 4
"""How often a case is judged that takes long without work: a busy machine does not hold the same one up each time."""

TARGETS = {
    "intake": "tests.fuzz.intake:Intake",
    "blocks": "tests.fuzz.blocks:Blocks",
    "adapters": "tests.fuzz.adapters:Adapters",
    "door": "tests.fuzz.door:Door",
}
"""Name of a target → where it is."""


def target_named(name: str) -> Target:
    """The target of that name, or at that place."""
    module, _, kind = TARGETS.get(name, name).partition(":")
    found: Target = getattr(importlib.import_module(module), kind)()
    return found


def judged(target: Target, case: Any) -> dict[str, Any]:
    """How a case ended. Whatever it raises is a fault: also the panics of native code, which are no Exceptions."""
    for _ in range(TIMES_MAX):
        found = _judged(target, case)
        if "fault" in found or target.watch.passed_s <= target.passed_s_max:
            return found
    told = f"it takes {target.watch.passed_s:.2f} s, {TIMES_MAX} times; {target.passed_s_max} s are the most"
    return {"verdicts": {}, "fault": told}


def _judged(target: Target, case: Any) -> dict[str, Any]:
    target.watch.begin()
    try:
        verdicts = target.judge(case)
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException:  # noqa: BLE001
        return {"verdicts": {}, "fault": traceback.format_exc()[-TRACE_CHARS:]}
    spent = target.watch.spent_s
    if spent > target.cpu_s_max:
        return {"verdicts": {}, "fault": f"it took {spent:.2f} s of CPU; {target.cpu_s_max} s are the most"}
    return {"verdicts": dict(verdicts), "cpu_s": round(spent, 4)}


def _resident_bytes(target: Target) -> int:
    """Memory of the product: of this process, or of the one that the target names."""
    with open(f"/proc/{getattr(target, 'pid', 'self')}/statm", encoding="ascii") as file:  # noqa: PTH123
        return int(file.read().split()[1]) * resource.getpagesize()


def main() -> None:
    """Judge cases from `--first` on until so many records were judged."""
    parser = argparse.ArgumentParser()
    parser.add_argument("target")
    for name in ("--seed", "--first", "--records"):
        parser.add_argument(name, type=int, required=True)
    asked = parser.parse_args()
    out = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what the product prints is no answer
    logging.disable(logging.CRITICAL)
    target = target_named(asked.target)
    with target.opened():
        _judge_all(target, asked, out)


def _judge_all(target: Target, asked: argparse.Namespace, out: Any) -> None:
    with contextlib.suppress(Exception):  # the first case of a process loads what all others use
        target.judge(target.case(draw_of(asked.seed, asked.target, -1)))
    done, number = 0, asked.first
    seen: Counter[str] = Counter()
    while done < asked.records:
        case = target.case(draw_of(asked.seed, asked.target, number))
        print(json.dumps({"begun": number}), file=out, flush=True)
        found = judged(target, case)
        seen.update(found["verdicts"])
        told = {"number": number, "records": case.records, "resident": _resident_bytes(target), **found}
        print(json.dumps(told), file=out, flush=True)
        done += case.records
        number += 1


if __name__ == "__main__":
    main()
