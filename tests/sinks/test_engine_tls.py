"""Beyond loopback only with TLS."""

from __future__ import annotations

import http.client
import ssl
import subprocess
from typing import TYPE_CHECKING

import clickhouse_connect
import pytest

from sinks.engine.options import is_loopback
from tests.sinks.certificates import self_signed
from tests.sinks.engines import DEADLINE_S, running, start

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Make a certificate for 127.0.0.1 that signs itself."""
    return self_signed(tmp_path_factory.mktemp("tls"))


def refused(folder: Path, *options: str) -> str:
    process = start(folder, *options, stderr=subprocess.PIPE)
    _, errors = process.communicate(timeout=DEADLINE_S)
    assert process.returncode == 2
    return bytes(errors).decode()


def test_an_address_that_others_reach_needs_tls(tmp_path: Path) -> None:
    said = refused(tmp_path, "--host", "0.0.0.0")  # noqa: S104 it must not start
    assert "0.0.0.0" in said  # noqa: S104
    assert "--certificate FILE and --key FILE" in said
    assert "127.0.0.1" in said


def test_half_a_tls_is_none(tmp_path: Path, certificate: tuple[Path, Path]) -> None:
    assert "--key FILE" in refused(tmp_path, "--certificate", str(certificate[0]))


def test_a_certificate_that_is_none_stops_the_start(tmp_path: Path) -> None:
    (tmp_path / "x.pem").write_text("no certificate")
    file = str(tmp_path / "x.pem")
    assert "certificate" in refused(tmp_path, "--certificate", file, "--key", file).lower()


def test_clients_that_trust_the_certificate_are_answered(tmp_path: Path, certificate: tuple[Path, Path]) -> None:
    made, key = map(str, certificate)
    with running(tmp_path, "--host", "0.0.0.0", "--certificate", made, "--key", key) as engine:  # noqa: S104
        assert engine.address["secure"] is True
        told = {"host": "127.0.0.1", "port": engine.address["port"], "secure": True, "username": "reader"}
        with clickhouse_connect.get_client(**told, password=engine.password("reader"), ca_cert=made) as client:
            assert client.query("SELECT number FROM numbers(300000)").row_count == 300_000
        plain = http.client.HTTPConnection("127.0.0.1", engine.address["port"], timeout=DEADLINE_S)
        plain.request("GET", "/ping")
        with pytest.raises((OSError, http.client.HTTPException)):
            plain.getresponse()
        plain.close()
        context = ssl.create_default_context(cafile=made)
        trusted = http.client.HTTPSConnection("127.0.0.1", engine.address["port"], context=context)
        trusted.request("GET", "/ping")
        assert trusted.getresponse().read() == b"Ok.\n"
        trusted.close()


@pytest.mark.parametrize(
    ("host", "loopback"),
    [("127.0.0.1", True), ("127.8.8.8", True), ("::1", True), ("localhost", True), ("0.0.0.0", False), ("::", False)],  # noqa: S104
)
def test_loopback_is_what_only_this_machine_reaches(host: str, *, loopback: bool) -> None:
    assert is_loopback(host) is loopback
