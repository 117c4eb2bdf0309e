"""How a stack does, as its parts themselves answer."""

from typing import Literal

import msgspec

from deploy.stack.answering import broker_answers, engine_answers, given_up, process_lives, sink_answers
from deploy.stack.log_state import LogState
from deploy.stack.state import Condition, PartCondition, PartState, StackState, read_state
from hotline.data_folder import told_ready
from hotline.resident import resident_bytes
from hotline.settings import Settings
from hotline.stops import told


class PartStatus(msgspec.Struct, frozen=True):
    """A part: whether it answers now, and what the supervisor thinks of it."""

    name: str
    answers: bool
    state: PartCondition
    pid: int | None
    address: str
    agents: tuple[str, ...] = ()
    """What a worker runs."""
    stopped: tuple[str, ...] = ()
    """Why it stands still somewhere until somebody decides, and what to do."""


class Status(msgspec.Struct, frozen=True, kw_only=True):
    """A stack; `pid` is the supervisor's, `started_at` ISO 8601, `temporary` one that lasts as long as commands."""

    data: str
    state: Condition | Literal["stopped"] = "stopped"
    pid: int | None = None
    started_at: str | None = None
    temporary: bool = False
    parts: list[PartStatus] = msgspec.field(default_factory=list)
    log: LogState | None = None
    """The embedded broker's log, as the supervisor sees it."""
    given_up: int | None = None
    """Records that were gone before they were read and given up; None where the engine was not asked or is away."""

    @property
    def exit_code(self) -> int:
        """Return 0 when every part answers and none stands still, 1 when not, 3 when no stack runs."""
        if self.state == "stopped":
            return 3
        return 0 if self.parts and all(part.answers and not part.stopped for part in self.parts) else 1


def look(settings: Settings) -> Status:
    """Ask every part of the stack of this data folder; starts nothing and changes nothing."""
    state = read_state(settings.folder)
    if state is None:
        return Status(data=str(settings.data))
    return Status(
        data=str(settings.data),
        state=state.state,
        pid=state.pid,
        started_at=state.started_at,
        temporary=state.temporary,
        parts=[_look_at(state, part) for part in state.parts],
        log=_log(state),
    )


def with_given_up(found: Status, settings: Settings) -> Status:
    """Ask the engine as well how many records were given up: a question that a live view need not repeat."""
    state = read_state(settings.folder)
    return msgspec.structs.replace(found, given_up=given_up(state.settings) if state else None)


def _log(state: StackState) -> LogState | None:
    pid = next((part.pid for part in state.parts if part.name == "broker"), None)
    if state.log is None or pid is None:
        return state.log
    grown = max(0, resident_bytes(pid) - state.log.resident_bytes_at_start)
    return msgspec.structs.replace(state.log, bytes=grown)


def _look_at(state: StackState, part: PartState) -> PartStatus:
    return PartStatus(
        part.name,
        _answers(state.settings, part),
        part.state,
        part.pid,
        part.address,
        _agents(state.settings, part),
        told(state.settings.folder.stops(part.name)),
    )


def _agents(settings: Settings, part: PartState) -> tuple[str, ...]:
    if part.name.startswith("worker-"):
        return settings.agents_named
    return ("roll",) if part.name == "roll" else ()


def _answers(settings: Settings, part: PartState) -> bool:
    if part.state == "down":
        return False
    kind = part.name.partition("-")[0]
    if kind in {"worker", "roll", "web"}:
        ready = settings.folder.ready(part.name)
        return part.pid is not None and told_ready(ready, part.pid) and process_lives(part.pid)
    return {"engine": engine_answers, "broker": broker_answers, "sink": sink_answers}[kind](settings)
