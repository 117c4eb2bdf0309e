"""`hotline kpi` and `hotline explain` against a real engine with rows in it."""

from __future__ import annotations

import csv
import io
import json
import os
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unittest import mock

import polars as pl
import pytest

from cli.main import run
from hotline.blocks import complete
from hotline.catalogue import KPIS
from hotline.fold import fold, with_keys
from hotline.settings import environment
from hotline.subjects import CALLS, Subject
from tests.hotline.stored_rows import engine, migrated, store_events, store_rows

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hotline.settings import Settings

ROOT = Path(__file__).parents[2]
EIGHT = datetime(2023, 5, 1, 0, 0, tzinfo=UTC)
"""08:00 in Shanghai."""
FIELDS = ["kpi", "from", "to", "scope", "numerator", "denominator", "value", "unit"]


def _calls() -> pl.DataFrame:
    """Four calls a minute apart: waited 10 s, 30 s, 31 s, given up after 40 s; the last one in no district."""
    lives = [("answered", 10, "East"), ("answered", 30, "East"), ("answered", 31, "西"), ("abandoned", 40, None)]
    events = []
    for number, (outcome, wait_s, district) in enumerate(lives):
        born = EIGHT + timedelta(minutes=number)
        for kind, step_s in (("offered", 0), ("queued", 1), (outcome, wait_s + 1)):
            events.append(
                {
                    "type": f"call.{kind}",
                    "source": "test",
                    "entity": f"call/{number}",
                    "born_at": born,
                    "occurred_at": born + timedelta(seconds=step_s),
                    "district": district,
                    "direction": "inbound",
                }
            )
    schema = {name: CALLS.columns[name] for name in events[0]}
    return with_keys(CALLS, complete(CALLS, pl.DataFrame(events, schema=schema)))


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """Run an engine with four calls; a broker is named and not there, for these commands need none."""
    with engine(tmp_path_factory.mktemp("kpi"), "Asia/Shanghai") as found, migrated(found) as client:
        _store(client, CALLS)
        yield found


def _store(client: Any, subject: Subject) -> None:
    events = _calls()
    store_events(client, subject, events)
    store_rows(client, subject, fold(subject, events), "Asia/Shanghai")


@dataclass(frozen=True)
class Ran:
    """What a command printed and returned."""

    returncode: int
    stdout: str
    stderr: str


def variables(settings: Settings) -> dict[str, str]:
    """Give the environment that leads to the engine; whatever else is set here counts for nothing."""
    given = {**environment(settings), "HOTLINE_BROKER": "kafka", "HOTLINE_BOOTSTRAP": "127.0.0.1:9", "COLUMNS": "200"}
    rest = {name: value for name, value in os.environ.items() if not name.startswith("HOTLINE_")}
    return {**rest, **{name: value for name, value in given.items() if value}}


def hotline(settings: Settings, *arguments: str) -> Ran:
    """Run a command in this process, which is what its own process does after the start of Python."""
    out, told = io.StringIO(), io.StringIO()
    with mock.patch.dict(os.environ, variables(settings), clear=True), redirect_stdout(out), redirect_stderr(told):
        code = run(arguments)
    return Ran(code, out.getvalue(), told.getvalue())


def printed(settings: Settings, *arguments: str) -> Any:
    ran = hotline(settings, *arguments, "--json")
    assert ran.returncode == 0, ran.stderr
    return json.loads(ran.stdout)


def test_figures_come_as_json_in_the_order_of_their_names(settings: Settings) -> None:
    share, offered = printed(settings, "kpi", "answered_30s_share", "calls_offered", "--period", "2023-05-01")
    assert list(share) == FIELDS
    assert share == {
        "kpi": "answered_30s_share",
        "from": "2023-05-01T00:00:00+08:00",
        "to": "2023-05-02T00:00:00+08:00",
        "scope": None,
        "numerator": 2,
        "denominator": 3,
        "value": 2 / 3,
        "unit": "share",
    }
    assert (offered["numerator"], offered["denominator"], offered["value"], offered["unit"]) == (4, None, 4, "count")


def test_a_process_prints_data_to_stdout_and_nothing_else(settings: Settings) -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "cli", "kpi", "calls_offered", "--period", "2023-05-01", "--csv"],
        cwd=ROOT,
        env=variables(settings),
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert ran.stdout.splitlines() == [
        ",".join(FIELDS),
        "calls_offered,2023-05-01T00:00:00+08:00,2023-05-02T00:00:00+08:00,,4,,4,count",
    ]
    assert "ClickHouse at http://127.0.0.1" in ran.stderr


def test_every_kpi_of_the_catalogue_can_be_asked_for_at_once(settings: Settings) -> None:
    results = printed(settings, "kpi", *KPIS, "--period", "2023")
    assert [result["kpi"] for result in results] == list(KPIS)


