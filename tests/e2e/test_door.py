"""A stack whose engine others on the network may reach: they with TLS, the stack itself without."""

from __future__ import annotations

from typing import TYPE_CHECKING

import clickhouse_connect
import pytest
from clickhouse_connect.driver.exceptions import Error

from deploy.ports import free_port
from hotline.settings import password
from tests.sinks.certificates import self_signed

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.e2e.stacks import Hotline


def test_others_come_in_by_tls_and_the_stack_goes_on_as_ever(
    new_hotline: Callable[..., Hotline], tmp_path: Path
) -> None:
    certificate, key = map(str, self_signed(tmp_path))
    port = free_port()
    hotline = new_hotline(
        HOTLINE_DOOR=f"0.0.0.0:{port}", HOTLINE_DOOR_CERTIFICATE_FILE=certificate, HOTLINE_DOOR_KEY_FILE=key
    )
    hotline.running()
    assert hotline.do("kpi", "calls_offered", "--period", "2023").code == 0

    def reads(interface: str, **trust: str) -> object:
        with clickhouse_connect.get_client(
            interface=interface,
            host="127.0.0.1",
            port=port,
            username="reader",
            password=password(hotline.settings, "reader"),
            ca_cert=trust.get("ca_cert"),
        ) as client:
            return client.query("SELECT count() FROM hotline.call_events").result_rows

    assert reads("https", ca_cert=certificate) == [(0,)]
    with pytest.raises(Error):
        reads("http")
    with pytest.raises(Error):  # nobody but its own file vouches for this certificate
        reads("https")


def test_an_engine_of_another_has_a_door_of_its_own(new_hotline: Callable[..., Hotline]) -> None:
    files = {"HOTLINE_DOOR_CERTIFICATE_FILE": "c.pem", "HOTLINE_DOOR_KEY_FILE": "k.pem"}
    done = new_hotline(HOTLINE_DOOR="10.0.0.1:8443", HOTLINE_CLICKHOUSE_URL="http://host:8123", **files).do("up")
    assert done.code == 2
    assert "leave out door, or clickhouse_url" in done.said


def test_files_that_cannot_be_read_stop_the_start_by_name(new_hotline: Callable[..., Hotline], tmp_path: Path) -> None:
    missing = tmp_path / "missing.pem"
    hotline = new_hotline(
        HOTLINE_DOOR="10.0.0.1:8443", HOTLINE_DOOR_CERTIFICATE_FILE=str(missing), HOTLINE_DOOR_KEY_FILE=str(missing)
    )
    done = hotline.do("up")
    assert done.code == 2
    assert f"door_certificate_file is {missing}, which is not there or cannot be read" in done.said
