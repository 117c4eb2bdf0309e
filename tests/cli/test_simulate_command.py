"""`hotline simulate` as far as no stack is needed: what is printed, and what cannot be."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest
import typer

from cli import simulate
from cli.simulation import span_s, speed_of

if TYPE_CHECKING:
    from collections.abc import Sequence

ROOT = Path(__file__).parents[2]
TIMEOUT_S = 100
SHANGHAI = "Asia/Shanghai"
NOW = datetime(2023, 5, 10, 3, 0, 30, tzinfo=UTC)


def start(*arguments: str, data: Path, **environ: str) -> subprocess.Popen[bytes]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("HOTLINE_")}
    return subprocess.Popen(
        [sys.executable, "-m", "cli", "simulate", *arguments, "--data", str(data)],
        cwd=ROOT,
        env={**clean, **environ},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def run(*arguments: str, data: Path, **environ: str) -> tuple[int, list[str], str]:
    with start(*arguments, data=data, **environ) as process:
        out, said = process.communicate(timeout=TIMEOUT_S)
    return process.returncode, out.decode().splitlines(), said.decode()


def events(lines: Sequence[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in lines]


def occurred(event: dict[str, Any]) -> datetime:
    return datetime.fromisoformat(event["occurred_at"])


A_MORNING = ("--from", "2023-05-10T09:00", "--until", "2023-05-10T10:00", "--scale", "0.1", "--dry-run")


def test_a_dry_run_prints_the_events_of_the_span_in_order_and_starts_nothing(tmp_path: Path) -> None:
    code, lines, said = run(*A_MORNING, "--speed", "max", data=tmp_path / "none")
    assert (code, said) == (0, "")
    times = [occurred(event) for event in events(lines)]
    assert times == sorted(times)
    assert len(times) > 1_000
    begin = datetime(2023, 5, 10, 9, tzinfo=ZoneInfo(SHANGHAI))
    assert begin <= times[0] < times[-1] < begin + timedelta(hours=1)
    assert not (tmp_path / "none").exists()


def test_the_same_seed_is_the_same_output_at_another_speed_and_another_seed_is_another(tmp_path: Path) -> None:
    one, paced, other = (
        run(*A_MORNING, *more, data=tmp_path)[1]
        for more in (("--speed", "0"), ("--speed", "3600"), ("--speed", "max", "--seed", "2"))
    )
    assert sorted(one) == sorted(paced)
    assert not set(one) & set(other)


def test_mishaps_repeat_and_reorder_the_same_events(tmp_path: Path) -> None:
    plain = run(*A_MORNING, "--speed", "max", data=tmp_path)[1]
    more = ("--duplicates", "0.1", "--late", "0.1", "--disorder", "0.1", "--late-by", "300")
    badly = run(*A_MORNING, "--speed", "max", *more, data=tmp_path)[1]
    assert set(badly) == set(plain)
    assert len(badly) > len(plain)
    times = [occurred(event) for event in events(badly)]
    assert times != sorted(times)


def test_days_are_those_of_the_hotlines_zone(tmp_path: Path) -> None:
    arguments = ("--from", "2023-03-12", "--days", "1", "--scale", "0.02", "--speed", "max", "--dry-run")
    code, lines, _ = run(*arguments, data=tmp_path, HOTLINE_ZONE="America/New_York")
    times = [event["occurred_at"] for event in events(lines)]
    assert code == 0
    assert {time[:10] for time in times} == {"2023-03-12"}
    assert {time[-6:] for time in times} == {"-05:00", "-04:00"}


def test_a_live_city_prints_what_has_happened_until_it_is_told_to_stop(tmp_path: Path) -> None:
    begun = datetime.now(UTC) - timedelta(seconds=1)
    with start("--scale", "5", "--days-before", "0", "--dry-run", data=tmp_path) as city:
        assert city.stdout is not None
        assert city.stderr is not None
        first = json.loads(city.stdout.readline())
        city.send_signal(signal.SIGINT)
        rest, said = city.stdout.read(), city.stderr.read()  # what was read ahead with the first line is among the rest
    assert city.returncode == 0
    assert b"stopping" in said
    times = [occurred(event) for event in [first, *events(rest.decode().splitlines())]]
    assert begun < min(times) <= max(times) <= datetime.now(UTC)


def test_a_reader_that_has_read_enough_ends_it(tmp_path: Path) -> None:
    with start("--from", "yesterday", "--speed", "max", "--dry-run", data=tmp_path) as city:
        assert city.stdout is not None
        assert city.stdout.readline()
        city.stdout.close()
        assert city.wait(TIMEOUT_S) == 0


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (("--speed", "fast"), "'fast' is no speed"),
        (("--speed", "-1"), "'-1' is no speed"),
        (("--speed", "60"), "state an end"),
        (("--from", "2098-01-01"), "in the future"),
        (("--from", "2098-01-01", "--days", "1", "--through", "intake"), "in the future"),
        (("--speed", "60", "--days", "1", "--through", "intake"), "send blocks"),
        (("--from", "2023-05-10", "--until", "2023-05-10"), "not after its start"),
        (("--until", "2098-01-01", "--days", "3"), "give one of them"),
        (("--from", "nonsense"), "nonsense"),
        (("--from", "2023-05-10T25:00"), "2023-05-10T25:00"),
        (("--late", "1.5"), "--late"),
    ],
)
def test_what_cannot_be_simulated_is_one_sentence_and_starts_nothing(
    arguments: tuple[str, ...], named: str, tmp_path: Path
) -> None:
    code, lines, said = run(*arguments, data=tmp_path)
    assert (code, lines, said.count("\n")) == (2, [], 1), said
    assert named in said
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("text", "speed"), [("max", 0), ("0", 0), ("1", 1), ("0.5", 0.5), ("600", 600)])
def test_speeds(text: str, speed: float) -> None:
    assert speed_of(text) == speed


@pytest.mark.parametrize(
    ("start_text", "until", "days", "expected"),
    [
        ("now", None, None, ("2023-05-10T11:00:30+08:00", None)),
        ("yesterday", "today", None, ("2023-05-09T00:00:00+08:00", "2023-05-10T00:00:00+08:00")),
        ("2023-05", None, 2, ("2023-05-01T00:00:00+08:00", "2023-05-03T00:00:00+08:00")),
        ("2023-05-10T08:00:05", "2023-05-10T09:00Z", None, ("2023-05-10T08:00:05+08:00", "2023-05-10T17:00:00+08:00")),
    ],
)
def test_spans(start_text: str, until: str | None, days: int | None, expected: tuple[str, str | None]) -> None:
    found = span_s(start_text, until, days, zone_name=SHANGHAI, now=NOW)
    assert found == tuple(text and datetime.fromisoformat(text).timestamp() for text in expected)


def test_a_day_of_a_changed_clock_is_a_whole_day() -> None:
    start_s, end_s = span_s("2023-03-12", None, 1, zone_name="America/New_York", now=NOW)
    assert end_s is not None
    assert end_s - start_s == 23 * 3600


def test_every_example_names_options_that_there_are() -> None:
    app = typer.Typer()
    simulate.register(app)
    command = typer.main.get_command(app)
    lines = [line for line in str(command.epilog).splitlines() if "hotline simulate" in line]
    options = {option for parameter in command.params for option in parameter.opts}
    assert len(lines) > 3
    for line in lines:
        ours = line.partition("|")[0]
        assert set(re.findall(r"(?<!\S)--[a-z-]+", ours)) <= options
