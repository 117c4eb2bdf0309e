"""A disk that fills up in the middle of a file: real errors of real writes, and the piece before them stays.

By a limit of the size of files (RLIMIT_FSIZE), which needs no disk of its own and no rights: what is written beyond it
fails with "File too large" as it would with "No space left on device".
"""

from __future__ import annotations

import resource
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def full_after(size: int, pid: int = 0) -> Iterator[None]:
    """Let no file of a process (0: this one) grow past `size` bytes."""
    before = resource.prlimit(pid, resource.RLIMIT_FSIZE)
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.prlimit(pid, resource.RLIMIT_FSIZE, before)
