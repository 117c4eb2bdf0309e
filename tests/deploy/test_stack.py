"""The supervisor keeps the stack up in the right order, whatever dies, and leaves nothing behind."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from deploy.brokers import EmbeddedBroker, open_admin
from deploy.stack.errors import StackError
from deploy.stack.joining import join_or_start
from deploy.stack.locks import lock
from deploy.stack.state import PartState, StackState, plain_settings, publish, read_state
from deploy.stack.status import look
from deploy.stack.supervisor import FAILURES_MAX_AT_FIRST
from hotline.names import EVENTS_TOPICS, INTAKE_TOPIC, KEPT_TOPICS, MEASURED_TOPICS
from hotline.settings import load
from tests.deploy.stacks import HOTLINE, Stack, wait_until
from tests.full_disks import full_after

PARTS = ["engine", "broker", "sink", "worker-0", "roll"]


@pytest.fixture
def stack(tmp_path: Path) -> Iterator[Stack]:
    """Give a stack that does not run yet."""
    made = Stack(tmp_path / "数据 d")
    yield made
    made.clean()


@pytest.fixture(scope="class")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Give a running stack with two workers, for tests that leave it running."""
    made = Stack(tmp_path_factory.mktemp("shared") / "d", HOTLINE_WORKERS="2")
    made.running()
    yield made
    made.clean()


class TestOrder:
    def test_tables_come_before_the_sink_and_the_sink_before_the_worker(self, stack: Stack) -> None:
        stack.running()
        migrated, numbered = stack.prepared()
        assert (migrated, numbered[:9]) == ("migrated", "numbered ")
        sink, *workers = stack.starts()
        assert (sink[0], sink[2], sink[3]) == ("sink", "2", "False")
        assert sorted((one[0], one[2], one[3]) for one in workers) == [("roll", "2", "True"), ("worker-0", "2", "True")]

    def test_the_topics_are_there_with_their_partitions(self, stack: Stack) -> None:
        stack.environ["HOTLINE_PARTITIONS"] = "3"
        stack.running()
        with open_admin(stack.part("broker")["address"]) as admin:
            found = {topic["name"]: len(topic["partitions"]) for topic in admin.describe_topics()}
        of_entities = [INTAKE_TOPIC, *EVENTS_TOPICS.values(), *MEASURED_TOPICS.values()]
        assert found == dict.fromkeys(of_entities, 3) | dict.fromkeys(KEPT_TOPICS, 1)

    @pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
    def test_a_signal_stops_the_parts_in_reverse_and_ends_with_0(self, stack: Stack, number: signal.Signals) -> None:
        up = stack.running()
        up.send_signal(number)
        _, told = up.communicate(timeout=60)
        assert up.returncode == 0
        stopped = [line.split(": ")[1] for line in told.splitlines() if line.endswith(": stopped")]
        assert stopped == PARTS[::-1]
        assert stack.processes() == []
        assert stack.state() == {}

    def test_a_signal_ends_a_stack_that_is_only_starting(self, stack: Stack) -> None:
        stack.data.mkdir()
        (stack.data / "deaf-sink").touch()
        up = stack.up()
        wait_until(stack.starts, "the sink was started")
        assert stack.state()["state"] == "starting"
        up.terminate()
        up.communicate(timeout=60)
        assert (up.returncode, stack.processes()) == (0, [])

    def test_the_next_start_has_the_same_addresses(self, stack: Stack) -> None:
        stack.running()
        before = [part["address"] for part in stack.state()["parts"]]
        stack.run("down")
        stack.running()
        assert [part["address"] for part in stack.state()["parts"]] == before


