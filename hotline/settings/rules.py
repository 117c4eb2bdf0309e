"""What the type of no single setting can say."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from hotline.settings.fixed import refuse_others
from hotline.settings.model import AGENTS, PORT_MAX, Settings, SettingsError
from hotline.zone_names import zone

if TYPE_CHECKING:
    from collections.abc import Mapping


def check(settings: Settings, origins: Mapping[str, str]) -> None:
    """Refuse what no single field's type can."""
    try:
        zone(settings.zone)
    except ValueError as error:
        raise SettingsError(f"zone ({origins['zone']}): {error}") from error
    refuse_others(settings)
    if settings.workers > settings.partitions:
        raise SettingsError(
            f"workers is {settings.workers} ({origins['workers']}), more than the {settings.partitions} partitions "
            f"({origins['partitions']}) they share: set fewer workers or more partitions"
        )
    if settings.worker >= settings.workers:
        raise SettingsError(
            f"worker is {settings.worker} ({origins['worker']}), but must be below workers: {settings.workers}"
        )
    if not settings.agents_named or set(settings.agents_named) - set(AGENTS):
        raise SettingsError(
            f"agents is {settings.agents!r} ({origins['agents']}), but must be some of {', '.join(AGENTS)}, with commas"
        )
    if "roll" in settings.agents_named and settings.process != "roll":
        raise SettingsError(
            f"agents is {settings.agents!r} ({origins['agents']}), but roll reads every partition: let it run alone"
        )
    _check_bootstrap(settings, origins)
    _check_url(settings, origins)
    for name, what in _OUTSIDE.items():
        _check_outside(settings, origins, name, what)


def _is_address(text: str) -> bool:
    """Whether it is host:port and nothing more."""
    host, _, port = text.rpartition(":")
    return bool(host) and port.isdigit() and "/" not in host and "@" not in host


def _check_bootstrap(settings: Settings, origins: Mapping[str, str]) -> None:
    for address in filter(None, settings.bootstrap.split(",")):
        if not _is_address(address.strip()):
            raise SettingsError(
                f"bootstrap is {settings.bootstrap!r} ({origins['bootstrap']}), "
                "but must be host:port, several with commas"
            )


_OUTSIDE = {"door": "passwords", "web": "tokens"}
"""Settings that open a part to the network, and the secrets that cross it there."""


def _check_outside(settings: Settings, origins: Mapping[str, str], name: str, secrets: str) -> None:
    address = getattr(settings, name)
    if not address:
        return
    if not _is_address(address) or not 0 < int(address.rpartition(":")[2]) <= PORT_MAX:
        raise SettingsError(f"{name} is {address!r} ({origins[name]}), but must be host:port, as 0.0.0.0:8443")
    for file in (f"{name}_certificate_file", f"{name}_key_file"):
        if not getattr(settings, file):
            raise SettingsError(
                f"{name} is {address} ({origins[name]}), but {file} is empty: {secrets} cross the network "
                "only with TLS, so name a PEM file"
            )


def _check_url(settings: Settings, origins: Mapping[str, str]) -> None:
    if not settings.clickhouse_url:
        return
    url = urlsplit(settings.clickhouse_url)
    if url.username or url.password or url.query:
        raise SettingsError(
            f"clickhouse_url ({origins['clickhouse_url']}) holds more than http(s)://host:port: a user goes into "
            "clickhouse_writer, a password into the file that clickhouse_writer_password_file names"
        )
    if url.scheme not in {"http", "https"} or not url.hostname:
        raise SettingsError(
            f"clickhouse_url is {settings.clickhouse_url!r} ({origins['clickhouse_url']}), but must be http(s)://host:port"
        )
