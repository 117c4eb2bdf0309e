"""Where a Grafana is."""

from __future__ import annotations

from typing import NamedTuple
from urllib.parse import SplitResult, urlsplit

from dashboards.grafana.errors import GrafanaError


class Address(NamedTuple):
    """The parts that `grafana-api` takes; `prefix` is empty or ends in a slash."""

    protocol: str
    host: str
    port: int | None
    prefix: str

    def __str__(self) -> str:
        port = "" if self.port is None else f":{self.port}"
        return f"{self.protocol}://{self.host}{port}/{self.prefix}".rstrip("/")


def read_address(url: str) -> Address:
    """Read `http(s)://host[:port][/path]`. Raises GrafanaError, which never repeats what may be a secret."""
    try:
        parts = urlsplit(url.strip())
        port, host = parts.port, parts.hostname
    except ValueError as error:
        raise GrafanaError(f"the address of Grafana cannot be read: {error}; write http://host:3000") from error
    if parts.scheme not in {"http", "https"} or not host:
        raise GrafanaError("the address of Grafana must begin with http:// or https:// and name a host")
    _refuse_secrets(parts)
    path = parts.path.strip("/")
    return Address(parts.scheme, f"[{host}]" if ":" in host else host, port, f"{path}/" if path else "")


def _refuse_secrets(parts: SplitResult) -> None:
    if parts.username is not None or parts.password is not None:
        raise GrafanaError(
            "the address of Grafana holds a user or password, which histories and lists of processes keep: remove it, "
            "and give a token in the environment variable GRAFANA_TOKEN or in a file"
        )
    if parts.query or parts.fragment:
        raise GrafanaError("the address of Grafana ends where its path ends: remove everything from ? or # on")