class TestDeaths:
    def test_a_dead_engine_alone_is_restarted_at_its_address(self, shared: Stack) -> None:
        before, address = shared.wait_ready(), shared.part("engine")["address"]
        migrations = shared.prepared().count("migrated")
        shared.kill("engine")
        after = shared.wait_ready()
        assert changed(before, after) == {"engine"}
        assert shared.part("engine")["address"] == address
        assert shared.prepared().count("migrated") == migrations + 1

    def test_a_dead_sink_alone_is_restarted(self, shared: Stack) -> None:
        before = shared.wait_ready()
        shared.kill("sink")
        assert changed(before, shared.wait_ready()) == {"sink"}

    def test_a_supervisor_that_cannot_write_how_parts_do_keeps_them_up_and_tells_it_when_there_is_room(
        self, shared: Stack
    ) -> None:
        before, supervisor, starts = shared.wait_ready(), shared.state()["pid"], shared.starts()
        told = len(json.dumps(shared.state()))
        with full_after(told // 2, supervisor):
            os.kill(before["worker-1"], signal.SIGKILL)
            wait_until(lambda: len(shared.starts()) > len(starts), "it is started again")
            assert shared.pids() == before, "what is told is whole, and old"
        wait_until(lambda: shared.pids() != before, "it is told")
        assert changed(before, shared.wait_ready()) == {"worker-1"}
        assert shared.state()["pid"] == supervisor

    def test_a_dead_worker_alone_is_restarted_as_the_same_worker(self, shared: Stack) -> None:
        before = shared.wait_ready()
        shared.kill("worker-1")
        assert changed(before, shared.wait_ready()) == {"worker-1"}
        assert shared.starts()[-1][0] == "worker-1"

    def test_a_dead_broker_takes_sink_and_workers_along_and_has_a_new_log_before_they_start(
        self, shared: Stack
    ) -> None:
        before, prepared, starts = shared.wait_ready(), shared.prepared(), shared.starts()
        shared.kill("broker")
        after = shared.wait_ready()
        assert changed(before, after) == {"broker", "sink", "worker-0", "worker-1", "roll"}
        numbers = [line for line in shared.prepared() if line.startswith("numbered")]
        assert len(set(numbers)) == len(numbers)
        assert len(shared.prepared()) == len(prepared) + 1
        sink, *workers = shared.starts()[len(starts) :]
        assert sink[0] == "sink"
        assert sorted(worker[0] for worker in workers) == ["roll", "worker-0", "worker-1"]
        assert {start[2] for start in (sink, *workers)} == {str(len(prepared) + 1)}
        assert {worker[3] for worker in workers} == {"True"}

    def test_a_hole_in_the_log_of_a_broker_that_forgets_makes_it_begin_a_new_log(self, shared: Stack) -> None:
        """Nothing else would help: whoever reads it ends there again and again."""
        before, prepared = shared.wait_ready(), shared.prepared()
        os.kill(before["worker-0"], signal.SIGUSR1)
        wait_until(lambda: not shared.ready(), "the end is noticed")
        after = shared.wait_ready()
        assert changed(before, after) == {"broker", "sink", "worker-0", "worker-1", "roll"}
        assert len(shared.prepared()) == len(prepared) + 1

    def test_whatever_dies_again_and_again_the_stack_comes_back_whole(self, shared: Stack) -> None:
        for name in ["worker-0", "broker", "engine", "broker", "sink", "engine"]:
            before = shared.wait_ready()
            shared.kill(name)
            assert name in changed(before, shared.wait_ready())
        assert look(load(shared.data, {})[0]).exit_code == 0

    def test_engine_and_broker_dying_together_come_back(self, shared: Stack) -> None:
        before = shared.wait_ready()
        for name in ("engine", "broker"):
            os.kill(before[name], signal.SIGKILL)
        wait_until(lambda: not shared.ready(), "the deaths are noticed")
        assert changed(before, shared.wait_ready()) == set(before)

    def test_a_part_that_does_not_come_back_is_never_given_up(self, shared: Stack) -> None:
        before = shared.wait_ready()
        starts = len(shared.starts())
        trouble = shared.data / "fail-worker-0"
        trouble.touch()
        shared.kill("worker-0")
        wait_until(lambda: len(shared.starts()) >= starts + 4, "four more starts")
        assert look(load(shared.data, {})[0]).exit_code == 1
        trouble.unlink()
        assert changed(before, shared.wait_ready()) == {"worker-0"}


def changed(before: dict[str, int], after: dict[str, int]) -> set[str]:
    return {name for name in before if before[name] != after[name]}


class TestSupervisorDeath:
    def test_its_death_leaves_no_process_and_no_state_that_is_believed(self, stack: Stack) -> None:
        up = stack.running()
        assert len(stack.processes()) == len(PARTS) + 1
        up.kill()
        up.wait()
        wait_until(lambda: not stack.processes(), "every part is gone")
        assert stack.state()["state"] == "running"
        assert read_state(load(stack.data, {})[0].folder) is None
        assert stack.run("status").returncode == 3
        stack.running()

    def test_its_death_in_the_middle_of_a_start_leaves_no_process(self, stack: Stack) -> None:
        stack.data.mkdir()
        (stack.data / "deaf-sink").touch()
        up = stack.up()
        wait_until(stack.starts, "the sink was started")
        up.kill()
        up.wait()
        wait_until(lambda: not stack.processes(), "every part is gone")


class TestOneAFolder:
    def test_a_second_one_says_that_one_runs_already(self, stack: Stack) -> None:
        up = stack.running()
        second = stack.run("up")
        assert second.returncode == 0
        assert f"a stack runs already on {stack.data} (process {up.pid})" in second.stderr
        assert stack.run("status").returncode == 0

    def test_of_two_at_once_one_starts_and_the_other_waits_for_it(self, stack: Stack) -> None:
        both = [stack.up(), stack.up()]
        wait_until(lambda: any(up.poll() is not None for up in both), "one of them says that the other runs")
        first, second = sorted(both, key=lambda up: up.poll() is not None)
        assert (first.poll(), second.returncode) == (None, 0)
        assert f"(process {first.pid})" in second.communicate()[1]
        assert stack.ready()
        assert len(stack.processes()) == len(PARTS) + 1

    def test_who_waits_for_one_that_dies_takes_over(self, stack: Stack) -> None:
        stack.data.mkdir()
        (stack.data / "deaf-sink").touch()
        first = stack.up()
        wait_until(stack.starts, "the sink was started")
        second = stack.up()
        assert second.stderr is not None
        assert "waiting for it" in second.stderr.readline()
        (stack.data / "deaf-sink").unlink()
        first.kill()
        wait_until(lambda: stack.state().get("pid") == second.pid and stack.ready(), "the second one runs it")

    def test_another_zone_and_another_number_of_partitions_are_refused_with_both(self, stack: Stack) -> None:
        stack.environ |= {"HOTLINE_ZONE": "Europe/Berlin", "HOTLINE_PARTITIONS": "3"}
        stack.running()
        assert stack.run("down").returncode == 0
        for other in ({"HOTLINE_ZONE": "Asia/Tokyo"}, {"HOTLINE_PARTITIONS": "5"}):
            ((name, value),) = other.items()
            refused = stack.run("up", **other)
            assert refused.returncode == 2
            assert value in refused.stderr
            assert f"set {name.removeprefix('HOTLINE_').lower()} to {stack.environ[name]}" in refused.stderr
        assert stack.processes() == []


class TestStartsThatCannotBe:
    def test_a_part_that_never_starts_ends_it_with_the_last_line_of_its_log(self, stack: Stack) -> None:
        stack.data.mkdir()
        (stack.data / "fail-sink").touch()
        done = stack.run("up")
        assert done.returncode == 2
        last = done.stderr.splitlines()[-1]
        assert last.startswith("hotline: the sink does not start: ended with code 70: the sink cannot")

    def test_settings_that_worked_before_are_tried_for_as_long_as_it_takes(self, stack: Stack) -> None:
        stack.running()
        assert stack.run("down").returncode == 0
        failing = stack.data / "fail-sink"
        failing.touch()
        starts = len(stack.starts())
        up = stack.up()
        wait_until(lambda: len(stack.starts()) > starts + FAILURES_MAX_AT_FIRST + 1, "it is tried again and again")
        assert up.poll() is None
        failing.unlink()
        wait_until(stack.ready, "every part is ready")
        stack.run("down")
        failing.touch()
        stack.environ["HOTLINE_WORKERS"] = "2"
        last = stack.run("up").stderr.splitlines()[-1]
        assert last.startswith("hotline: the sink does not start"), "other settings may be the reason"
        assert "sink.log" in last
        assert stack.processes() == []

    @pytest.mark.parametrize("name", ["ENGINE_PORT", "BROKER_PORT", "SINK_HEALTH_PORT"])
    def test_a_taken_port_is_named(self, stack: Stack, name: str) -> None:
        with socket.create_server(("127.0.0.1", 0)) as holder:
            port = holder.getsockname()[1]
            done = stack.run("up", **{f"HOTLINE_{name}": str(port)})
        assert done.returncode == 2
        assert f"port {port} is taken" in done.stderr

    def test_a_data_folder_that_is_a_file_is_refused(self, stack: Stack) -> None:
        stack.data.write_text("")
        done = stack.run("up")
        assert done.returncode == 2
        assert f"cannot use the data folder {stack.data}" in done.stderr

    def test_an_embedded_broker_at_anothers_address_is_refused(self, stack: Stack) -> None:
        done = stack.run("up", HOTLINE_BOOTSTRAP="127.0.0.1:9092")
        assert (done.returncode, "HOTLINE_BROKER=kafka" in done.stderr) == (2, True)


class TestServersOfOthers:
    def test_a_named_broker_is_used_and_neither_started_nor_stopped(self, stack: Stack, tmp_path: Path) -> None:
        with EmbeddedBroker(tmp_path / "theirs") as theirs:
            stack.environ |= {"HOTLINE_BROKER": "kafka", "HOTLINE_BOOTSTRAP": theirs.bootstrap}
            stack.running()
            assert (stack.part("broker")["pid"], stack.part("broker")["address"]) == (None, theirs.bootstrap)
            assert stack.prepared()[-1] == f"numbered {theirs.cluster_id}"
            assert stack.run("down").returncode == 0
            assert theirs.alive()


USER = """
import sys
from deploy.stack.joining import join_or_start
from hotline.settings import load
with join_or_start(load()[0], say=lambda text: print(text, file=sys.stderr), command=sys.argv[1:]) as use:
    print(use.settings.bootstrap, flush=True)
    sys.stdin.read()
"""


SUPERVISOR = """
import os, sys, time
from deploy.stack.locks import lock
from deploy.stack.state import PartState, StackState, plain_settings, publish
from hotline.settings import load
settings, _ = load()
folder = settings.folder
folder.make()

def tell(state):
    parts = [PartState(name="engine", state="ready", pid=None, address="")]
    told = dict(pid=os.getpid(), started_at="", temporary=True, parts=parts, raw_settings=plain_settings(settings))
    publish(folder, StackState(state=state, **told))

with lock(folder.stack_lock):
    tell("running")
    print("up", flush=True)
    sys.stdin.readline()
    while True:
        with lock(folder.users_lock) as unused:
            if unused:
                time.sleep(0.5)
                tell("stopping")
                break
    time.sleep(0.5)
"""
"""Takes its time between the question whether anybody uses it and saying that it stops."""


CHOOSES = """
import sys
from pathlib import Path
from deploy.stack.ports import choose_ports
print(choose_ports(Path(sys.argv[1]), {"web": 0})["web"], flush=True)
sys.stdin.read()
"""


def test_stacks_that_start_at_once_do_not_take_the_same_usual_port(tmp_path: Path) -> None:
    """Nobody listens yet, so all find it free."""
    command = [sys.executable, "-c", CHOOSES]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    chosen: list[int] = []
    with contextlib.ExitStack() as running:
        for number in range(3):
            child = subprocess.Popen([*command, str(tmp_path / str(number))], text=True, **pipes)  # type: ignore[call-overload]
            running.enter_context(child)
            chosen.append(int(child.stdout.readline()))
    assert len(set(chosen)) == len(chosen)


def test_what_a_dead_supervisor_told_is_not_believed_when_another_one_just_got_its_lock(tmp_path: Path) -> None:
    settings, _ = load(tmp_path, {})
    settings.folder.make()
    with subprocess.Popen([sys.executable, "-c", ""]) as dead:
        dead.wait()
    ready = [PartState(name="engine", state="ready", pid=None, address="")]
    told = StackState(
        pid=dead.pid,
        state="running",
        started_at="",
        temporary=False,
        parts=ready,
        raw_settings=plain_settings(settings),
    )
    with lock(settings.folder.stack_lock):
        publish(settings.folder, told)
        assert read_state(settings.folder) is None
        publish(settings.folder, msgspec.structs.replace(told, pid=os.getpid()))
        assert read_state(settings.folder) is not None


class TestUsers:
    def test_who_leaves_waits_for_the_end_also_when_the_supervisor_is_just_asking(self, stack: Stack) -> None:
        supervisor = subprocess.Popen(
            [sys.executable, "-c", SUPERVISOR],
            env=stack.environ,
            text=True,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        with supervisor:
            assert supervisor.stdin is not None
            assert supervisor.stdout is not None
            assert supervisor.stdout.readline() == "up\n"
            settings, _ = load(stack.data, {})
            with join_or_start(settings, say=lambda _: None, command=HOTLINE):
                supervisor.stdin.write("leaving\n")
                supervisor.stdin.flush()
            assert supervisor.poll() is not None

    @pytest.fixture
    def users(self) -> Iterator[list[subprocess.Popen[str]]]:
        """Give a list of commands that use a stack; they end with their stdin."""
        made: list[subprocess.Popen[str]] = []
        yield made
        for user in made:
            user.kill()
            user.communicate()

    def user(self, stack: Stack, users: list[subprocess.Popen[str]]) -> subprocess.Popen[str]:
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        users.append(
            subprocess.Popen([sys.executable, "-c", USER, *HOTLINE], env=stack.environ, text=True, **pipes)  # type: ignore[call-overload]
        )
        return users[-1]

    def test_without_a_stack_one_lasts_as_long_as_the_command(
        self, stack: Stack, users: list[subprocess.Popen[str]]
    ) -> None:
        user = self.user(stack, users)
        assert user.stdout is not None
        bootstrap = user.stdout.readline().strip()
        wait_until(stack.ready, "the supervisor says that all are ready")
        assert stack.part("broker")["address"] == bootstrap
        _, told = user.communicate("", timeout=60)
        assert user.returncode == 0
        assert told.splitlines()[0] == f"starting a stack on {stack.data} for as long as this command runs"
        assert (stack.processes(), stack.state()) == ([], {})

    def test_a_running_stack_is_joined_and_stays(self, stack: Stack, users: list[subprocess.Popen[str]]) -> None:
        up = stack.running()
        user = self.user(stack, users)
        _, told = user.communicate("", timeout=60)
        assert told == f"using the stack on {stack.data} (process {up.pid})\n"
        assert stack.ready()

    def test_two_at_once_share_one_which_ends_with_the_last(
        self, stack: Stack, users: list[subprocess.Popen[str]]
    ) -> None:
        first, second = self.user(stack, users), self.user(stack, users)
        assert first.stdout is not None
        assert second.stdout is not None
        assert first.stdout.readline() == second.stdout.readline()
        first.communicate("", timeout=60)
        wait_until(stack.ready, "it stays")
        second.communicate("", timeout=60)
        assert stack.processes() == []

    def test_a_command_that_is_killed_takes_its_stack_along(
        self, stack: Stack, users: list[subprocess.Popen[str]]
    ) -> None:
        user = self.user(stack, users)
        assert user.stdout is not None
        assert user.stdout.readline()
        user.kill()
        wait_until(lambda: not stack.processes(), "every part is gone")

    def test_a_stack_for_good_waits_for_the_end_of_a_commands_stack(
        self, stack: Stack, users: list[subprocess.Popen[str]]
    ) -> None:
        user = self.user(stack, users)
        assert user.stdout is not None
        user.stdout.readline()
        up = stack.up()
        assert up.stderr is not None
        assert "waiting for its end" in up.stderr.readline()
        user.communicate("", timeout=60)
        wait_until(lambda: stack.state().get("pid") == up.pid and stack.ready(), "the stack for good runs")

    def test_after_the_supervisors_death_a_command_can_have_another(self, stack: Stack) -> None:
        up = stack.running()
        settings, _ = load(stack.data, {})
        with join_or_start(settings, say=lambda _: None, command=HOTLINE) as use:
            assert use.alive()
            up.kill()
            up.wait()
            wait_until(lambda: not use.alive(), "its death is seen")
            assert use.rejoin().bootstrap == stack.part("broker")["address"]
            assert use.alive()
        assert stack.processes() == []

    def test_a_command_need_not_wait_for_parts_it_does_not_use(self, stack: Stack) -> None:
        stack.data.mkdir()
        (stack.data / "deaf-sink").touch()
        settings, _ = load(stack.data, {})
        with join_or_start(settings, say=lambda _: None, until=["engine"], command=HOTLINE) as use:
            assert use.settings.clickhouse_url == stack.part("engine")["address"]
            assert stack.state()["state"] == "starting"
        assert stack.processes() == []

    def test_a_stack_that_cannot_start_is_an_error_with_its_reason(self, stack: Stack) -> None:
        stack.data.mkdir()
        (stack.data / "fail-sink").touch()
        settings, _ = load(stack.data, {})
        with (
            pytest.raises(StackError, match=r"did not start: .*the sink cannot: told so by a test"),
            join_or_start(settings, say=lambda _: None, command=HOTLINE),
        ):
            raise AssertionError("there is nothing to use")
        assert stack.processes() == []

    def test_servers_of_others_are_used_and_nothing_is_started(self, stack: Stack) -> None:
        named = {"HOTLINE_BROKER": "kafka", "HOTLINE_BOOTSTRAP": "k:9092", "HOTLINE_CLICKHOUSE_URL": "http://c:8123"}
        settings, _ = load(stack.data, named)
        told: list[str] = []
        with join_or_start(settings, say=told.append) as use:
            assert use.settings == settings
        assert told == ["using the broker k:9092 and ClickHouse at http://c:8123"]
        assert not stack.data.exists()
