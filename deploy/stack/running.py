"""The life of one supervised stack: the lock, what its folder fixes, the parts, the state that others read."""

import os
import threading
import time
from datetime import UTC, datetime

import msgspec

from deploy.stack.locks import is_locked, lock
from deploy.stack.plan import Programs, log_keeper, plan, resolve
from deploy.stack.state import Condition, PartState, StackState, plain_settings, publish, read_state
from deploy.stack.supervisor import Say, Supervisor, stop_on_signals
from hotline.data_folder import DataFolder, write_whole
from hotline.settings import CHINESE_CALENDAR, NO_CALENDAR, Settings, SettingsError, fix

_POLL_S = 0.1


def run_stack(settings: Settings, *, say: Say, programs: Programs | None = None, temporary: bool = False) -> None:
    """Run the stack of the data folder in the foreground until SIGINT, SIGTERM or SIGHUP.

    When one runs already this says so and returns; a starting one is waited for, and its work taken over when it
    does not come up. `temporary`: end as well when no command uses it any more. Raises SettingsError, StackError.
    """
    stop = threading.Event()
    stop_on_signals(stop)
    try:
        settings.folder.make()
    except OSError as error:
        raise SettingsError(f"cannot use the data folder {settings.data} ({error.strerror}): name another") from error
    while not stop.is_set():
        with lock(settings.folder.stack_lock) as mine:
            if mine:
                _supervise(settings, say=say, programs=programs or Programs(), temporary=temporary, stop=stop)
                return
        if temporary or _runs_for_good(settings, say, stop):
            return


def _supervise(settings: Settings, *, say: Say, programs: Programs, temporary: bool, stop: threading.Event) -> None:
    folder = settings.folder
    folder.stack_state.unlink(missing_ok=True)  # of one that was killed
    _check_working_time(settings)
    fix(settings)
    resolved = resolve(settings)
    told = StackState(
        pid=os.getpid(),
        state="starting",
        started_at=datetime.now(UTC).isoformat(timespec="seconds"),
        temporary=temporary,
        parts=[],
        raw_settings=plain_settings(resolved),
    )

    parts = plan(settings, resolved, programs)
    keeper = log_keeper(parts, resolved, programs)

    asked = msgspec.json.encode(plain_settings(settings)).decode()

    def tell(condition: Condition, parts: list[PartState]) -> None:
        if condition == "running":
            write_whole(folder.whole, asked)
        log = keeper.state if keeper else None
        publish(folder, msgspec.structs.replace(told, state=condition, parts=parts, log=log))

    def nobody_left() -> bool:
        with lock(folder.users_lock) as unused:
            if unused:
                tell("stopping", [])  # before the lock is free again: who comes now must not take it for running
            return unused

    supervisor = Supervisor(
        parts,
        say=say,
        publish=tell,
        stop=stop,
        upkeep=keeper.look if keeper else lambda: "",
        patient=not temporary and _was_whole(folder, asked),
    )
    try:
        supervisor.run(unused=nobody_left if temporary else lambda: False)
    finally:
        if keeper:
            keeper.stop()
        folder.stack_state.unlink(missing_ok=True)


def _was_whole(folder: DataFolder, asked: str) -> bool:
    """Whether these settings made a whole stack before: then it is not they that are wrong, and somebody counts on it.

    A command that began a stack for itself hears at once what is wrong.
    """
    try:
        return folder.whole.read_text() == asked
    except OSError:
        return False


def _check_working_time(settings: Settings) -> None:
    """Refuse a calendar or rule file that no worker could use. Raises SettingsError."""
    if settings.deadline_rule_file or settings.calendar not in {CHINESE_CALENDAR, NO_CALENDAR}:
        from hotline.working_time import load_working_time

        load_working_time(settings)


def _runs_for_good(settings: Settings, say: Say, stop: threading.Event) -> bool:
    """Wait while another stack of this folder starts or goes; tell whether one is up that stays."""
    said = ""
    while not stop.is_set() and is_locked(settings.folder.stack_lock):
        state = read_state(settings.folder)
        if state and state.state == "running" and not state.temporary:
            say(f"a stack runs already on {settings.data} (process {state.pid})")
            return True
        text = _waiting_for(state)
        if text != said:
            said = text
            say(text)
        time.sleep(_POLL_S)
    return False


def _waiting_for(state: StackState | None) -> str:
    if state is None or state.state == "starting":
        return "another process starts the stack: waiting for it"
    if state.state == "stopping":
        return "the former stack is stopping: waiting for its end"
    return f"a command runs a stack of its own (process {state.pid}): waiting for its end"
