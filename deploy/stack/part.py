"""A part of the stack: something that is started, answers, may die, and is stopped."""

import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from urllib.parse import urlsplit

from deploy.ports import answers
from deploy.processes import Child
from deploy.stack.errors import PartError

_POLL_S = 0.05


def _nothing() -> None:
    return


class Part(ABC):
    """One part. `needs` names the parts that must be ready before it starts, `falls_with` those it cannot outlive.

    `prepare` is called when the part answers, before anything that needs it starts, after each of its starts. It may
    be called again after a failure, so it must be repeatable; what it raises is told, and it is tried again. `serves`
    is what people find at its address.
    """

    def __init__(
        self,
        name: str,
        *,
        address: str,
        needs: Collection[str] = (),
        falls_with: Collection[str] = (),
        prepare: Callable[[], object] = _nothing,
        serves: str = "",
    ) -> None:
        self._serves = serves
        self.name = name
        self.address = address
        self.needs = frozenset(needs)
        self.falls_with = frozenset(falls_with)
        self.prepare = prepare

    @property
    def readiness(self) -> str:
        """Say that it is ready, and where."""
        if not self.address:
            return "ready"
        return f"ready, {self._serves} at {self.address}" if self._serves else f"ready at {self.address}"

    @property
    @abstractmethod
    def pid(self) -> int | None:
        """The id of its process, None when none runs or it is not ours."""

    @abstractmethod
    def alive(self) -> bool:
        """Tell whether it runs; a part that is not ours always does once it was reached."""

    @abstractmethod
    def start(self) -> None:
        """Start it and return when it answers; blocks, and `kill` from another thread ends the wait.

        Raises PartError, or another error with a remedy, when it ends instead or takes too long; then nothing of it
        is left running.
        """

    @abstractmethod
    def stop(self, grace_s: float | None = None) -> None:
        """End it in order, by force after `grace_s` seconds (None: the part's own patience). Harmless when gone."""

    @abstractmethod
    def kill(self) -> None:
        """End it at once. Harmless when it is gone."""

    @abstractmethod
    def ending(self) -> str:
        """Say in a few words how its last run ended."""

    @property
    def blamed(self) -> str:
        """The part that must begin anew, because of how this one's last run ended; empty where none must."""
        return ""

    @property
    def ended_on_purpose(self) -> bool:
        """Whether its end is no failure: it is started again at once."""
        return False


class ProcessPart(Part):
    """A part that is a program of ours, ready when `answers(pid)` says so."""

    def __init__(
        self,
        name: str,
        args: Sequence[str],
        *,
        answers: Callable[[int], bool],
        log: Path,
        env: Mapping[str, str],
        cwd: Path,
        address: str = "",
        needs: Collection[str] = (),
        falls_with: Collection[str] = (),
        prepare: Callable[[], object] = _nothing,
        serves: str = "",
        blames: Mapping[int, str] = MappingProxyType({}),
        start_timeout_s: float = 60.0,
        grace_s: float = 10.0,
    ) -> None:
        """`blames`: exit code → the part that must begin anew after it."""
        super().__init__(name, address=address, needs=needs, falls_with=falls_with, prepare=prepare, serves=serves)
        self._child = Child(args, log=log, env=env, cwd=cwd)
        self._answers = answers
        self._blames = blames
        self._start_timeout_s = start_timeout_s
        self._grace_s = grace_s

    @property
    def pid(self) -> int | None:
        """The id of its process, None when none runs."""
        return self._child.pid

    def alive(self) -> bool:
        """Tell whether its process runs."""
        return self._child.alive()

    def start(self) -> None:
        """Start it and return when it answers. Raises PartError with the last line of its log."""
        self._refuse_taken_port()
        self._child.start()
        try:
            self._await()
        except BaseException:
            self._child.kill()
            raise

    def _refuse_taken_port(self) -> None:
        """Another program there would answer in the place of ours."""
        url = urlsplit(self.address)
        if url.port and answers(url.hostname or "", url.port):
            raise PartError(f"port {url.port} is taken by another program: stop it, or choose another port")

    def _await(self) -> None:
        deadline = time.monotonic() + self._start_timeout_s
        while (pid := self._child.pid) is not None:
            if self._answers(pid):
                return
            if time.monotonic() > deadline:
                raise PartError(f"did not answer within {self._start_timeout_s:g} s; see {self._child.log}")
            time.sleep(_POLL_S)
        raise PartError(self.ending())

    def stop(self, grace_s: float | None = None) -> None:
        """End it by SIGTERM, then by SIGKILL."""
        self._child.stop(self._grace_s if grace_s is None else grace_s)

    def kill(self) -> None:
        """End it by SIGKILL."""
        self._child.kill()

    @property
    def blamed(self) -> str:
        """The part that the code of its last end blames."""
        return self._blames.get(self._child.exit_code or 0, "")

    def ending(self) -> str:
        """Say how it ended; when it ended by itself, with the last line of its log."""
        code = self._child.exit_code
        if code is not None and code < 0:
            return f"was ended by signal {-code} (log: {self._child.log})"
        how = f"ended with code {code}"
        last = next((line for line in reversed(self._child.log_tail().splitlines()) if line.strip()), "")
        return f"{how}: {last.strip()} (log: {self._child.log})" if last else f"{how} (log: {self._child.log})"


class ForeignPart(Part):
    """A server that settings name and somebody else runs: awaited at the start, never started or stopped."""

    def __init__(
        self,
        name: str,
        *,
        answers: Callable[[], bool],
        address: str,
        needs: Collection[str] = (),
        prepare: Callable[[], object] = _nothing,
        start_timeout_s: float = 60.0,
    ) -> None:
        super().__init__(name, address=address, needs=needs, prepare=prepare)
        self._answers = answers
        self._start_timeout_s = start_timeout_s
        self._leave = threading.Event()
        self._reached = False

    @property
    def pid(self) -> int | None:
        """It has no process of ours."""
        return None

    def alive(self) -> bool:
        """Tell whether it was reached: its clients reconnect by themselves."""
        return self._reached

    def start(self) -> None:
        """Wait until it answers. Raises PartError."""
        self._leave.clear()
        deadline = time.monotonic() + self._start_timeout_s
        while not self._answers():
            if self._leave.wait(_POLL_S * 4) or time.monotonic() > deadline:
                raise PartError(f"nobody answers at {self.address}: start it, or correct its address in the settings")
        self._reached = True

    def stop(self, grace_s: float | None = None) -> None:  # noqa: ARG002  nothing of ours to wait for
        """Forget it."""
        self.kill()

    def kill(self) -> None:
        """End the wait for it."""
        self._leave.set()
        self._reached = False

    def ending(self) -> str:
        """Say that it never ends by itself."""
        return "is no longer used"
