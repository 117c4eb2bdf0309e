"""Errors as a user meets them: one sentence with the remedy, an exit code, and for the unexpected a log."""

import os
import sys
import tempfile
import traceback
from dataclasses import dataclass
from pathlib import Path

import typer

DIFFERS, CANNOT, NOT_RUNNING = 1, 2, 3

# (module, class, exit code), the more special first. Modules are looked up, never imported: an error of a room that
# was not loaded cannot have been raised.
KNOWN = (
    ("deploy.stack.errors", "NotRunningError", NOT_RUNNING),
    ("deploy.stack.errors", "StackError", CANNOT),
    ("deploy.brokers.admin", "BrokerError", CANNOT),
    ("hotline.settings", "SettingsError", CANNOT),
    ("hotline.catalogue.algebra", "CatalogueError", CANNOT),
    ("sinks.migrations", "MigrationError", CANNOT),
    ("dashboards.grafana.errors", "GrafanaError", CANNOT),
    ("dashboards.lint", "LintError", CANNOT),
    ("dashboards.pictures.errors", "PictureError", CANNOT),
    ("clickhouse_connect.driver.exceptions", "ClickHouseError", CANNOT),
)


@dataclass(frozen=True)
class Failure:
    """What is told to the user and to the shell."""

    sentence: str
    exit_code: int


def describe(error: Exception) -> Failure:
    """Find the sentence and the exit code of an error; an unexpected one goes to a log that the sentence names."""
    if isinstance(error, typer.TyperException):
        return Failure(_usage(error), CANNOT)
    if isinstance(error, typer.Abort):
        return Failure("stopped", DIFFERS)
    for module, name, exit_code in KNOWN:
        kind = getattr(sys.modules.get(module), name, None)
        if kind is not None and isinstance(error, kind):
            return Failure(str(error), exit_code)
    if isinstance(error, PermissionError | FileNotFoundError | IsADirectoryError | NotADirectoryError):
        return Failure(_about_file(error), CANNOT)
    log = _write_log(error)
    return Failure(
        f"unexpected {type(error).__name__}: {error} (this is a fault of ours; the details are in {log})", CANNOT
    )


def _usage(error: Exception) -> str:
    message = getattr(error, "format_message", lambda: str(error))()
    context = getattr(error, "ctx", None)
    command = getattr(context, "command_path", "hotline")
    return f"{message.rstrip('.')}: see {command} --help" if message else f"see {command} --help"


def _about_file(error: OSError) -> str:
    if not error.filename:
        return str(error)
    return f"cannot use {error.filename}: {error.strerror}; check the path and its permissions"


def _write_log(error: Exception) -> Path:
    handle, name = tempfile.mkstemp(prefix="hotline-error-", suffix=".log")
    with os.fdopen(handle, "w") as log:
        log.write(f"hotline {' '.join(sys.argv[1:])}\n")
        log.write("".join(traceback.format_exception(error)))
    return Path(name)
