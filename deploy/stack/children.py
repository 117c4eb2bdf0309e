"""Programs of ours as children: their commands and their variables."""

import os
import sys
from collections.abc import Mapping
from pathlib import Path

import deploy
from hotline.settings import Settings, environment

_SOURCE = Path(deploy.__file__).resolve().parent.parent

_LEAN = {
    "ARROW_DEFAULT_MEMORY_POOL": "system",
    "MALLOC_ARENA_MAX": "2",
    "_RJEM_MALLOC_CONF": "dirty_decay_ms:500,muzzy_decay_ms:0",
    "OPENBLAS_NUM_THREADS": "1",
    "POLARS_MAX_THREADS": "1",
}
"""What Arrow and polars free goes back to the system soon, and threads share what the C library keeps: a third of a
gigabyte less at the peak of a load. Nobody multiplies matrices here, and numpy's threads for that turn for a while at
each start. A block is a small frame, of which polars' threads would hand pieces to one another: a tenth more CPU."""


def module(name: str) -> tuple[str, ...]:
    """Give the command that runs a module of ours; a folder of that name where the user stands is not taken for it."""
    return (sys.executable, "-P", "-m", name)


def child_environment(settings: Settings, environ: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Give a child's variables: every setting, and where our modules are when they are not installed."""
    if "site-packages" in _SOURCE.parts:
        return {**_LEAN, **environment(settings)}
    path = os.pathsep.join(filter(None, [str(_SOURCE), environ.get("PYTHONPATH", "")]))
    return {**_LEAN, **environment(settings), "PYTHONPATH": path}
