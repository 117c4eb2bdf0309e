"""Using a stack from a command: the running one, or one that lasts as long as commands use it."""

import os
import subprocess
import time
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import msgspec

from deploy.stack.answering import process_lives
from deploy.stack.children import child_environment, module
from deploy.stack.errors import StackError
from deploy.stack.locks import is_locked, lock
from deploy.stack.state import StackState, read_state
from deploy.stack.stopping import STOP_TIMEOUT_S
from deploy.stack.supervisor import Say
from hotline.data_folder import DataFolder
from hotline.settings import Settings

START_TIMEOUT_S = 300.0
_POLL_S = 0.05
_TAIL_BYTES = 4096


class StackUse:
    """A stack that a command uses; `settings` hold the addresses of its parts."""

    def __init__(
        self,
        asked: Settings,
        *,
        say: Say,
        until: Collection[str],
        command: Sequence[str],
        timeout_s: float,
        boards: bool = False,
    ) -> None:
        self._asked = asked
        self._say = say
        self._until = frozenset(until)
        self._command = command
        self._timeout_s = timeout_s
        self._boards = boards
        self._launched: subprocess.Popen[bytes] | None = None
        self._said = ""
        self._state: StackState | None = None

    @property
    def settings(self) -> Settings:
        """The settings of the stack, with the addresses of its own parts filled in."""
        return self._state.settings if self._state else self._asked

    def alive(self) -> bool:
        """Tell whether the supervisor that was joined still runs and is not stopping."""
        state = self._same()
        return state is not None and state.state != "stopping"

    def rejoin(self) -> Settings:
        """Join or start a stack again, after the supervisor died or while parts of it restart; give its settings.

        Returns when the parts that were asked for are ready. Raises StackError when they are not in time.
        """
        self._state = self._await()
        return self.settings

    def leave(self) -> None:
        """Wait for the end of a stack that was there for commands only, unless others still use it."""
        deadline = time.monotonic() + STOP_TIMEOUT_S
        state = self._state
        while state and state.temporary and process_lives(state.pid) and time.monotonic() < deadline:
            if self._others_use_it():
                break
            time.sleep(_POLL_S)
        if self._launched and self._launched.poll() is None:
            self._launched.returncode = 0  # it outlives this process for the sake of others, and that is no leak

    def _others_use_it(self) -> bool:
        with lock(self._asked.folder.users_lock) as nobody:
            if nobody:
                return False
        with _using(self._asked.folder):  # no supervisor is asking the same: one that was has told that it stops
            return self.alive()

    def _same(self) -> StackState | None:
        """Read the state of the supervisor that was joined, None when it is gone."""
        state = read_state(self._asked.folder)
        return state if state and self._state and state.pid == self._state.pid else None

    def _await(self) -> StackState:
        deadline = time.monotonic() + self._timeout_s
        while True:
            state = read_state(self._asked.folder)
            if state and state.ready(self._until):
                self._tell(f"using the stack on {self._asked.data} (process {state.pid})")
                return state
            if time.monotonic() > deadline:
                raise StackError(f"the stack on {self._asked.data} is not up in time: see {self._asked.folder.log}")
            self._see_to_a_supervisor()
            time.sleep(_POLL_S)

    def _see_to_a_supervisor(self) -> None:
        """Start a supervisor when nobody is one."""
        if is_locked(self._asked.folder.stack_lock):
            self._tell(self._said or f"waiting for the stack that starts on {self._asked.data}")
            return
        code = self._launched.poll() if self._launched else 0
        if code is None:
            return  # it has not got as far as its lock
        if code > 0:
            raise StackError(f"the stack did not start: {_last_line(self._asked.folder)}")
        self._tell(f"starting a stack on {self._asked.data} for as long as this command runs")
        wanted = msgspec.structs.replace(self._asked, boards=self._asked.boards and self._boards)
        self._launched = _launch(wanted, self._command)

    def _tell(self, text: str) -> None:
        if text != self._said:
            self._said = text
            self._say(text)


class _Others(StackUse):
    """A broker and a ClickHouse that somebody else runs."""

    def __init__(self, asked: Settings) -> None:
        self._asked = asked

    @property
    def settings(self) -> Settings:
        return self._asked

    def alive(self) -> bool:
        return True

    def rejoin(self) -> Settings:
        return self._asked


@contextmanager
def join_or_start(
    settings: Settings,
    *,
    say: Say,
    until: Collection[str] = (),
    command: Sequence[str] | None = None,
    timeout_s: float = START_TIMEOUT_S,
    boards: bool = False,
) -> Iterator[StackUse]:
    """Give a stack that is up, for the duration of the block.

    Joins the stack of the data folder, waits for one that is starting, or starts one in the background (`command`,
    by default ours), which ends when the last command that uses it has ended, also by kill -9. `until` names the
    parts that must be ready (default: all). What is started serves boards only when they are asked for. When
    settings name both a broker and a ClickHouse of others, those are used and nothing is started. Raises StackError
    when the stack does not come up within `timeout_s` seconds.
    """
    if settings.bootstrap and settings.clickhouse_url:
        say(f"using the broker {settings.bootstrap} and ClickHouse at {settings.clickhouse_url}")
        yield _Others(settings)
        return
    settings.folder.make()
    use = StackUse(settings, say=say, until=until, command=command or module("cli"), timeout_s=timeout_s, boards=boards)
    try:
        with _using(settings.folder):
            use.rejoin()
            yield use
    finally:
        use.leave()


@contextmanager
def _using(folder: DataFolder) -> Iterator[None]:
    """Hold a place among the users; a temporary stack stays as long as one is held."""
    while True:
        with lock(folder.users_lock, shared=True) as got:
            if got:
                yield
                return
        time.sleep(_POLL_S)  # a supervisor is just asking whether anybody uses it


def _launch(settings: Settings, command: Sequence[str]) -> subprocess.Popen[bytes]:
    """Start a supervisor in a session of its own: other commands may need it longer than this one lives."""
    given = {name: value for name, value in child_environment(settings).items() if value}
    with _log(settings.folder).open("ab") as log:
        return subprocess.Popen(
            [*command, "up", "--while-used", "--data", str(settings.data)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            env={**os.environ, **given},
        )


def _log(folder: DataFolder) -> Path:
    return folder.log / "stack.log"


def _last_line(folder: DataFolder) -> str:
    lines = _log(folder).read_bytes()[-_TAIL_BYTES:].decode(errors="replace").split("\n")
    return next((line.strip() for line in reversed(lines) if line.strip()), f"see {folder.log}").removeprefix(
        "hotline: "
    )
