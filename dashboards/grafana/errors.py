"""What can go wrong with a Grafana; each message names the address, what it answered, and the remedy."""

from __future__ import annotations

HOW_TO_GET_A_TOKEN = "in Grafana: Administration, Service accounts, one with the role Editor, Add token"  # noqa: S105


class GrafanaError(Exception):
    """A Grafana cannot be used as asked."""


class AwayError(GrafanaError):
    """No answer, or that of a server or proxy that cannot answer now; a later try may succeed."""


class DeclinedError(GrafanaError):
    """Grafana said no (4xx). `said` are its own words, made safe to print."""

    def __init__(self, message: str, status: int, said: str) -> None:
        super().__init__(message)
        self.status = status
        self.said = said
