"""One child process with a log file of its own, which never outlives the process that started it."""

import contextlib
import os
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from pathlib import Path

LOG_BYTES_MAX = 16 << 20
_TAIL_BYTES_MAX = 64 << 10

# Runs in the child before the program proper: asks the kernel to kill this process when its parent goes, makes sure
# that the parent was not gone before that, and becomes the program. An exec of its own, not preexec_fn: code between
# fork and exec may meet a lock that another thread of the parent holds for ever.
_BIND_TO_PARENT = """
import ctypes, os, signal, sys
if sys.platform == "linux":
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)
if os.getppid() != int(sys.argv[1]):
    sys.exit("the process that started this one is gone")
try:
    os.execvp(sys.argv[2], sys.argv[2:])
except OSError as error:
    sys.exit(f"cannot start {sys.argv[2]}: {error.strerror}")
"""


class _Launcher:
    """A thread that lives as long as this process and starts every child.

    The kernel counts the *thread* that forked as the parent: children started by a thread that ends would be killed.
    """

    def __init__(self) -> None:
        self._orders: queue.SimpleQueue[tuple[Callable[[], subprocess.Popen[bytes]], Future[subprocess.Popen[bytes]]]]
        self._orders = queue.SimpleQueue()
        self._owner = 0
        self._lock = threading.Lock()

    def run(self, order: Callable[[], subprocess.Popen[bytes]]) -> subprocess.Popen[bytes]:
        """Start a child on the lasting thread and return it; raises what starting it raised."""
        with self._lock:
            if self._owner != os.getpid():  # the first order, or the first after a fork, which copies no threads
                self._owner = os.getpid()
                self._orders = queue.SimpleQueue()
                threading.Thread(target=self._serve, name="launcher", daemon=True).start()
        done: Future[subprocess.Popen[bytes]] = Future()
        self._orders.put((order, done))
        return done.result()

    def _serve(self) -> None:
        while True:
            order, done = self._orders.get()
            try:
                done.set_result(order())
            except BaseException as error:  # noqa: BLE001  whoever ordered it raises it
                done.set_exception(error)


_launcher = _Launcher()


class Child:
    """A program run as a child of this process, stdout and stderr appended to `log`.

    It may be started again after it ended. It runs in a session of its own, so that Ctrl-C in the terminal reaches
    only the parent, which decides the order of stopping. On Linux the kernel kills it when the parent dies.
    """

    def __init__(
        self, args: Sequence[str], *, log: Path, env: Mapping[str, str] | None = None, cwd: Path | None = None
    ) -> None:
        """Describe the program; `env` is added to this process's environment."""
        self.args = tuple(args)
        self.log = log
        self._env = dict(env or {})
        self._cwd = cwd
        self._process: subprocess.Popen[bytes] | None = None
        self._log_start = 0

    @property
    def pid(self) -> int | None:
        """The id of the running process, None when none runs."""
        return self._process.pid if self._process is not None and self.alive() else None

    @property
    def exit_code(self) -> int | None:
        """How the last run ended: its code, minus the signal that killed it, None while it runs or before any run."""
        return None if self._process is None else self._process.poll()

    def alive(self) -> bool:
        """Tell whether the process runs now."""
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Start the program and return at once; whether it works is for the caller to find out.

        A program that cannot be found ends with code 1 and says so in the log. Raises RuntimeError when it runs.
        """
        if self.alive():
            raise RuntimeError(f"{self.args[0]} runs already as process {self.pid}: stop it first")
        self.log.parent.mkdir(parents=True, exist_ok=True)
        self._log_start = _open_new_chapter(self.log)
        self._process = _launcher.run(self._launch)

    def wait(self, timeout_s: float) -> int | None:
        """Wait up to `timeout_s` seconds for the end; return the exit code, None when it still runs."""
        if self._process is None:
            return None
        try:
            return self._process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            return None

    def run(self, timeout_s: float) -> int | None:
        """Start it and wait for its end; return the exit code, None when it had to be killed after `timeout_s`."""
        self.start()
        try:
            return self.wait(timeout_s)
        finally:
            self.kill()

    def stop(self, grace_s: float = 10.0) -> int | None:
        """Ask it to end (SIGTERM), kill it after `grace_s` seconds; return the exit code. Harmless when it is gone."""
        if self._process is None:
            return None
        self._process.terminate()
        if self.wait(grace_s) is None:
            self.kill()
        return self.exit_code

    def kill(self) -> None:
        """End it and the processes it started at once (SIGKILL) and wait until it is gone. Harmless when it is."""
        if self._process is None or not self.alive():
            return
        with contextlib.suppress(ProcessLookupError):  # it may end between the question and the signal
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()

    def log_tail(self, lines: int = 20) -> str:
        """Return the last lines that the latest run wrote."""
        if not self.log.exists():
            return ""
        with self.log.open("rb") as log:
            end = log.seek(0, os.SEEK_END)
            log.seek(max(self._log_start, end - _TAIL_BYTES_MAX))
            text = log.read().decode(errors="replace")
        return "\n".join(text.splitlines()[-lines:])

    def _launch(self) -> subprocess.Popen[bytes]:
        helper = [sys.executable, "-I", "-S", "-c", _BIND_TO_PARENT, str(os.getpid()), *self.args]
        with self.log.open("ab") as log:
            return subprocess.Popen(
                helper,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env={**os.environ, **self._env},
                cwd=self._cwd,
                start_new_session=True,
            )


def _open_new_chapter(log: Path) -> int:
    """Return where the next run's lines begin; a log past 16 MiB is set aside once, as `….old`."""
    size = log.stat().st_size if log.exists() else 0
    if size <= LOG_BYTES_MAX:
        return size
    log.replace(log.with_name(f"{log.name}.old"))
    return 0
