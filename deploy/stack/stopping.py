"""Stopping the stack of a data folder from another process."""

import contextlib
import os
import signal
import time

from deploy.stack.answering import process_lives
from deploy.stack.errors import NotRunningError, StackError
from deploy.stack.locks import is_locked
from deploy.stack.state import StackState, read_state
from hotline.settings import Settings

STOP_TIMEOUT_S = 90.0
_POLL_S = 0.05


def running(settings: Settings) -> StackState:
    """Read the state of the stack that runs. Raises NotRunningError."""
    state = read_state(settings.folder)
    if state is None:
        raise NotRunningError(f"no stack runs on {settings.data}: start one with hotline up")
    return state


def found(settings: Settings) -> Settings:
    """Give the settings with the addresses of what runs: the stack's, or those that they name themselves.

    Raises NotRunningError.
    """
    return settings if settings.bootstrap and settings.clickhouse_url else running(settings).settings


def stop_stack(settings: Settings, *, timeout_s: float = STOP_TIMEOUT_S) -> int:
    """Stop the stack of the data folder and return its process id when it is gone.

    Raises NotRunningError when none runs, StackError when it is still there after `timeout_s` seconds.
    """
    deadline = time.monotonic() + timeout_s
    pid = _supervisor(settings, deadline)
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGTERM)
    while process_lives(pid):
        if time.monotonic() > deadline:
            raise StackError(f"the stack (process {pid}) did not end within {timeout_s:g} s: see {settings.folder.log}")
        time.sleep(_POLL_S)
    return pid


def _supervisor(settings: Settings, deadline: float) -> int:
    """Find the process to signal; one that has the lock and tells nothing yet is waited for."""
    while is_locked(settings.folder.stack_lock) and time.monotonic() < deadline:
        state = read_state(settings.folder)
        if state:
            return state.pid
        time.sleep(_POLL_S)
    return running(settings).pid
