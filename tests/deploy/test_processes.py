"""A child process: started, watched, stopped, and never an orphan."""

import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from deploy import processes
from deploy.ports import FIRST_PORT, LAST_PORT, answers, free_port
from deploy.processes import Child

SLEEP = "import time; print('ready', flush=True); time.sleep(600)"
DEAF = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN);" + SLEEP
MakeChild = Callable[..., Child]


@pytest.fixture
def make_child(tmp_path: Path) -> Iterator[MakeChild]:
    """Children that are gone after the test, whatever happens in it."""
    made: list[Child] = []

    def make(code: str, **options: object) -> Child:
        made.append(Child([sys.executable, "-c", code], log=tmp_path / "logs" / "child.log", **options))  # type: ignore[arg-type]
        return made[-1]

    yield make
    for child in made:
        child.kill()


def until(condition: Callable[[], bool], what: str) -> None:
    for _ in range(1000):
        if condition():
            return
        time.sleep(0.01)
    pytest.fail(f"not within 10 s: {what}")


def gone(pid: int) -> bool:
    return not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


def test_a_child_runs_with_its_log_environment_and_folder(make_child: MakeChild, tmp_path: Path) -> None:
    code = "import os, sys; print(os.getcwd(), os.environ['WORD']); print('to stderr', file=sys.stderr); sys.exit(3)"
    child = make_child(code, env={"WORD": "值"}, cwd=tmp_path)
    assert (child.alive(), child.pid, child.exit_code, child.log_tail()) == (False, None, None, "")
    child.start()
    assert child.wait(10) == 3
    assert (child.alive(), child.pid, child.exit_code) == (False, None, 3)
    assert sorted(child.log_tail().splitlines()) == sorted([f"{tmp_path} 值", "to stderr"])


def test_stop_ends_a_child_in_order_and_twice_is_harmless(make_child: MakeChild) -> None:
    child = make_child(SLEEP)
    assert child.stop() is None
    child.start()
    until(lambda: "ready" in child.log_tail(), "the child speaks")
    assert child.stop() == child.stop() == -signal.SIGTERM


def test_stop_kills_a_child_that_ignores_it(make_child: MakeChild) -> None:
    child = make_child(DEAF)
    child.start()
    until(lambda: "ready" in child.log_tail(), "the child speaks")
    assert child.stop(grace_s=0.1) == -signal.SIGKILL


def test_kill_takes_the_processes_of_the_child_along(make_child: MakeChild) -> None:
    start_deaf = f"import subprocess, sys; deaf = subprocess.Popen([sys.executable, '-c', {DEAF!r}])"
    child = make_child(f"{start_deaf}; print(deaf.pid, flush=True); deaf.wait()")
    child.start()
    until(lambda: "ready" in child.log_tail(), "the grandchild speaks")
    grandchild = int(next(line for line in child.log_tail().splitlines() if line.isdigit()))
    child.kill()
    child.kill()
    assert child.exit_code == -signal.SIGKILL
    until(lambda: gone(grandchild), "the grandchild is gone")


def test_a_child_starts_again_but_never_twice(make_child: MakeChild) -> None:
    child = make_child(SLEEP)
    child.start()
    first = child.pid
    with pytest.raises(RuntimeError, match=f"process {first}: stop it first"):
        child.start()
    child.kill()
    child.start()
    assert child.alive()
    assert child.pid not in (None, first)
    assert child.exit_code is None


def test_the_tail_shows_the_latest_run_only(make_child: MakeChild) -> None:
    child = make_child("import os; [print(os.getpid(), i) for i in range(30)]")
    child.start()
    first = child.pid
    child.wait(10)
    assert child.log_tail(lines=2) == f"{first} 28\n{first} 29"
    child.start()
    child.wait(10)
    assert str(first) not in child.log_tail(lines=100)
    assert str(first) in child.log.read_text()


def test_a_long_log_is_set_aside_at_the_next_start(make_child: MakeChild, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "LOG_BYTES_MAX", 10)
    child = make_child("print('x' * 100)")
    for _ in range(3):
        child.start()
        child.wait(10)
    assert child.log.read_text() == "x" * 100 + "\n"
    assert sorted(path.name for path in child.log.parent.iterdir()) == ["child.log", "child.log.old"]


def test_a_program_that_does_not_exist_is_named_in_the_log(tmp_path: Path) -> None:
    child = Child(["no-such-program"], log=tmp_path / "log")
    child.start()
    assert child.wait(10) == 1
    assert child.log_tail() == "cannot start no-such-program: No such file or directory"


def test_a_child_outlives_the_thread_that_started_it(make_child: MakeChild) -> None:
    child = make_child(SLEEP)
    may_end = threading.Event()

    def start_and_stay() -> None:
        child.start()
        may_end.wait()

    starter = threading.Thread(target=start_and_stay)
    starter.start()
    until(lambda: "ready" in child.log_tail(), "the child speaks")
    may_end.set()
    starter.join()
    until(lambda: starter.native_id not in {thread.id for thread in psutil.Process().threads()}, "the thread is gone")
    assert child.wait(0.2) is None
    assert child.alive()


def test_a_child_dies_with_a_killed_parent_even_when_it_ignores_sigterm(tmp_path: Path) -> None:
    log = tmp_path / "child.log"
    parent_code = (
        "import sys, time; from pathlib import Path; from deploy.processes import Child\n"
        f"child = Child([sys.executable, '-c', {DEAF!r}], log=Path({str(log)!r})); child.start()\n"
        "print(child.pid, flush=True); time.sleep(600)"
    )
    with subprocess.Popen([sys.executable, "-c", parent_code], stdout=subprocess.PIPE, text=True) as parent:
        try:
            assert parent.stdout is not None
            pid = int(parent.stdout.readline())
            until(lambda: "ready" in log.read_text(), "the child speaks")
            assert not gone(pid)
        finally:
            parent.kill()
    until(lambda: gone(pid), "the child is gone")


def test_a_free_port_is_unused_and_outside_the_range_of_outgoing_connections() -> None:
    ports = {free_port() for _ in range(20)}
    assert len(ports) > 15
    assert all(FIRST_PORT <= port <= LAST_PORT for port in ports)
    assert not any(answers("127.0.0.1", port) for port in ports)
