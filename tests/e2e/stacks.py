"""A hotline on a folder of its own, run by the real commands; whatever it starts is found and ended at the end."""

from __future__ import annotations

import json
import subprocess
import sys
import urllib.request
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deploy.stack.state import read_state
from hotline.settings import load as load_settings
from hotline.stops import told
from sinks.connecting import connect
from tests.deploy.stacks import Stack, wait_until

if TYPE_CHECKING:
    from collections.abc import Sequence

    from clickhouse_connect.driver.client import Client

    from hotline.settings import Settings

ROOT = Path(__file__).parents[2]
DATA = ROOT.parent / "shared" / "data"
HOTLINE = (sys.executable, "-m", "cli")
SUPERVISOR = "supervisor"
COMMAND_S_MAX = 200.0
"""A command that takes longer hangs."""


@dataclass(frozen=True)
class Done:
    """A command that ended."""

    code: int
    out: str
    said: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


class Hotline(Stack):
    """A data folder, and the real commands on it."""

    def up(self, *more: str) -> subprocess.Popen[str]:
        """Start `hotline up` and return at once; what it says goes to `up.log`."""
        with (self.data.parent / "up.log").open("ab") as log:
            started = subprocess.Popen(
                [*HOTLINE, "up", *more], env=self.environ, cwd=ROOT, stdout=log, stderr=log, text=True
            )
        self.ups.append(started)
        return started

    def running(self) -> subprocess.Popen[str]:
        """Start `hotline up` and return when every part is ready."""
        self.data.mkdir(exist_ok=True)
        return super().running()

    def stands(self, name: str = "worker-0") -> tuple[str, ...]:
        """Read why a part stands still, from where `hotline status` has it: to ask takes a process."""
        return told(load_settings(self.data, {})[0].folder.stops(name))

    def restart(self) -> None:
        """Stop everything in order and start it again."""
        done = self.do("down")
        assert done.code == 0, done.said
        self.ups[-1].wait(60)
        self.running()

    def pid(self, name: str) -> int:
        """Find the process id of a part, or of the supervisor; 0 while it does not run."""
        return (self.state() if name == SUPERVISOR else self.part(name)).get("pid") or 0

    def serve_again(self, pid: int) -> None:
        """Start the stack again after its supervisor was killed, as a service manager would.

        One that waits already, because another command began a stack of its own, goes on waiting.
        """
        latest = self.ups[-1]
        if latest.pid == pid:
            latest.wait()
        if latest.poll() is not None:
            self.up()

    def do(self, *arguments: str, stdin: bytes = b"", **environ: str) -> Done:
        """Run a command to its end."""
        done = subprocess.run(
            [*HOTLINE, *arguments],
            env={**self.environ, **environ},
            cwd=ROOT,
            input=stdin,
            capture_output=True,
            timeout=COMMAND_S_MAX,
            check=False,
        )
        return Done(done.returncode, done.stdout.decode(), done.stderr.decode())

    def start(self, *arguments: str, stdin: int = subprocess.DEVNULL) -> subprocess.Popen[bytes]:
        """Start a command and return at once; its stdout is a pipe, what it says goes to `said.log`."""
        with (self.data.parent / "said.log").open("ab") as log:
            return subprocess.Popen(
                [*HOTLINE, *arguments], env=self.environ, cwd=ROOT, stdin=stdin, stdout=subprocess.PIPE, stderr=log
            )

    def load(self, *arguments: str, stdin: bytes = b"") -> dict[str, Any]:
        """Load files that are whole; the account, which must add up."""
        done = self.do("load", *arguments, "--json", stdin=stdin)
        assert done.code == 0, done.said
        return whole(done.json)

    def figures(self, *names: str, period: str, more: Sequence[str] = ()) -> list[dict[str, Any]]:
        """Ask `hotline kpi`."""
        done = self.do("kpi", *names, "--period", period, *more, "--json")
        assert done.code == 0, done.said
        found: list[dict[str, Any]] = done.json
        return found

    def reconciled(self, period: str) -> dict[str, Any]:
        """Reconcile a period, which must be equal and not empty."""
        done = self.do("reconcile", "--period", period, "--json")
        report: dict[str, Any] = done.json
        assert (done.code, report["equal"], report["notes"]) == (0, True, []), done.out + done.said
        assert report["rows"]
        assert report["cells"]
        assert report["events"]
        return report

    @property
    def settings(self) -> Settings:
        """Settings of the running stack, or of one that takes its place just now."""
        folder = load_settings(self.data, {})[0].folder
        wait_until(lambda: read_state(folder) is not None, f"a stack runs on {self.data}")
        state = read_state(folder)
        assert state is not None, f"no stack runs any more on {self.data}"
        return state.settings

    def writer(self) -> Client:
        """Connect as the account that writes."""
        return connect(self.settings)


def serves_boards(hotline: Hotline) -> bool:
    """Whether a browser gets boards from a stack that serves them."""
    try:
        with urllib.request.urlopen(hotline.part("web")["address"], timeout=10) as answer:  # noqa: S310 our own
            return bool(answer.status == 200 and b"<html" in answer.read())
    except (OSError, HTTPException, KeyError):
        return False


def whole(account: dict[str, Any]) -> dict[str, Any]:
    """Return an account of which nothing is missing."""
    assert account["complete"], account
    assert account["read"] > 0
    assert adds_up(account), account
    return account


def adds_up(account: dict[str, Any]) -> bool:
    """Tell whether every event read has its verdict, in each topic and in all."""
    verdicts = ("counted", "seen", "revised", "dead")
    parts = [account, *account["topics"].values()]
    return all(part["read"] == sum(part[name] for name in verdicts) for part in parts)


__all__ = ["DATA", "HOTLINE", "ROOT", "Done", "Hotline", "adds_up", "wait_until", "whole"]
