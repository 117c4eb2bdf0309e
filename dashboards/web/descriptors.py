"""Open files of this process: each page that is open holds one, and the system grants so many."""

from __future__ import annotations

import logging
import resource

LOG = logging.getLogger(__name__)
OTHERS_MAX = 200
"""What all else takes: the store, files that are sent, browsers that keep a connection for their next page."""


def room_for(viewers: int) -> int:
    """Have as many open files granted as so many viewers need; give how many there is room for."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = viewers + OTHERS_MAX
    if soft == resource.RLIM_INFINITY or soft >= needed:
        return viewers
    granted = needed if hard == resource.RLIM_INFINITY else min(needed, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (granted, hard))
    room = max(1, granted - OTHERS_MAX)
    if room < viewers:
        LOG.warning(
            "%d open files are granted (ulimit -Hn), which is room for %d open pages instead of %d: grant %d",
            granted,
            room,
            viewers,
            needed,
        )
    return min(viewers, room)
