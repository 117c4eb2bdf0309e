"""Loading, dead letters and reconcile as commands, on a whole stack of their own."""

from __future__ import annotations

import base64
import gzip
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from cli.dead_letters import printable
from hotline.catalogue import measures
from hotline.data_folder import DataFolder
from hotline.subjects import CALLS

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
JANUARY = ROOT.parent / "shared" / "data" / "bank1999" / "january.txt.gz"
TIMEOUT_S = 120
EVENTS, LINES, PHANTOMS = 106_464, 31_599, 240
"""January's, by a reading of its lines that tests/producers/test_bank1999.py holds together with the adapter."""
HEADER_AND_CALLS = 200
"""First lines of January that small files are made of."""


class Done:
    """A command that ended."""

    def __init__(self, process: subprocess.CompletedProcess[bytes]) -> None:
        self.code = process.returncode
        self.out = process.stdout.decode()
        self.said = process.stderr.decode()
        self.bytes = process.stdout

    @property
    def json(self) -> Any:
        return json.loads(self.out)


def hotline(*arguments: str, data: Path, stdin: bytes = b"") -> Done:
    command = [sys.executable, "-m", "cli", *arguments, "--data", str(data)]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("HOTLINE_")}
    return Done(
        subprocess.run(
            command, cwd=ROOT, input=stdin, capture_output=True, timeout=TIMEOUT_S, check=False, env=environment
        )
    )


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Give the data folder of a running stack; everything is ended at the end."""
    data = tmp_path_factory.mktemp("stack")
    log = (data / "up.log").open("wb")
    up = subprocess.Popen(
        [sys.executable, "-m", "cli", "up", "--data", str(data)], cwd=ROOT, stdout=log, stderr=log, env=os.environ
    )
    try:
        ready = hotline("status", "--wait", "90", data=data)
        assert ready.code == 0, (data / "up.log").read_text()
        yield data
    finally:
        up.send_signal(signal.SIGTERM)
        try:
            up.wait(60)
        except subprocess.TimeoutExpired:
            up.kill()  # its parts die with it
            up.wait()
        log.close()


@pytest.fixture(scope="module")
def lines() -> list[bytes]:
    with gzip.open(JANUARY) as file:
        return file.read().splitlines(keepends=True)


@pytest.fixture(scope="module")
def january(stack: Path) -> Any:
    """Load January for the first time, and give its account."""
    done = hotline("load", "bank1999", str(JANUARY), "--json", data=stack)
    assert done.code == 0, done.said
    return done.json


def test_a_month_is_accounted_for_exactly(january: Any) -> None:
    seconds = january.pop("seconds")
    assert seconds > 0
    all_counted = {"read": EVENTS, "counted": EVENTS, "seen": 0, "revised": 0, "dead": 0}
    nothing = dict.fromkeys(all_counted, 0)
    assert january == {
        **all_counted,
        "complete": True,
        "topics": {"hotline.calls": all_counted, "hotline.tickets": nothing},
        "lines": {"read": LINES, "broken": 0, "skipped": {"phantom": PHANTOMS}},
        "reasons": {},
    }


def test_the_same_month_again_is_seen_whole(stack: Path, january: Any) -> None:
    del january
    done = hotline("load", "bank1999", str(JANUARY), "--json", data=stack)
    assert (done.code, done.json["read"], done.json["seen"], done.json["counted"]) == (0, EVENTS, EVENTS, 0)
    assert done.out.count("\n") == len(json.dumps(done.json, indent=2).splitlines()), "only the account is on stdout"


def test_two_loads_at_once_count_everything_once(stack: Path, january: Any, lines: list[bytes], tmp_path: Path) -> None:
    del january
    moved = [line.replace(b"\t9901", b"\t9705") for line in lines[:6_000]]
    file = tmp_path / "other.txt"
    file.write_bytes(b"".join(moved))
    command = [sys.executable, "-m", "cli", "load", "bank1999", str(file), "--json", "--data", str(stack)]
    both = [subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) for _ in range(2)]
    accounts = [json.loads(process.communicate(timeout=TIMEOUT_S)[0]) for process in both]
    read = accounts[0]["read"]
    assert read > 10_000
    assert [account["read"] for account in accounts] == [read, read]
    assert sum(account["counted"] for account in accounts) == read
    assert sum(account["seen"] for account in accounts) == read
    assert all(account["complete"] for account in accounts)


def test_reconcile_says_equal_and_then_which_sum_has_one_unit_too_many(stack: Path, january: Any) -> None:
    del january
    done = hotline("reconcile", "--period", "1999-01", "--json", data=stack)
    assert (done.code, done.json["equal"], done.json["held"], done.json["notes"]) == (0, True, True, [])
    assert done.json["events"] > EVENTS * 0.99
    assert (done.json["from"], done.json["to"]) == ("1999-01-01T00:00:00+08:00", "1999-02-01T00:00:00+08:00")
    column = next(measure.column for measure in measures(CALLS) if measure.name == "offered")
    at = "toDateTime('1999-01-12 10:30:00', 'Asia/Shanghai')"
    columns = f"hotline.minute_sums_calls (scope_kind, scope, at, {column})"
    _write(stack, f"INSERT INTO {columns} SELECT 'line', 'PS', {at}, 1")
    try:
        done = hotline("reconcile", "--period", "1999-01-12", "--json", data=stack)
        assert (done.code, done.json["sums_differ"], done.json["rows_differ"]) == (1, 1, 0)
        (one,) = done.json["sums"]
        assert one["kpis"] == ["calls_offered"]
        assert (one["scope"], one["at"]) == ({"kind": "line", "value": "PS"}, "1999-01-12T10:30:00+08:00")
        assert one["stored"] - one["recomputed"] == 1
        told = hotline("reconcile", "--period", "1999-01-12", data=stack)
        assert told.code == 1
        assert "DIFFERENT" in told.out
        assert "line=PS" in told.out
    finally:
        _write(stack, f"INSERT INTO {columns} SELECT 'line', 'PS', {at}, -1")
    assert hotline("reconcile", "--period", "1999-01-12", data=stack).code == 0


def _write(data: Path, sql: str) -> None:
    from deploy.stack.state import read_state
    from hotline.settings import load
    from sinks.connecting import connect

    state = read_state(load(data, {})[0].folder)
    assert state is not None
    with connect(state.settings) as client:
        client.command(sql)


def test_reconcile_works_without_a_sink_and_says_so(stack: Path, january: Any) -> None:
    del january
    run = DataFolder(stack).run / "sink.json"
    away = run.with_name("sink.away")
    run.rename(away)
    try:
        done = hotline("reconcile", "--period", "1999-01-12", "--json", data=stack)
    finally:
        away.rename(run)
    assert (done.code, done.json["equal"], done.json["held"]) == (0, True, False)
    assert "the sink is down" in " ".join(done.json["notes"])


def test_a_period_that_is_none_is_refused(stack: Path) -> None:
    done = hotline("reconcile", "--period", "1999-13", data=stack)
    assert (done.code, done.out) == (2, "")
    assert "1999-13" in done.said


def test_dead_letters_are_listed_shown_and_exported(stack: Path, lines: list[bytes]) -> None:
    good = lines[:HEADER_AND_CALLS]
    broken = b"\x1b[31mAA0101\t\xff\xfe not text"
    done = hotline("load", "bank1999", "-", "--json", data=stack, stdin=b"".join([*good, broken]))
    account = done.json
    assert (done.code, account["dead"], account["reasons"]) == (0, 1, {"undecodable": 1})
    assert (account["lines"]["broken"], account["complete"]) == (1, True)
    listed = hotline("dead-letters", "list", "--json", data=stack).json
    assert [(one["reason"], one["origin"]) for one in listed] == [("undecodable", f"stdin:{len(good) + 1}")]
    plain = hotline("dead-letters", "list", data=stack)
    assert listed[0]["id"] in plain.out
    assert "\x1b" not in plain.out
    shown = hotline("dead-letters", "show", listed[0]["id"], data=stack)
    assert "\x1b" not in shown.out
    assert all(word in shown.out for word in ("undecodable", "UTF-8", r"\x1b[31mAA0101", r"\xff\xfe not text"))
    as_json = hotline("dead-letters", "show", listed[0]["id"], "--json", data=stack).json
    assert base64.b64decode(as_json["original_base64"]) == broken
    exported = hotline("dead-letters", "export", "-", data=stack)
    assert [base64.b64decode(json.loads(line)["original_base64"]) for line in exported.out.splitlines()] == [broken]


def test_dead_letters_of_a_reason(stack: Path, tmp_path: Path) -> None:
    assert hotline("dead-letters", "list", "--reason", "too_large", "--json", data=stack).json == []
    file = tmp_path / "out.jsonl"
    done = hotline("dead-letters", "export", str(file), "--reason", "too_large", data=stack)
    assert (done.code, done.out, file.read_text()) == (0, "", "")
    unknown = hotline("dead-letters", "list", "--reason", "too_larg", data=stack)
    assert (unknown.code, unknown.out) == (2, "")
    assert "too_large" in unknown.said
    for name in ("nothing", "hotline.calls/0/1/999999/0"):
        assert hotline("dead-letters", "show", name, data=stack).code == 2


def test_a_truncated_file_counts_what_was_readable_and_the_next_file_is_read(stack: Path, tmp_path: Path) -> None:
    cut, whole = tmp_path / "cut.gz", tmp_path / "whole.gz"
    cut.write_bytes(JANUARY.read_bytes()[:200_000])
    whole.write_bytes(JANUARY.read_bytes())
    done = hotline("load", "bank1999", str(cut), str(whole), "--json", data=stack)
    account = done.json
    assert (done.code, account["complete"]) == (1, False)
    assert account["read"] > EVENTS
    assert account["read"] == account["counted"] + account["seen"] + account["dead"]
    assert "cut.gz" in account["problem"]
    assert "cut.gz" in done.said


# -- without a stack ---------------------------------------------------------------------------------------------------


def test_a_dry_run_reads_and_starts_nothing(tmp_path: Path) -> None:
    done = hotline("load", "bank1999", str(JANUARY), "--dry-run", "--json", data=tmp_path / "none")
    assert (done.code, done.json["counted"], done.json["complete"]) == (0, EVENTS, True)
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (("bnk1999", str(JANUARY)), "bank1999"),
        (("bank1999", "/nowhere/at.all"), "/nowhere/at.all"),
        (("bank1999", str(ROOT)), "folder"),
        (("bank1999", str(JANUARY), "--zone", "Asia/Shanghi"), "Asia/Shanghai"),
        (("bank1999", "-", "-"), "twice"),
        (("boston311", str(JANUARY)), "not a file of boston311"),
        (("bank1999", os.devnull), "empty"),
    ],
)
def test_what_cannot_be_read_is_one_sentence_and_starts_nothing(
    arguments: tuple[str, ...], named: str, tmp_path: Path
) -> None:
    done = hotline("load", *arguments, data=tmp_path)
    assert (done.code, done.out) == (2, "")
    assert named in done.said
    assert done.said.count("\n") == 1
    assert not DataFolder(tmp_path).stack_lock.exists()


def test_adapters_are_listed() -> None:
    command = [sys.executable, "-m", "cli", "adapters"]
    listed = json.loads(subprocess.run([*command, "--json"], cwd=ROOT, capture_output=True, check=True).stdout)
    assert [one["name"] for one in listed] == ["amazon-connect", "asterisk", "bank1999", "boston311", "open311"]
    assert all(one["title"] and one["title_zh"] and one["zone"] and one["scopes"] and one["columns"] for one in listed)
    told = subprocess.run([*command, "--lang", "zh"], cwd=ROOT, capture_output=True, check=True).stdout.decode()
    assert all(one["title_zh"] in told for one in listed)
    told = subprocess.run(command, cwd=ROOT, capture_output=True, check=True).stdout.decode()
    for one in listed:
        assert one["limits"], f"{one['name']} does not say what it cannot know"
        assert all(limit.endswith(".") and limit in told for limit in one["limits"])


@pytest.mark.parametrize(
    ("content", "shown"),
    [
        (b"plain \xe5\x9f\x8e", "plain 城"),
        (b"a\x1b[2J\x00\r\nb", r"a\x1b[2J\x00\r\nb"),
        (b"\xff", r"\xff"),
        ("\u202e\u2028".encode(), r"\u202e\u2028"),
    ],
)
def test_bytes_are_shown_without_anything_a_terminal_acts_upon(content: bytes, shown: str) -> None:
    assert printable(content) == shown
    assert printable(b"a\nb\x07", keep_lines=True) == "a\nb\\x07"
