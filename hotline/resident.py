"""How much memory a process has."""

import os
from pathlib import Path


def resident_bytes(pid: int) -> int:
    """Bytes of memory that a process has resident; 0 where the system does not tell (it is gone, or no Linux)."""
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, IndexError, ValueError):
        return 0