def test_by_lists_every_bucket_and_no_value_is_null(settings: Settings) -> None:
    hours = printed(settings, "kpi", "calls_offered", "answer_rate", "--period", "2023-05-01", "--by", "hour")
    assert [r["numerator"] for r in hours[:24]] == [0] * 8 + [4] + [0] * 15
    assert [r["value"] for r in hours[24:]] == [None] * 8 + [0.75] + [None] * 15
    days = printed(settings, "kpi", "calls_offered", "--period", "2023-04-30..2023-05-03", "--by", "day")
    assert [(r["numerator"], r["value"]) for r in days] == [(None, None), (4, 4), (None, None)]


def test_a_split_has_no_total_and_a_name_that_is_missing_is_empty(settings: Settings) -> None:
    parts = printed(settings, "kpi", "calls_offered", "--period", "2023-05", "--split", "district")
    assert [(r["scope"]["kind"], r["scope"]["value"], r["value"]) for r in parts] == [
        ("district", "", 1),
        ("district", "East", 2),
        ("district", "西", 1),
    ]
    (one,) = printed(settings, "kpi", "calls_offered", "--period", "2023-05", "--scope", "district=西")
    assert one == parts[2]


def test_a_cut_off_gives_the_figure_as_of_then_under_a_name_of_its_own(settings: Settings) -> None:
    asked = ["kpi", "completion_rate", "--period", "2023-05", "--until", "2023-06-30"]
    (found,) = printed(settings, *asked)
    assert list(found) == FIELDS
    assert (found["kpi"], found["numerator"], found["denominator"]) == ("completion_rate_until", 0, 0)
    assert "累计办结率(截至)" in hotline(settings, *asked, "--lang", "zh").stdout


def test_csv_has_the_same_columns(settings: Settings) -> None:
    ran = hotline(settings, "kpi", "answer_rate", "--period", "2023-05", "--split", "district", "--csv")
    rows = list(csv.DictReader(io.StringIO(ran.stdout)))
    assert list(rows[0]) == FIELDS
    assert [(row["scope"], row["numerator"], row["value"]) for row in rows] == [
        ("district=", "0", "0.0"),
        ("district=East", "2", "1.0"),
        ("district=西", "1", "1.0"),
    ]


def test_people_get_percent_units_dashes_and_signs(settings: Settings) -> None:
    names = ["answered_30s_share", "average_wait_s", "wait_p50_s", "answer_rate", "tickets_created"]
    ran = hotline(settings, "kpi", *names, "--period", "2023-05-01", "--lang", "zh")
    share, wait, median, rate, created = ran.stdout.splitlines()[1:]
    assert "30秒人工接通率" in share and "66.67%" in share and "✗ ≥ 95.00%" in share  # noqa: PT018
    assert "23.67 秒" in wait
    assert "30 秒" in median
    assert "✗ ≥ 90.00%" in rate
    assert created.count("—") >= 2
    met = hotline(settings, "kpi", "answer_rate", "--period", "2023-05-01", "--scope", "district=East")
    assert "100.00%" in met.stdout
    assert "✓ ≥ 90.00%" in met.stdout


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_the_list_needs_no_stack(tmp_path: Path, settings: Settings, lang: str) -> None:
    nowhere = type(settings)(data=tmp_path / "none")
    listed = printed(nowhere, "kpi", "--list", "--lang", lang)
    assert [found["kpi"] for found in listed] == list(KPIS)
    assert listed[0]["name"] == (KPIS["calls_offered"].name_zh if lang == "zh" else "Calls offered")
    assert listed[0]["scopes"] == {"all": "minute", "line": "minute", "district": "minute", "operator_group": "hour"}
    text = hotline(nowhere, "kpi", "--list", "--lang", lang).stdout
    assert all(name in text for name in KPIS)
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ("kpi", "hotline kpi --list"),
        ("kpi calls_offered", "--period is missing"),
        ("kpi calls_ofered --period 2023", "nearest: calls_offered"),
        ("kpi calls_offered --period 2023-5", "2023-05"),
        ("kpi calls_offered --period 2023 --split departmnt", "nearest: department"),
        ("kpi calls_offered --period 2023 --split department", "kept by line, district, operator_group"),
        ("kpi calls_offered --period 2023 --scope East", "district=East"),
        ("kpi calls_offered --period 2023 --by decade", "'minute', 'hour', 'day'"),
        ("kpi tickets_created --period 2023-05-01 --by minute --split channel", "write --by hour"),
        ("kpi tickets_created --period last-90m --split line --scope line=a", "not both"),
        ("kpi calls_offered --period 2023 --json --csv", "choose one"),
        ("kpi calls_offered --period 2023 --until 2023-06-30", "--until goes with completion_rate"),
        ("kpi completion_rate_until --period 2023", "write --until with a day"),
        ("kpi completion_rate --period 2023 --until 2022", "before the period begins"),
        ("kpi completion_rate --period 2023 --until soon", "no period"),
        ("explain calls_offered --period 2023 --row 7", "SOURCE/ENTITY@BIRTH"),
        ("explain calls_offered --period 2023 --row test/nobody", "no call test/nobody"),
        ("explain calls_offered --period 2023 --page 0", "--page"),
    ],
)
def test_misuse_ends_with_2_and_a_sentence_that_helps(settings: Settings, arguments: str, says: str) -> None:
    ran = hotline(settings, *arguments.split())
    assert ran.returncode == 2
    assert says in ran.stderr
    assert "Traceback" not in ran.stderr
    assert ran.stdout == ""


