"""How often roll publishes: everything each second, and in between what changed, four times a second at most."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable

PUBLISH_EVERY_S = 0.25
"""The shortest time between two records."""
EVERYTHING_EVERY_S = 1.0
_TIMER_S = 0.001
"""How exact timers are: one that ends a little early is no reason for a record just before everything is due."""


async def keep_pace(publish: Callable[[bool], Awaitable[None]], changed: asyncio.Event) -> None:
    """Publish for ever: `publish(True)` everything, `publish(False)` what changed, once `changed` is set.

    Time is that of the running loop. When publishing takes longer than a second, what was due meanwhile is made up for
    by one record and no more. Raises what `publish` raises.
    """
    loop = asyncio.get_running_loop()
    full_at = loop.time()
    while True:
        begun = loop.time()
        full = begun >= full_at - _TIMER_S
        if full:
            full_at = max(full_at + EVERYTHING_EVERY_S, begun)
        changed.clear()
        await publish(full)
        await asyncio.sleep(min(PUBLISH_EVERY_S, max(0.0, full_at - begun)))
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(full_at - loop.time()):
                await changed.wait()
