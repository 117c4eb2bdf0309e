"""Keeping a list of parts up: started in the order of their needs, restarted when they die, stopped in reverse."""

import signal
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass

from deploy.stack.errors import StackError
from deploy.stack.part import Part
from deploy.stack.state import Condition, PartCondition, PartState

BACK_OFF_S_MIN = 0.2
BACK_OFF_S_MAX = 5.0
TICK_S = 0.1
SETTLED_S = 1.0  # who was ready that long starts again without the back-off of former failures
FALL_GRACE_S = 3.0  # for parts that lost what they need: a kill is safe, patience only delays the restart
FAILURES_MAX_AT_FIRST = 4  # while these settings have never made a whole: a wrong one must not be retried for ever
_ABANDON_S = 5.0

Say = Callable[[str], None]


@dataclass
class _Watched:
    """A part and how it does."""

    part: Part
    state: PartCondition = "down"
    starting: Future[None] | None = None
    try_at: float = 0.0
    back_off_s: float = BACK_OFF_S_MIN
    ready_at: float = 0.0
    failures: int = 0
    said: str = ""

    def seen(self) -> PartState:
        return PartState(self.part.name, self.state, self.part.pid, self.part.address)


class Supervisor:
    """Keeps `parts` up until `stop` is set. `say` gets a line when a part changes, `publish` all states."""

    def __init__(
        self,
        parts: Sequence[Part],
        *,
        say: Say,
        publish: Callable[[Condition, list[PartState]], None],
        stop: threading.Event,
        upkeep: Callable[[], str] = lambda: "",
        patient: bool = False,
    ) -> None:
        """`upkeep` is called again and again while every part is ready; it gives a sentence when something changed.

        `patient`: try for as long as it takes, also before every part was ready once.
        """
        self._watched = [_Watched(part) for part in parts]
        self._by_name = {watched.part.name: watched for watched in self._watched}
        self._say = say
        self._publish = publish
        self._stop = stop
        self._upkeep = upkeep
        self._patient = patient
        self._condition: Condition = "starting"
        self._untold = False

    def run(self, *, unused: Callable[[], bool] = lambda: False) -> None:
        """Bring the parts up and keep them up until told to stop, or until `unused`; then stop them all.

        Raises StackError when a part fails several times before the stack was ever whole, unless it is patient.
        """
        try:
            self._tell()
            while not (self._stop.wait(TICK_S) or unused()):
                self._tick()
        finally:
            self._condition = "stopping"
            self._tell()
            self._stop_all()

    def _tick(self) -> None:
        if self._untold:
            self._tell()
        for watched in self._watched:
            if watched.starting and watched.starting.done():
                self._started(watched, watched.starting)
            elif watched.state == "ready" and not watched.part.alive():
                self._died(watched)
            if watched.state == "down" and self._may_start(watched):
                self._start(watched)
        if not all(watched.state == "ready" for watched in self._watched):
            return
        if self._condition == "starting":
            self._condition = "running"
            self._tell()
            self._say("every part is ready")
        if said := self._upkeep():
            self._say(said)
            self._tell()

    def _may_start(self, watched: _Watched) -> bool:
        needed = (self._by_name[name] for name in watched.part.needs)
        return time.monotonic() >= watched.try_at and all(other.state == "ready" for other in needed)

    def _start(self, watched: _Watched) -> None:
        watched.state = "starting"
        watched.starting = _in_background(watched.part)
        self._tell()

    def _started(self, watched: _Watched, outcome: Future[None]) -> None:
        watched.starting = None
        error = outcome.exception()
        if error is None:
            watched.state, watched.ready_at, watched.failures = "ready", time.monotonic(), 0
            self._say_once(watched, watched.part.readiness)
        else:
            self._retry_later(watched, _sentence(error))
        self._tell()

    def _retry_later(self, watched: _Watched, why: str) -> None:
        watched.state = "down"
        watched.failures += 1
        hopeless = self._condition == "starting" and not self._patient
        if hopeless and watched.failures >= FAILURES_MAX_AT_FIRST:
            raise StackError(f"the {watched.part.name} does not start: {why}")
        self._say_once(watched, f"{why}; trying again")
        watched.try_at = time.monotonic() + watched.back_off_s
        watched.back_off_s = min(2 * watched.back_off_s, BACK_OFF_S_MAX)
        self._begin_anew(watched.part.blamed)

    def _begin_anew(self, name: str) -> None:
        """End a part that others cannot go on with; it is started again like any that dies."""
        blamed = self._by_name.get(name)
        if blamed and blamed.state == "ready" and blamed.part.alive():
            self._say(f"{name}: is ended, to begin anew")
            blamed.part.kill()

    def _died(self, watched: _Watched) -> None:
        if time.monotonic() - watched.ready_at > SETTLED_S:
            watched.back_off_s = BACK_OFF_S_MIN
        if watched.part.ended_on_purpose:
            watched.state, watched.try_at = "down", 0.0
            self._say_once(watched, watched.part.ending())
        else:
            self._retry_later(watched, watched.part.ending())
        for other in reversed(self._watched):
            if watched.part.name in other.part.falls_with and other.state != "down":
                self._halt(other, FALL_GRACE_S)
                other.state, other.try_at = "down", 0.0
                self._say_once(other, f"stopped: the {watched.part.name} is away")
        self._tell()

    def _stop_all(self) -> None:
        for watched in reversed(self._watched):
            was = watched.state
            self._halt(watched)
            watched.state = "down"
            if was != "down":
                self._say_once(watched, "stopped")
                self._tell()

    def _halt(self, watched: _Watched, grace_s: float | None = None) -> None:
        """Stop a part, also one that is just being started."""
        deadline = time.monotonic() + _ABANDON_S
        while watched.starting and not watched.starting.done() and time.monotonic() < deadline:
            watched.part.kill()  # again and again: it may be between two steps of its start
            time.sleep(TICK_S / 2)
        watched.starting = None
        watched.part.stop(grace_s)

    def _say_once(self, watched: _Watched, text: str) -> None:
        if watched.said != text:
            watched.said = text
            self._say(f"{watched.part.name}: {text}")

    def _tell(self) -> None:
        """Tell how the parts do. Where that cannot be written, on a full disk, they matter more: it is tried again."""
        try:
            self._publish(self._condition, [watched.seen() for watched in self._watched])
        except OSError as error:
            if not self._untold:
                self._say(f"how the parts do cannot be told, trying again: {error}")
            self._untold = True
        else:
            self._untold = False


def stop_on_signals(stop: threading.Event) -> None:
    """Set `stop` on Ctrl-C, on SIGTERM, and when the terminal goes away."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        if number is signal.SIGHUP and signal.getsignal(number) is signal.SIG_IGN:
            continue  # nohup: it is to outlive its terminal
        signal.signal(number, lambda *_: stop.set())


def _in_background(part: Part) -> Future[None]:
    """Start and prepare a part on a thread that nobody has to wait for at the end."""
    done: Future[None] = Future()

    def work() -> None:
        try:
            if not part.alive():
                part.start()
            part.prepare()
        except BaseException as error:  # noqa: BLE001  whoever looks at the outcome judges it
            done.set_exception(error)
        else:
            done.set_result(None)

    threading.Thread(target=work, name=f"start-{part.name}", daemon=True).start()
    return done


def _sentence(error: BaseException) -> str:
    first = str(error).partition("\n")[0].strip()
    return first or type(error).__name__
