"""The query log: who asked what and what it took, without what is nobody's business."""

from __future__ import annotations

import json
import stat
import subprocess
from typing import TYPE_CHECKING, Any

from sinks.engine import query_log
from sinks.engine.query_log import Entry, QueryLog, now, shown
from tests.sinks.engines import DEADLINE_S, start, wait_until

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from tests.sinks.engines import Running


def entries(engine: Running) -> list[dict[str, Any]]:
    file = engine.folder / "data" / "queries.jsonl"
    return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []


def entry_of(engine: Running, query_id: str) -> dict[str, Any]:
    """Find an entry; it is written when the answer has been sent, so it may take a moment."""
    wait_until(lambda: query_id in {entry["query_id"] for entry in entries(engine)})
    return next(entry for entry in entries(engine) if entry["query_id"] == query_id)


def test_a_statement_is_kept_with_its_user_time_and_rows(engine: Running) -> None:
    headers = {**engine.login("reader"), "User-Agent": "Grafana/12.4 grafana_user/7"}
    engine.ask(b"SELECT number FROM numbers(7)", headers=headers, query_id="kept")
    found = entry_of(engine, "kept")
    assert (found["user"], found["client"], found["agent"]) == ("reader", "127.0.0.1", "Grafana/12.4 grafana_user/7")
    assert (found["query"], found["code"]) == ("SELECT number FROM numbers(7)", 0)
    assert (found["read_rows"], found["result_rows"]) == (7, 7)
    assert found["ran_ms"] > 0


def test_refusals_and_failures_are_kept_with_their_code(engine: Running) -> None:
    engine.ask(b"SELECT file('/etc/hostname')", account="reader", query_id="refused")
    engine.ask(b"SELECT throwIf(1)", account="reader", query_id="failed")
    engine.ask(b"SELECT 1", headers={}, user="reader", password="nonsense", query_id="unknown")  # noqa: S106
    assert [entry_of(engine, name)["code"] for name in ("refused", "failed", "unknown")] == [497, 395, 516]
    assert "the function file" in entry_of(engine, "refused")["error"]


def test_passwords_values_and_data_are_not_kept(engine: Running) -> None:
    password = engine.password("reader")
    engine.ask(b"SELECT {v:String}", headers={}, user="reader", password=password, param_v="13912345678")
    engine.ask(b"CREATE TABLE held (s String) ENGINE = Memory")
    engine.ask(b"INSERT INTO held VALUES ('13987654321')", query_id="values")
    engine.ask(b"INSERT INTO held FORMAT TSV\n13987654321\n", query_id="data")
    assert entry_of(engine, "values")["query"] == "INSERT INTO held VALUES"
    assert entry_of(engine, "data")["written_rows"] == 1
    text = (engine.folder / "data" / "queries.jsonl").read_text() + (engine.folder / "stderr.txt").read_text()
    for secret in (password, "13912345678", "13987654321"):
        assert secret not in text


def test_only_its_owner_can_read_the_log(engine: Running) -> None:
    engine.ask(b"SELECT 1", query_id="own")
    assert entry_of(engine, "own")["code"] == 0
    assert stat.S_IMODE((engine.folder / "data" / "queries.jsonl").stat().st_mode) == 0o600


def test_the_log_goes_on_in_a_new_file_and_forgets_the_oldest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(query_log, "FILE_BYTES_MAX", 2000)
    log = QueryLog(tmp_path)
    for number in range(100):
        log.write(Entry(at=now(), user="reader", client="", agent="", query_id=str(number), query="SELECT 1"))
    files = sorted(path.name for path in tmp_path.iterdir())
    assert files == ["queries.jsonl", "queries.jsonl.1", "queries.jsonl.2", "queries.jsonl.3"]
    assert all(
        path.stat().st_size <= 2000 and stat.S_IMODE(path.stat().st_mode) == 0o600 for path in tmp_path.iterdir()
    )
    assert json.loads((tmp_path / "queries.jsonl").read_text().splitlines()[-1])["query_id"] == "99"


def test_long_statements_are_cut() -> None:
    assert len(shown(b"x" * 100_000, None)) < 5000
    assert shown(b"INSERT INTO t VALUES (1)", 20) == "INSERT INTO t VALUES"


def test_a_line_that_is_no_request_is_not_printed(engine: Running) -> None:
    import socket

    with socket.create_connection(("127.0.0.1", engine.address["port"])) as line:
        line.sendall(b"GET /?password=topsecret\x00 HTTP/9.9\r\n\r\n")
        assert b"400" in line.recv(1 << 16)
    assert "topsecret" not in (engine.folder / "stderr.txt").read_text()


def test_the_log_never_stops_the_start(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "queries.jsonl").mkdir()
    process = start(tmp_path, stderr=subprocess.PIPE)
    try:
        assert process.stdout is not None
        assert json.loads(process.stdout.readline())["port"] > 0
    finally:
        process.kill()
        process.communicate(timeout=DEADLINE_S)
