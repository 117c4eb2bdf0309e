"""Running the stack with stand-ins as a user would, and finding every process that it leaves."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil

HOTLINE = (sys.executable, "-m", "tests.deploy.stand_in_hotline")
PATIENCE_S = 120.0


def wait_until(happened: Callable[[], object], what: str) -> None:
    """Wait for something that must happen; how long it takes is no claim."""
    deadline = time.monotonic() + PATIENCE_S
    while not happened():
        if time.monotonic() > deadline:
            raise AssertionError(f"did not happen: {what}")
        time.sleep(0.03)


class Stack:
    """A data folder, and the commands of `hotline` on it."""

    def __init__(self, data: Path, **environ: str) -> None:
        self.data = data
        clean = {name: value for name, value in os.environ.items() if not name.startswith("HOTLINE_")}
        self.environ = {**clean, "HOTLINE_DATA": str(data), "HOTLINE_BOARDS": "false", **environ}
        self.ups: list[subprocess.Popen[str]] = []

    def up(self, *more: str) -> subprocess.Popen[str]:
        """Start `hotline up` and return at once."""
        started = subprocess.Popen([*HOTLINE, "up", *more], env=self.environ, stderr=subprocess.PIPE, text=True)
        self.ups.append(started)
        return started

    def running(self) -> subprocess.Popen[str]:
        """Start `hotline up` and return when every part is ready, as its supervisor tells: to ask takes a process."""
        started = self.up()
        wait_until(lambda: started.poll() is not None or self._ready_under(started.pid), "every part is ready")
        assert started.poll() is None, started.stderr.read() if started.stderr else self.data
        return started

    def _ready_under(self, supervisor: int) -> bool:
        """Whether every part is, by what this supervisor tells: what a former one told may still lie there."""
        return self.ready() and self.state().get("pid") == supervisor

    def run(self, *arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
        """Run a command to its end."""
        return subprocess.run(
            [*HOTLINE, *arguments],
            env={**self.environ, **environ},
            capture_output=True,
            text=True,
            timeout=PATIENCE_S * 2,
            check=False,
        )

    def status(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.run("status", "--json").stdout)
        return found

    def state(self) -> dict[str, Any]:
        """Read what the supervisor tells; {} when it tells nothing."""
        try:
            told: dict[str, Any] = json.loads((self.data / "run" / "stack.json").read_text())
        except FileNotFoundError:
            return {}
        return told

    def part(self, name: str) -> dict[str, Any]:
        return next((part for part in self.state().get("parts", []) if part["name"] == name), {})

    def pids(self) -> dict[str, int]:
        return {part["name"]: part["pid"] for part in self.state()["parts"]}

    def kill(self, name: str) -> int:
        """Kill a part (SIGKILL) and return its former process id when the supervisor has noticed."""
        pid: int = self.part(name)["pid"]
        os.kill(pid, signal.SIGKILL)
        wait_until(lambda: self.part(name)["pid"] != pid, f"the death of {name} is noticed")
        return pid

    def wait_ready(self) -> dict[str, int]:
        """Wait until every part is ready; return their process ids."""
        wait_until(self.ready, "every part is ready again")
        return self.pids()

    def ready(self) -> bool:
        state = self.state()
        return state.get("state") == "running" and all(part["state"] == "ready" for part in state["parts"])

    def starts(self) -> list[list[str]]:
        """Read how the stand-ins were started: name, pid, preparations made before, whether the sink answered."""
        file = self.data / "starts"
        return [line.split() for line in file.read_text().splitlines()] if file.exists() else []

    def prepared(self) -> list[str]:
        file = self.data / "prepared"
        return file.read_text().splitlines() if file.exists() else []

    def processes(self) -> list[str]:
        """Find every living process that works in the data folder or names it: its id, its parent's, what it is."""
        return list(self._ours().values())

    def _ours(self) -> dict[int, str]:
        told = ((process.pid, self._told(process)) for process in psutil.process_iter())
        return {pid: what for pid, what in told if what}

    def _told(self, process: psutil.Process) -> str:
        """What it is; nothing when it is no process of this stack."""
        try:
            status, command = process.status(), process.cmdline()
            if process.pid == os.getpid() or status == psutil.STATUS_ZOMBIE:
                return ""
            named = process.cwd(), *command, process.environ().get("HOTLINE_DATA", "")
            told = f"{process.pid} of {process.ppid()}, {status}: {' '.join(command)}"
        except psutil.Error:
            return ""
        return told if any(str(self.data) in text for text in named) else ""

    def clean(self) -> None:
        """Kill whatever is left, supervisors first."""
        for started in self.ups:
            started.kill()
            started.wait()
            if started.stderr:
                started.stderr.close()
        for pid in self._ours():
            with contextlib.suppress(psutil.NoSuchProcess):  # the supervisor's death reaches it at the same time
                process = psutil.Process(pid)
                process.kill()
                process.wait(10)
