"""Signals to processes that may be gone."""

from __future__ import annotations

import os
import signal


def signalled(pid: int, number: signal.Signals) -> bool:
    """Send a signal; whether there was somebody to get it. Nobody has the process id 0."""
    if not pid:
        return False
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return False
    return True
