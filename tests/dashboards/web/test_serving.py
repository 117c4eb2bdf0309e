"""`python -m dashboards.web` as the stack starts it: where it listens, whom it lets in, what it says when it cannot."""

from __future__ import annotations

import http.client
import json
import os
import resource
import selectors
import signal
import socket
import ssl
import subprocess
import sys
import time
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from deploy.ports import free_port
from hotline.data_folder import told_ready
from tests.dashboards.web.sites import got
from tests.sinks.certificates import self_signed

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tests.hotline.stored_rows import Stored

ROOT = Path(__file__).parents[3]
PATIENCE_S = 120.0
COMMAND = [sys.executable, "-P", "-m", "dashboards.web"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("run", "secrets"):
        (tmp_path / name).mkdir(mode=0o700)
    return tmp_path


def environment(folder: Path, **settings: str) -> dict[str, str]:
    told = {f"HOTLINE_{name.upper()}": value for name, value in settings.items()}
    return {**os.environ, "PYTHONPATH": str(ROOT), "HOTLINE_DATA": str(folder), **told}


def refused(folder: Path, **settings: str) -> str:
    """What it says instead of starting: one line, and the code 2."""
    done = subprocess.run(
        COMMAND,
        env=environment(folder, **settings),
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
    assert (done.returncode, done.stdout, len(done.stderr.splitlines())) == (2, "", 1), done.stderr
    return done.stderr


@contextmanager
def served(folder: Path, before: Sequence[str] = (), **settings: str) -> Iterator[Path]:
    """It runs until the block ends, and then ends by itself; gives the file with what it said."""
    said = folder / "said"
    with said.open("w") as out:
        process = subprocess.Popen(
            [*before, *COMMAND], env=environment(folder, **settings), cwd=folder, stdout=out, stderr=out
        )
    try:
        until = time.monotonic() + PATIENCE_S
        while not told_ready(folder / "run" / "web.ready", process.pid):
            assert process.poll() is None, said.read_text()
            assert time.monotonic() < until
            time.sleep(0.05)
        yield said
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE_S) == 0, said.read_text()
    finally:
        process.kill()
        process.wait()


FEW_FILES = ("bash", "-c", 'ulimit -Sn 256 && ulimit -Hn 300 && exec "$0" "$@"')


def test_without_more_only_this_machine_is_answered_and_as_many_pages_as_files_are_granted(folder: Path) -> None:
    """Its address is in its log; nothing listens elsewhere; there is no token."""
    port = free_port()
    with served(folder, FEW_FILES, web_port=str(port)) as said:
        assert got(port, "/health").status == http.client.OK
        assert got(port, "/health", Host="boards.example").status == http.client.MISDIRECTED_REQUEST
        with socket.create_server(("127.0.0.2", port)):  # taken by nobody, as it would be by a server of all addresses
            pass
        assert f"boards are served at 127.0.0.1:{port}" in said.read_text()
        assert "300 open files are granted (ulimit -Hn), which is room for 100 open pages" in said.read_text()
    assert not (folder / "secrets" / "web.password").exists()


PAGES = 1000
OPENED = ("/d/hotline-wall", "/d/hotline-wall-zh", "/d/hotline-wall?from=now-1h&to=now")
"""Every five seconds they are told an instant."""


@pytest.fixture
def files() -> Iterator[None]:
    """This process may have as many files open as it is granted at most."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    assert hard > 2 * PAGES, f"{hard} open files are granted (ulimit -Hn), and the pages of this test need more"
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.mark.usefixtures("files")
def test_a_thousand_pages_are_open_and_each_is_told_what_changes(city: Stored) -> None:
    """In several choices, at the clock of this machine; one more is refused, until one of them is closed."""
    port, settings = free_port(), city.settings
    settings.folder.run.mkdir(exist_ok=True)
    url, zone = settings.clickhouse_url, settings.zone
    with served(settings.data, web_port=str(port), clickhouse_url=url, zone=zone), ExitStack() as opened:
        lines = [opened.enter_context(stream(port, OPENED[place % len(OPENED)])) for place in range(PAGES)]
        for _ in ("what there is", "what changes"):
            hear_an_instant(lines)
        assert json.loads(got(port, "/health").body)["viewers"] == PAGES
        refused = got(port, "/d/hotline-wall")
        assert (refused.status, f"{PAGES} pages are open" in refused.text) == (http.client.SERVICE_UNAVAILABLE, True)
        lines[0].close()
        until = time.monotonic() + PATIENCE_S
        while got(port, "/d/hotline-wall").status != http.client.OK:
            assert time.monotonic() < until, "nobody is let in for one that has gone"


def stream(port: int, path: str) -> socket.socket:
    """A line to a server on which it tells what changes on a page."""
    path, _, query = path.partition("?")
    line = socket.create_connection(("127.0.0.1", port), PATIENCE_S)
    line.sendall(f"GET {path}/events?{query} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode())
    return line


def hear_an_instant(lines: Sequence[socket.socket]) -> None:
    """Read all lines until each was told an instant."""
    tails = dict.fromkeys(lines, b"")
    deaf = set(lines)
    with selectors.DefaultSelector() as waiting:
        for line in lines:
            waiting.register(line, selectors.EVENT_READ, line)
        while deaf:
            ready = waiting.select(PATIENCE_S)
            assert ready, f"{len(deaf)} of {len(lines)} are told nothing"
            for key, _ in ready:
                read = key.data.recv(1 << 16)
                assert read, "a line was cut"
                if b"event: tick\n" in tails[key.data] + read:
                    deaf.discard(key.data)
                tails[key.data] = read[-11:]


def test_beyond_this_machine_it_speaks_tls_only_and_lets_in_who_has_the_token(folder: Path) -> None:
    """The token is made at the first start, for its owner's eyes; TLS 1.1 and no TLS are no way in."""
    certificate, key = self_signed(folder)
    port = free_port()
    tls = {"web": f"0.0.0.0:{port}", "web_certificate_file": str(certificate), "web_key_file": str(key)}
    with served(folder, **tls):
        file = folder / "secrets" / "web.password"
        assert file.stat().st_mode & 0o077 == 0
        trusting = ssl.create_default_context(cafile=str(certificate))

        def status(**headers: str) -> int:
            line = http.client.HTTPSConnection("127.0.0.1", port, timeout=PATIENCE_S, context=trusting)
            line.request("GET", "/health", headers={"Host": "boards.example", **headers})
            reply = line.getresponse()
            reply.read()
            line.close()
            return reply.status

        assert status() == status(Authorization="Bearer wrong") == http.client.UNAUTHORIZED
        assert status(Authorization=f"Bearer {file.read_text().strip()}") == http.client.OK
        with pytest.raises((OSError, http.client.HTTPException)):
            got(port, "/health")
        old = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        old.check_hostname, old.verify_mode = False, ssl.CERT_NONE
        old.set_ciphers("ALL:@SECLEVEL=0")
        with pytest.warns(DeprecationWarning, match="TLSv1_1"):
            old.minimum_version, old.maximum_version = ssl.TLSVersion.TLSv1_1, ssl.TLSVersion.TLSv1_1
        with socket.create_connection(("127.0.0.1", port)) as plain, pytest.raises(ssl.SSLError):
            old.wrap_socket(plain)


def test_what_keeps_it_from_starting_is_said_with_the_remedy(folder: Path) -> None:
    """No TLS for others, a file that is no certificate, a port that is taken, a token that others can read."""
    nothing = folder / "nothing.pem"
    nothing.write_text("no certificate")
    outside = {"web": "0.0.0.0:8443"}
    assert "web_certificate_file is empty" in refused(folder, **outside)
    odd = refused(folder, **outside, web_certificate_file=str(nothing), web_key_file=str(nothing))
    assert f"web_certificate_file is {nothing}" in odd
    assert "name a certificate chain and its key" in odd
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        said = refused(folder, web_port=str(port))
    assert f"127.0.0.1:{port} of the setting web_port cannot be listened at" in said
    assert "stop what has it, or set another" in said
    token = folder / "secrets" / "web.password"
    token.write_text("x" * 40)
    token.chmod(0o644)
    certificate, key = map(str, self_signed(folder))
    assert "chmod 600" in refused(folder, **outside, web_certificate_file=certificate, web_key_file=key)