def test_explain_shows_formula_and_rows_by_pages(settings: Settings) -> None:
    asked = ["explain", "answered_30s_share", "--period", "2023-05-01"]
    found = printed(settings, *asked, "--rows", "2")
    assert (found["numerator"], found["denominator"], found["rows_total"], found["pages"]) == (2, 3, 3, 2)
    assert found["formula"] == KPIS["answered_30s_share"].formula
    assert "wait_s <= 30" in found["sql"]["numerator"]
    assert [(row["entity"], row["numerator"], row["denominator"], row["wait_s"]) for row in found["rows"]] == [
        ("call/0", 1, 1, 10),
        ("call/1", 1, 1, 30),
    ]
    last = printed(settings, *asked, "--rows", "2", "--page", "2")["rows"]
    assert [(row["entity"], row["numerator"], row["at"]) for row in last] == [
        ("call/2", 0, "2023-05-01T08:02:32+08:00")
    ]
    text = hotline(settings, *asked, "--lang", "zh").stdout
    assert "等待不超过30秒的人工接听数" in text
    assert "call/2" in text


def test_explain_shows_the_events_of_a_row_and_what_it_adds(settings: Settings) -> None:
    found = printed(settings, "explain", "answered_30s_share", "--period", "2023-05-01", "--row", "test/call/2")
    assert [(row["entity"], row["numerator"], row["denominator"]) for row in found["rows"]] == [("call/2", 0, 1)]
    assert [event["type"] for event in found["events"]] == ["call.offered", "call.queued", "call.answered"]
    assert found["events"][2]["occurred_at"] == "2023-05-01T08:02:32+08:00"
    text = hotline(settings, "explain", "calls_offered", "--period", "2023-05-01", "--row", "test/call/2").stdout
    assert "call.answered" in text


def test_a_row_of_the_list_is_explained_by_the_name_it_has_there(settings: Settings) -> None:
    asked = ["explain", "answered_30s_share", "--period", "2023-05-01"]
    listed = printed(settings, *asked)["rows"][2]
    assert listed["row"] == "test/call/2@2023-05-01T08:02:00+08:00"
    assert listed["row"] in hotline(settings, *asked).stdout
    found = printed(settings, *asked, "--row", listed["row"])
    assert found["rows"] == [listed]
    assert [event["type"] for event in found["events"]] == ["call.offered", "call.queued", "call.answered"]
    other = hotline(settings, *asked, "--row", "test/call/2@2023-05-01T08:02:01+08:00")
    assert (other.returncode, "no call test/call/2@2023" in other.stderr) == (2, True)


def test_explain_says_when_sums_and_rows_differ(settings: Settings) -> None:
    from sinks.connecting import connect

    client = connect(settings)
    offered = KPIS["calls_offered"].measures[0].column
    columns = ["scope_kind", "scope", "at", offered]
    client.insert("hotline.minute_sums_calls", [["all", "", datetime(2023, 6, 1, tzinfo=UTC), 1]], column_names=columns)
    client.close()
    ran = hotline(settings, "explain", "calls_offered", "--period", "2023-06")
    assert ran.returncode == 1
    assert "the sums say 1 / None, the rows None / None" in ran.stderr
    assert "hotline reconcile --period 2023-06" in ran.stderr


def test_an_engine_that_is_away_is_a_sentence(settings: Settings, tmp_path: Path) -> None:
    import msgspec

    away = msgspec.structs.replace(settings, clickhouse_url="http://127.0.0.1:9")
    ran = hotline(away, "kpi", "calls_offered", "--period", "2023-05-01")
    assert ran.returncode == 2
    assert "ClickHouse at http://127.0.0.1:9 cannot be reached" in ran.stderr
    assert "hotline status" in ran.stderr


@pytest.mark.parametrize("command", ["kpi", "explain"])
def test_examples_of_the_help_run(settings: Settings, command: str) -> None:
    shown = hotline(settings, command, "--help").stdout
    examples = [line.strip() for line in shown.splitlines() if line.strip().startswith("hotline ")]
    assert examples
    for example in examples:
        if "--row" not in example:
            ran = hotline(settings, *example.split()[1:])
            assert ran.returncode == 0, (example, ran.stderr)
