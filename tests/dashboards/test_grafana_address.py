"""The address and the token: what is taken, and that no secret comes out again."""

from __future__ import annotations

from pathlib import Path

import pytest

from dashboards.grafana.address import read_address
from dashboards.grafana.errors import GrafanaError
from dashboards.grafana.token import read_token


@pytest.mark.parametrize(
    ("url", "read"),
    [
        ("http://localhost:3000", ("http", "localhost", 3000, "")),
        (" https://example.org/ ", ("https", "example.org", None, "")),
        ("https://example.org:8443/city/grafana/", ("https", "example.org", 8443, "city/grafana/")),
        ("http://[::1]:3000", ("http", "[::1]", 3000, "")),
    ],
)
def test_an_address_is_read_and_written_again(url: str, read: tuple[str, str, int | None, str]) -> None:
    address = read_address(url)
    assert tuple(address) == read
    assert str(address) == url.strip().rstrip("/")


@pytest.mark.parametrize(
    "url",
    [
        "",
        "localhost:3000",
        "ftp://example.org",
        "http://",
        "http://[::1",
        "http://example.org:999999",
        "http://admin:s3cret@example.org",
        "http://s3cret@example.org",
        "http://example.org/?token=s3cret",
        "http://example.org/#s3cret",
    ],
)
def test_an_address_that_cannot_be_used_is_told_without_its_secrets(url: str) -> None:
    with pytest.raises(GrafanaError, match="address of Grafana") as found:
        read_address(url)
    assert "s3cret" not in str(found.value)


def test_a_token_comes_from_a_file_before_the_environment(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text("glsa_of_file\n")
    file.chmod(0o600)
    assert read_token(file, {"GRAFANA_TOKEN": "glsa_of_environment"}) == "glsa_of_file"
    assert read_token(None, {"GRAFANA_TOKEN": " glsa_of_environment "}) == "glsa_of_environment"


@pytest.mark.parametrize(
    ("content", "mode", "told"),
    [
        (b"glsa_s3cret", 0o644, "chmod 600"),
        (b"", 0o600, "no token in"),
        (b"glsa_s3cret\nX-Other: header", 0o600, "is no token"),
        ("glsa_s3cret_é".encode(), 0o600, "is no token"),
        (b"glsa_s3cret\xff", 0o600, "is no text"),
        (None, 0o600, "No such file"),
    ],
)
def test_a_token_that_cannot_be_used_is_told_but_not_shown(
    tmp_path: Path, content: bytes | None, mode: int, told: str
) -> None:
    file = tmp_path / "token"
    if content is not None:
        file.write_bytes(content)
        file.chmod(mode)
    with pytest.raises(GrafanaError, match=told) as found:
        read_token(file)
    assert str(file) in str(found.value)
    assert "s3cret" not in str(found.value)


def test_without_a_token_it_is_said_where_one_is_made() -> None:
    with pytest.raises(GrafanaError, match=r"GRAFANA_TOKEN.*--token-file.*Service accounts"):
        read_token(None, {})
