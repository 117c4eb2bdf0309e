"""What the supervisor tells other processes, in `run/stack.json`; believed only while the supervisor lives."""

from pathlib import Path
from typing import Any, Literal

import msgspec

from deploy.stack.answering import process_lives
from deploy.stack.locks import is_locked
from deploy.stack.log_state import LogState
from hotline.data_folder import DataFolder, write_whole
from hotline.settings import Settings

PartCondition = Literal["down", "starting", "ready"]
Condition = Literal["starting", "running", "stopping"]


class PartState(msgspec.Struct, frozen=True):
    """A part as the supervisor sees it."""

    name: str
    state: PartCondition
    pid: int | None
    address: str


class StackState(msgspec.Struct, frozen=True, kw_only=True):
    """A supervisor and its parts. `temporary`: it ends when no command uses it. `started_at` is ISO 8601."""

    pid: int
    state: Condition
    started_at: str
    temporary: bool
    parts: list[PartState]
    log: LogState | None = None
    raw_settings: dict[str, Any]

    @property
    def settings(self) -> Settings:
        """The settings of the running stack, with the addresses of its own parts filled in."""
        return Settings(**{**self.raw_settings, "data": Path(self.raw_settings["data"])})

    def ready(self, names: frozenset[str]) -> bool:
        """Tell whether these parts are ready now; none named: all of them."""
        ready = {part.name for part in self.parts if part.state == "ready"}
        wanted = names or {part.name for part in self.parts}
        return self.state != "stopping" and bool(wanted) and wanted <= ready


def plain_settings(settings: Settings) -> dict[str, Any]:
    """Give settings as JSON can hold them; there is no secret in them."""
    return {**msgspec.structs.asdict(settings), "data": str(settings.data)}


def publish(folder: DataFolder, state: StackState) -> None:
    """Replace what is told."""
    write_whole(folder.stack_state, msgspec.json.encode(state).decode() + "\n")


def read_state(folder: DataFolder) -> StackState | None:
    """Read what the supervisor of this folder tells, None when none runs.

    What a dead supervisor left behind is not believed: a living one holds the folder's lock, and has not had the time
    to take away what another one told when it just got it.
    """
    if not is_locked(folder.stack_lock):
        return None
    try:
        told = msgspec.json.decode(folder.stack_state.read_bytes(), type=StackState)
    except (FileNotFoundError, msgspec.DecodeError):
        return None  # it has the lock and tells nothing yet
    return told if process_lives(told.pid) else None
