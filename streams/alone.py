"""Records alone in a process of their own, which may die of them.

That several workers died over a record proves nothing: somebody may have killed them. A process that has the record and
nothing else (no broker, no engine, nobody who kills it) and dies of it, each time, does.
"""

from __future__ import annotations

import contextlib
import resource
import signal
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

from hotline.lean import without_pandas

DEATHS_MAX = 2
"""After so many deaths in a row over a record it is first tried alone, at every start until it is through."""
TRIES = 2
"""So many processes of their own must die, one after another."""
ALONE_S_MAX = 300
"""A process that takes longer hangs, and counts as dead: the largest block takes seconds."""
_BEGUN = b"begun\n"


class Ending(NamedTuple):
    """How such a process ended."""

    how: str
    """Empty when it came to its end."""
    told: bytes
    """What it printed on the way."""


def alone(module: str, *arguments: str, given: bytes) -> Ending:
    """Run a module of ours that calls `expect_to_die` and reads `given` from its standard input; how it ended.

    Raises RuntimeError when it did not even begin: then no record is to blame.
    """
    command = [sys.executable, "-P", "-m", module, *arguments]
    try:
        done = subprocess.run(command, input=given, capture_output=True, timeout=ALONE_S_MAX, check=False)
        how, told = _how(done), done.stdout
    except subprocess.TimeoutExpired as error:
        how, told = f"it did not end within {ALONE_S_MAX} s", error.stdout or b""
    if not told.startswith(_BEGUN):
        raise RuntimeError(f"{module} did not start in a process of its own ({how}): a record could not be tried")
    return Ending(how, told.removeprefix(_BEGUN))


def expect_to_die() -> None:
    """Leave no core, be the first to go when memory is short, and end in time, parent or not; then say so."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with contextlib.suppress(OSError):  # no Linux
        Path("/proc/self/oom_score_adj").write_text("1000")
    signal.alarm(ALONE_S_MAX)
    without_pandas()
    sys.stdout.buffer.write(_BEGUN)
    sys.stdout.buffer.flush()


def _how(done: subprocess.CompletedProcess[bytes]) -> str:
    if done.returncode < 0:
        return f"signal {-done.returncode} ({signal.Signals(-done.returncode).name})"
    if not done.returncode:
        return ""
    lines = done.stderr.decode(errors="replace").strip().splitlines()
    return f"code {done.returncode}" + (f": {lines[-1][:200]}" if lines else "")
