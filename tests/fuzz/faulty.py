"""A target that has every kind of fault, to see that each is found."""

from __future__ import annotations

import os
import random
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from tests.fuzz.targets import Case, Stopwatch, claim

KINDS = ("good", "good", "good", "dies", "hangs", "is slow", "raises", "breaks a claim", "ends", "panics", "waits")


class PanicError(BaseException):
    """What native code raises is no Exception."""


class Faulty:
    """Each case does what is drawn for it."""

    records_per_case = 1
    cpu_s_max, passed_s_max = 0.1, 0.4

    def __init__(self) -> None:
        self.watch = Stopwatch()

    @contextmanager
    def opened(self) -> Iterator[None]:
        """Nothing runs."""
        yield

    def case(self, draw: random.Random) -> Case:
        """Make a case of any kind."""
        kind = draw.choice(KINDS)
        return Case(1, kind.encode(), kind)

    def judge(self, case: Case) -> Counter[str]:
        """Do it."""
        if case.more == "dies":
            os.abort()
        if case.more == "ends":
            os._exit(3)
        with self.watch:
            _spend({"hangs": 1e9, "is slow": 0.3}.get(case.more, 0.0))
            time.sleep(0.5 if case.more == "waits" else 0.0)
        if case.more == "raises":
            raise ValueError("as drawn")
        if case.more == "panics":
            raise PanicError
        claim(case.more != "breaks a claim", "as drawn")
        return Counter({"good": 1})


def _spend(cpu_s: float) -> None:
    since = time.process_time()
    while time.process_time() - since < cpu_s:
        pass
