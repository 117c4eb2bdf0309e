"""A Grafana that is still starting."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from dashboards.grafana.answers import Health
from dashboards.grafana.errors import AwayError

if TYPE_CHECKING:
    from dashboards.grafana.connection import Connection

PAUSE_S = 0.5


def wait(connection: Connection, wait_s: float) -> None:
    """Wait until Grafana and its database answer. Raises what it answered last when the time is over."""
    end = time.monotonic() + wait_s
    while True:
        try:
            connection.ask(lambda grafana: grafana.api.GET("/health"), Health)
        except AwayError:
            if time.monotonic() >= end:
                raise
            time.sleep(min(PAUSE_S, max(0.0, end - time.monotonic())))
        else:
            return
