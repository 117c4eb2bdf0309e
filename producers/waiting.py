"""Sources that wait for what comes next, for as long as nobody stops them: a log that grows, a city that lives."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Protocol


class Waiting(Protocol):
    """What a sender needs to know of such a source."""

    stop: threading.Event
    """Set: the source ends after what there is."""
    idle: Callable[[], None]
    """Called now and then while it waits."""
