"""What can be wrong with a machine before anything is started, each with its remedy."""

import os
import shutil
import socket
import stat
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import psutil

from cli.versions import NOT_INSTALLED, versions
from deploy.stack.state import read_state
from hotline.settings import Settings, unknown_variables

MEMORY_BYTES_MIN = 2_684_354_560  # 2.5 GiB, what the whole stack takes while loading
DISK_BYTES_MIN = 5 << 30
CALENDAR_AHEAD_DAYS = 30
"""A calendar must reach this much further than today: the longest terms in use are a month."""
_GIB = 1 << 30
_CLOCK_SLACK_S = 24 * 3600


class Finding(msgspec.Struct, frozen=True):
    """One thing that was checked: what was found, and the remedy when that is not well."""

    check: str
    ok: bool
    found: str
    remedy: str = ""


def examine(settings: Settings) -> list[Finding]:
    """Check everything; starts nothing and changes nothing."""
    return [
        _python(),
        *_packages(),
        _stack(settings),
        *_ports(settings),
        _disk(settings),
        _memory(settings),
        _clock(),
        *_working_time(settings),
        *_deadlines(settings),
        _folder(settings),
        *_secrets(settings),
        *_variables(),
        _pictures(),
    ]


def _finding(check: str, found: str, *, ok: bool, remedy: str) -> Finding:
    return Finding(check, ok, found, "" if ok else remedy)


def _python() -> Finding:
    found = ".".join(map(str, sys.version_info[:3]))
    return _finding("python", found, ok=sys.version_info >= (3, 11), remedy="install Python 3.11 or newer")


def _packages() -> Iterator[Finding]:
    for name, found in versions().items():
        if name != "python":
            yield _finding(name, found, ok=found != NOT_INSTALLED, remedy="run make env")


def _stack(settings: Settings) -> Finding:
    state = read_state(settings.folder)
    return Finding("stack", ok=True, found=f"process {state.pid}, {state.state}" if state else "none runs")


def _ports(settings: Settings) -> Iterator[Finding]:
    if read_state(settings.folder):
        return  # they are held by the stack itself
    for name in ("engine_port", "broker_port", "sink_health_port", "web_port"):
        port = getattr(settings, name)
        if port:
            remedy = f"stop the program that holds it, or set {name} to another port or to 0"
            free = _is_free(port)
            yield _finding(name, f"{port} {'is free' if free else 'is taken'}", ok=free, remedy=remedy)


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def _disk(settings: Settings) -> Finding:
    there = next(folder for folder in (settings.data, *settings.data.parents) if folder.exists())
    free = shutil.disk_usage(there).free
    remedy = f"free {DISK_BYTES_MIN / _GIB:g} GiB, or put the data on another disk with --data"
    return _finding("disk", f"{free / _GIB:.1f} GiB free at {there}", ok=free >= DISK_BYTES_MIN, remedy=remedy)


def _memory(settings: Settings) -> Finding:
    free = psutil.virtual_memory().available
    running = read_state(settings.folder) is not None  # then it has its memory already
    remedy = f"a load takes up to {MEMORY_BYTES_MIN / _GIB:g} GiB: end other programs"
    return _finding("memory", f"{free / _GIB:.1f} GiB free", ok=running or free >= MEMORY_BYTES_MIN, remedy=remedy)


def _clock() -> Finding:
    """See whether the clock is before this program was made."""
    made = Path(__file__).stat().st_mtime
    now = time.time()
    found = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(now))
    return _finding("clock", found, ok=now > made - _CLOCK_SLACK_S, remedy="it is behind: set the machine's clock")


def _working_time(settings: Settings) -> Iterator[Finding]:
    """See how far the calendar reaches, and what the rule is."""
    from hotline.working_time import WorkingTimeError, load_working_time

    try:
        working = load_working_time(settings)
    except WorkingTimeError as error:
        yield Finding("working time", ok=False, found=settings.calendar, remedy=str(error))
        return
    if working.calendar is not None:
        calendar = working.calendar
        found = f"{calendar.name}, version {calendar.version}, knows {calendar.first} to {calendar.last}"
        ahead = (calendar.last - datetime.now(UTC).date()).days
        yield _finding("calendar", found, ok=ahead > CALENDAR_AHEAD_DAYS, remedy=calendar.remedy)
    if working.rule is not None:
        rule = working.rule
        yield Finding("deadline rule", ok=True, found=f"{rule.name}, version {rule.version}, {len(rule.terms)} terms")


def _deadlines(settings: Settings) -> Iterator[Finding]:
    """See in the database of what runs whether a year that nobody announced left tickets without their deadline."""
    from deploy.stack.errors import NotRunningError
    from deploy.stack.stopping import found

    try:
        there = found(settings)
    except NotRunningError:
        return
    from clickhouse_connect.driver.exceptions import ClickHouseError

    from sinks.checkup import without_deadline
    from sinks.connecting import connect

    try:
        with connect(there, "writer") as client:
            left = without_deadline(client)
    except (ClickHouseError, OSError) as error:
        what = f"not looked at, the database does not answer: {error}"
        yield Finding("deadlines", ok=False, found=what, remedy="hotline status names the part that is away")
        return
    if left is None:
        yield Finding("deadlines", ok=True, found="no ticket lacks the one that the rule gives it")
        return
    what = f"{left.count:,} tickets lack the one that the rule gives them, such as {left.example}"
    remedy = f"{_reach(settings)}; then hotline migrate folds them again"
    yield Finding("deadlines", ok=False, found=f"{what}, dispatched on {left.dispatched_on}", remedy=remedy)


def _reach(settings: Settings) -> str:
    """Say how far the calendar reaches and how it reaches further."""
    from hotline.working_time import WorkingTimeError, load_working_time

    try:
        calendar = load_working_time(settings).calendar
    except WorkingTimeError as error:
        return str(error)
    if calendar is None:
        return "the settings name no calendar: set calendar and deadline_rule_file as they were"
    return f"the calendar {calendar.name} knows {calendar.first} to {calendar.last}: {calendar.remedy}"


def _folder(settings: Settings) -> Finding:
    if not settings.data.exists():
        return Finding("data", ok=True, found=f"{settings.data} is made at the first start")
    return _finding(
        "data",
        str(settings.data),
        ok=settings.data.is_dir() and _may_write(settings.data),
        remedy="it must be a folder that you may write: change its owner, or name another with --data",
    )


def _may_write(folder: Path) -> bool:
    return os.access(folder, os.W_OK | os.X_OK)


def _secrets(settings: Settings) -> Iterator[Finding]:
    folder = settings.folder.secrets
    if not folder.is_dir():
        return
    for path in (folder, *sorted(folder.iterdir())):
        mode = stat.S_IMODE(path.stat().st_mode)
        wanted = "700" if path.is_dir() else "600"
        remedy = f"others can read it: run chmod {wanted} {path}"
        yield _finding(f"secret {path.name}", f"{path} has mode {mode:o}", ok=not mode & 0o077, remedy=remedy)


def _variables() -> Iterator[Finding]:
    for name in unknown_variables():
        yield Finding("environment", ok=False, found=name, remedy="it is no setting: see hotline config")


def _pictures() -> Finding:
    """Name the browser that would take pictures of boards; to have none is well."""
    from dashboards.pictures.browser import find
    from dashboards.pictures.errors import PictureError

    try:
        return Finding("pictures", ok=True, found=find())
    except PictureError as error:
        return Finding("pictures", ok=True, found=str(error))
