"""The engine's life: start, accounts, address, stop."""

from __future__ import annotations

import base64
import http.client
import json
import signal
import stat
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import pytest
from clickhouse_connect.driver.exceptions import OperationalError

from sinks.engine.accounts import Account
from tests.sinks.engines import DEADLINE_S, Running, running, start

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

ONE_SECOND = "SELECT sleepEachRow(0.5) FROM numbers(2) SETTINGS max_block_size = 1"


def test_it_prints_one_line_of_json_that_equals_the_address_file(tmp_path: Path) -> None:
    with running(tmp_path) as engine:
        assert engine.process.stdout is not None
        printed = json.loads(engine.process.stdout.readline())
        assert printed == engine.address
        assert engine.address["pid"] == engine.process.pid
        ours = [c.laddr.ip for c in psutil.Process(engine.process.pid).net_connections() if c.status == "LISTEN"]
        assert ours == ["127.0.0.1"]


def test_passwords_are_made_once_and_are_the_owners_alone(tmp_path: Path) -> None:
    with running(tmp_path) as engine:
        made = [engine.password(account) for account in Account]
        modes = [stat.S_IMODE((tmp_path / "secrets" / f"{account}.password").stat().st_mode) for account in Account]
    with running(tmp_path) as engine:
        assert [engine.password(account) for account in Account] == made
        assert engine.ask(b"SELECT 1")[0] == 200
    assert made[0] != made[1]
    assert min(map(len, made)) >= 32
    assert modes == [0o600, 0o600]
    assert stat.S_IMODE((tmp_path / "secrets").stat().st_mode) == 0o700


def test_a_password_that_others_can_read_stops_the_start_with_the_remedy(tmp_path: Path) -> None:
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets" / "reader.password").write_text("known to all")
    (tmp_path / "secrets" / "reader.password").chmod(0o644)
    process = start(tmp_path, stderr=subprocess.PIPE)
    _, errors = process.communicate(timeout=DEADLINE_S)
    assert process.returncode == 2
    assert b"chmod 600" in errors


def test_a_folder_has_one_engine(engine: Running) -> None:
    second = start(engine.folder, stderr=subprocess.PIPE)
    _, errors = second.communicate(timeout=DEADLINE_S)
    assert second.returncode == 2
    assert b"another engine runs on" in errors


def test_an_unknown_zone_stops_the_start(tmp_path: Path) -> None:
    second = start(tmp_path, "--zone", "Asia/Atlantis", stderr=subprocess.PIPE)
    _, errors = second.communicate(timeout=DEADLINE_S)
    assert second.returncode == 2
    assert b"Asia/Atlantis" in errors


def test_a_port_in_use_stops_the_start(engine: Running, tmp_path: Path) -> None:
    second = start(tmp_path, "--port", str(engine.address["port"]), stderr=subprocess.PIPE)
    _, errors = second.communicate(timeout=DEADLINE_S)
    assert second.returncode == 2
    assert str(engine.address["port"]).encode() in errors


def test_clients_see_the_zone_of_the_hotline(reader: Client) -> None:
    assert str(reader.server_tz) == "Asia/Shanghai"
    assert reader.query("SELECT toString(toDateTime(0))").result_rows == [("1970-01-01 08:00:00",)]


@pytest.mark.parametrize(
    ("name", "password"), [("writer", "wrong"), ("default", ""), ("", ""), ("reader", ""), ("reader", "\udcff")]
)
def test_a_wrong_password_or_name_is_refused_as_clickhouse_refuses_it(
    engine: Running, name: str, password: str
) -> None:
    for headers in (
        {"X-ClickHouse-User": name, "X-ClickHouse-Key": password.encode(errors="surrogateescape").decode("latin-1")},
        {"Authorization": "Basic " + base64.b64encode(f"{name}:{password}".encode(errors="surrogateescape")).decode()},
    ):
        status, said, body = engine.ask(b"SELECT 1", headers=headers)
        assert (status, said["x-clickhouse-exception-code"]) == (403, "516")
        assert body.startswith(b"Code: 516. DB::Exception: ")
        assert b"(AUTHENTICATION_FAILED)" in body


def test_a_password_is_taken_from_headers_or_the_address_as_a_server_takes_it(engine: Running) -> None:
    password, wrong = engine.password("reader"), "wrong"
    assert engine.ask(b"SELECT 1", headers=engine.login("reader"))[2] == b"1\n"
    assert engine.ask(b"SELECT 1", headers={}, user="reader", password=password)[2] == b"1\n"
    assert engine.ask(b"SELECT 1", headers={}, user="reader", password=wrong)[0] == 403
    assert engine.ask(b"SELECT 1", headers=engine.login("reader"), user="writer", password=wrong)[0] == 200


@pytest.mark.parametrize("path", ["/", "/ping", "/replicas_status"])
def test_health_needs_no_password(engine: Running, path: str) -> None:
    connection = http.client.HTTPConnection(engine.address["host"], engine.address["port"], timeout=DEADLINE_S)
    connection.request("GET", path)
    reply = connection.getresponse()
    assert (reply.status, reply.read()) == (200, b"Ok.\n")
    connection.close()


def test_a_stop_lets_running_requests_finish(tmp_path: Path) -> None:
    with running(tmp_path) as engine, ThreadPoolExecutor(1) as pool:
        slow = pool.submit(engine.ask, ONE_SECOND.encode())
        engine.sleepers()
        engine.process.send_signal(signal.SIGTERM)
        assert slow.result(DEADLINE_S)[::2] == (200, b"0\n0\n")
        assert engine.process.wait(DEADLINE_S) == 0


def test_a_request_that_outlives_the_time_to_stop_does_not_hold_the_process(tmp_path: Path) -> None:
    with running(tmp_path, "--stop-seconds", "0.2") as engine, ThreadPoolExecutor(1) as pool:
        endless = pool.submit(engine.ask, b"SELECT sleepEachRow(1) FROM numbers(3000)", max_block_size="1")
        engine.sleepers()
        engine.process.send_signal(signal.SIGTERM)
        assert engine.process.wait(DEADLINE_S) == 0
        with pytest.raises((OSError, http.client.HTTPException)):
            endless.result(DEADLINE_S)


def test_a_dead_engine_is_a_clear_error_for_the_client(tmp_path: Path) -> None:
    with running(tmp_path) as engine, engine.client() as client:
        engine.process.kill()
        engine.process.wait()
        with pytest.raises(OperationalError):
            client.query("SELECT 1")
