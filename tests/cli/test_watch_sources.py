"""The trend is what the stored sums say, and health is what a real stack does."""

from __future__ import annotations

import json
import os
import signal
import statistics
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from cli.watch.contents import SCREENS
from cli.watch.pipeline import Pipeline
from cli.watch.polling import Polled
from cli.watch.trend import SETTLED_S, read_trend
from deploy.stack.errors import StackError
from hotline.catalogue import ALL, KPIS, Grain
from hotline.names import KEPT_TOPICS, MEASURED_TOPICS
from hotline.periods import Period
from hotline.queries import Question, Scope, answer
from tests.deploy.stacks import wait_until
from tests.e2e.stacks import Hotline
from tests.hotline.stored_rows import Stored, stored

if TYPE_CHECKING:
    from collections.abc import Iterator

NAMES = tuple(dict.fromkeys(name for contents in SCREENS.values() for name in contents.kpis))


class TestTrend:
    @pytest.fixture(scope="class")
    @staticmethod
    def rows(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stored]:
        with stored(tmp_path_factory.mktemp("trend"), "Asia/Shanghai") as found:
            yield found

    @pytest.fixture(scope="class")
    @staticmethod
    def lately(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stored]:
        """Rows of the last days: minutes of what is kept by the hour are forgotten."""
        birth = (datetime.now(UTC) - timedelta(days=3)).replace(hour=0, minute=0, second=0, microsecond=0)
        folder = tmp_path_factory.mktemp("lately")
        with stored(folder, "Asia/Shanghai", entities=1_000, first_birth=birth) as found:
            yield found

    @pytest.mark.parametrize("scope", [None, Scope("line", "")], ids=["city", "line"])
    def test_its_minutes_together_are_the_hour_as_any_other_question_gives_it(
        self, rows: Stored, scope: Scope | None
    ) -> None:
        offered = [int(at.timestamp()) for row in rows.rows["calls"] if (at := getattr(row, "offered_at", None))]
        middle = statistics.median_low(offered)
        as_of_s = middle - middle % 60 + 1800 + 3
        trend = read_trend(NAMES, as_of_s, rows.zone, scope, rows.reader.ask)
        assert (trend.end_s % 60, as_of_s - trend.end_s) == (0, 63), f"a minute that ended {SETTLED_S} s ago settled"
        kind = scope.kind if scope else ALL
        kpis = tuple(kpi for name in trend.minutes if (kpi := KPIS[name]).grain(kind) is Grain.MINUTE)
        period = Period.of(trend.end_s - 3600, trend.end_s, rows.zone)
        anything = 0
        for result in answer(Question(kpis=kpis, period=period, scope=scope), rows.reader.ask):
            pairs = trend.minutes[result.kpi]
            assert len(pairs) == 60
            assert sum(numerator or 0 for numerator, _ in pairs) == (result.numerator or 0)
            assert trend.values(KPIS[result.kpi], 1) == [result.value]
            anything += result.numerator or 0
        assert anything

    @pytest.mark.parametrize("kind", ["department", "district"])
    def test_of_what_is_kept_by_the_hour_it_is_that_of_the_recent_minutes(self, lately: Stored, kind: str) -> None:
        rows = lately
        instants = [getattr(row, "handled_at", None) for row in rows.rows["tickets"] if getattr(row, kind) == "a"]
        handled = sorted(int(at.timestamp()) for at in instants if at)
        as_of_s = handled[len(handled) // 2] // 60 * 60 + 1800
        names = ("tickets_handled", "timely_handling_rate", "tickets_open")
        trend = read_trend(names, as_of_s, rows.zone, Scope(kind, "a"), rows.reader.ask)
        begin_s = trend.end_s - 3600
        wanted = [sum(begin_s + n * 60 <= at < begin_s + n * 60 + 60 for at in handled) for n in range(60)]
        assert [numerator or 0 for numerator, _ in trend.minutes["tickets_handled"]] == wanted
        assert sum(wanted)
        assert "timely_handling_rate" in trend.minutes

    def test_what_is_open_in_a_department_has_no_trend(self, rows: Stored) -> None:
        trend = read_trend(("tickets_open",), 1_700_000_000, rows.zone, Scope("department", "x"), rows.reader.ask)
        assert trend.minutes == {}
        assert trend.values(KPIS["tickets_open"], 10) == []


class TestHealth:
    @pytest.fixture(scope="class")
    @staticmethod
    def hotline(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hotline]:
        made = Hotline(tmp_path_factory.mktemp("health") / "d")
        try:
            made.running()
            yield made
        finally:
            made.clean()

    def test_it_tells_parts_lags_and_dead_letters(self, hotline: Hotline) -> None:
        now = datetime.now(UTC).isoformat(timespec="seconds")
        known: dict[str, Any] = {"source": "pbx", "entity": "call/1", "occurred_at": now, "born_at": now}
        events = [{**known, "type": "call.offered", "direction": "inbound"}, {**known, "type": "call.nonsense"}]
        sent = hotline.do("send", "-", "--wait", stdin="\n".join(map(json.dumps, events)).encode())
        assert sent.code == 0, sent.said

        def health() -> Any:
            done = hotline.do("watch", "--screen", "health", "--once", "--json")
            assert done.code == 0, done.said
            return done.json["health"]

        # A board that is printed once does not wait for ever for a second look at the sink, which a rate takes.
        wait_until(lambda: health()["sink"]["events_a_s"] is not None, "a rate is told")
        told = health()
        assert told["state"] == "running"
        assert [(part["status"]["name"], part["status"]["answers"], part["restarts"]) for part in told["parts"]] == [
            (name, True, 0) for name in ("engine", "broker", "sink", "worker-0", "roll")
        ]
        assert all(part["up_s"] > 0 for part in told["parts"])
        assert told["dead"] == [{"reason": "unknown_type", "recent": 1, "total": 1}]
        sink = told["sink"]
        assert (sink["ready"], sink["troubles"]) == (True, {})
        assert {lag["topic"] for lag in sink["lags"]} == {*MEASURED_TOPICS.values(), *KEPT_TOPICS}
        assert sum(lag["position"] for lag in sink["lags"]) >= 1
        assert all(lag["records"] == 0 for lag in sink["lags"])
        assert sink["newest_age_s"] >= 0

    def test_the_screen_shows_the_same(self, hotline: Hotline) -> None:
        done = hotline.do("watch", "--screen", "health", "--once", "--lang", "zh")
        assert done.code == 0, done.said
        lines = done.out.splitlines()
        assert all(
            any(line.startswith(name) for line in lines) for name in ("engine", "broker", "sink", "worker-0", "roll")
        )
        assert any("✓ 运行中" in line for line in lines)

    def test_a_part_that_was_started_again_is_counted(self, hotline: Hotline) -> None:
        pipeline, settings = Pipeline(), hotline.settings
        before = pipeline.look(settings, settings, None)
        (worker,) = [part for part in before.parts if part.status.name == "worker-0"]
        assert worker.status.pid is not None
        os.kill(worker.status.pid, signal.SIGKILL)

        def restarts() -> int:
            found = pipeline.look(settings, settings, None)
            return next(part.restarts for part in found.parts if part.status.name == "worker-0")

        wait_until(lambda: restarts() == 1, "the restart is seen")
        hotline.wait_ready()
        assert restarts() == 1
        assert pipeline.look(settings, settings, None).dead is None

    def test_something_else_at_the_sinks_port_is_no_sink(self, hotline: Hotline) -> None:
        import msgspec

        engine_port = int(hotline.settings.clickhouse_url.rpartition(":")[2])
        wrong = msgspec.structs.replace(hotline.settings, sink_health_port=engine_port)
        assert Pipeline().look(hotline.settings, wrong, None).sink is None


class TestPolled:
    def test_it_asks_only_while_it_is_wanted_and_keeps_the_last_answer(self) -> None:
        asked: list[int] = []

        def ask() -> int:
            asked.append(1)
            return len(asked)

        polled = Polled(ask, interval_s=0.001, retry_s=0.001, wanted=False)
        polled.start()
        try:
            assert polled.answer() is None
            polled.want(wanted=True)
            wait_until(lambda: (polled.answer() or 0) > 3, "it asks again and again")
        finally:
            polled.stop()
        assert polled.answer() == len(asked)

    def test_an_answer_that_cannot_be_had_is_asked_for_again_and_a_fault_is_raised(self) -> None:
        answers: list[Exception | int] = [StackError("away"), 7, ZeroDivisionError("a fault")]

        def ask() -> int:
            found = answers.pop(0)
            if isinstance(found, Exception):
                raise found
            return found

        polled = Polled(ask, interval_s=0.3, retry_s=0.001)
        polled.start()
        try:
            wait_until(lambda: polled._answer == 7, "the second answer is there")
            wait_until(lambda: polled._failure is not None, "the fault is there")
            with pytest.raises(ZeroDivisionError, match="a fault"):
                polled.answer()
        finally:
            polled.stop()
