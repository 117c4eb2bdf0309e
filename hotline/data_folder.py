"""The data folder: where everything of one hotline stands, and the files that are made once and kept."""

from __future__ import annotations

import contextlib
import logging
import os
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

PSEUDONYM_KEY_BYTES = 32
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class DataFolder:
    """The places below `root`; nothing is made before `make`."""

    root: Path

    @property
    def engine(self) -> Path:
        """Owned by the embedded engine: tables, and nothing of ours."""
        return self.root / "engine"

    @property
    def broker(self) -> Path:
        """The working folder of the broker that belongs to the stack."""
        return self.root / "broker"

    @property
    def sink(self) -> Path:
        """The sink's spool."""
        return self.root / "sink"

    @property
    def secrets(self) -> Path:
        """Passwords and keys; nobody else may look inside."""
        return self.root / "secrets"

    @property
    def run(self) -> Path:
        """What says who runs now; worthless when nobody does."""
        return self.root / "run"

    @property
    def log(self) -> Path:
        """What the parts of the stack print, a file a part."""
        return self.root / "log"

    def fixed_file(self, setting: str) -> Path:
        """Name the file with the value of a setting that is fixed at the first start."""
        return self.root / setting

    @property
    def own_settings(self) -> Path:
        """The settings file that goes with this folder."""
        return self.root / "hotline.toml"

    @property
    def stack_state(self) -> Path:
        """What the supervisor says of itself and its parts, as JSON."""
        return self.run / "stack.json"

    @property
    def whole(self) -> Path:
        """The settings under which every part of the stack was last up at once, as JSON."""
        return self.run / "whole.json"

    @property
    def stack_lock(self) -> Path:
        """Locked (flock) by the one supervisor as long as it lives."""
        return self.run / "stack.lock"

    @property
    def ports(self) -> Path:
        """The ports of the last start, which the next one takes again when they are free."""
        return self.run / "ports.json"

    @property
    def users_lock(self) -> Path:
        """Locked in shared mode by every command that uses the stack."""
        return self.run / "users.lock"

    def password_file(self, account: str) -> Path:
        """Name the file of the password that the embedded engine made for its account `reader` or `writer`."""
        return self.secrets / f"{account}.password"

    def ready(self, process: str) -> Path:
        """Name the file in which a process says that it is ready (see `tell_ready`)."""
        return self.run / f"{process}.ready"

    def in_hand(self, topic: str, partition: int) -> Path:
        """Name the file in which a worker states what it is about to read of a partition (see `streams.in_hand`)."""
        return self.run / "in-hand" / f"{topic}-{partition}"

    def in_a_row(self, topic: str, partition: int) -> Path:
        """Name the file with how many dead letters in a row a line made (see `streams.measure.in_a_row`)."""
        return self.run / "in-a-row" / f"{topic}-{partition}"

    def stops(self, process: str) -> Path:
        """Name the file in which a process tells where it stands still (see `hotline.stops`)."""
        return self.run / f"{process}.stops"

    @property
    def roll_state(self) -> Path:
        """What roll knew at its last snapshot, and how far it had read then."""
        return self.root / "roll" / "state"

    def make(self) -> None:
        """Make the folders that are not there. Raises OSError when that cannot be."""
        self.root.mkdir(mode=0o700, parents=True, exist_ok=True)
        for folder in (self.engine, self.broker, self.sink, self.run, self.log):
            folder.mkdir(exist_ok=True)
        self.secrets.mkdir(mode=0o700, exist_ok=True)


def make_once(file: Path, content: bytes, *, mode: int = 0o644) -> bytes:
    """Make the file unless it is there, whole or not at all; return what stands in it, whoever made it."""
    if not file.exists():
        draft = file.with_name(f"{file.name}.{secrets.token_hex(4)}.new")
        try:
            with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as out:
                out.write(content)
                out.flush()
                os.fsync(out.fileno())
            with contextlib.suppress(FileExistsError):  # somebody else was first
                os.link(draft, file)
        finally:
            draft.unlink(missing_ok=True)
    return file.read_bytes()


def write_draft(draft: Path, content: bytes) -> None:
    """Write a file that is to take another's place, and have it on the disk.

    Raises OSError, as for a full disk; then nothing of it is left, for a piece would take the room of the next try.
    """
    try:
        with draft.open("wb") as out:
            out.write(content)
            out.flush()
            os.fsync(out.fileno())
    except OSError:
        draft.unlink(missing_ok=True)
        raise


def write_whole(file: Path, text: str) -> None:
    """Replace the file's text so that every reader sees the old or the new, never a piece.

    Raises OSError that names the file, as for a full disk; the old text stands then.
    """
    draft = file.with_name(f"{file.name}.{os.getpid()}.new")
    try:
        draft.write_text(text)
    except OSError as error:
        draft.unlink(missing_ok=True)
        raise OSError(error.errno, f"{error.strerror}: give the disk room, or let us write there", str(file)) from error
    draft.replace(file)


def pseudonym_key(data: Path) -> bytes:
    """Read the 32 random bytes that pseudonyms of this data folder are made with; made at first use.

    One that is gone is made anew, with a warning where something may be stored under the old one. Raises
    PermissionError when others can read the key, ValueError when it is damaged: with another key the same caller would
    get another pseudonym, so what stands in the file is never replaced.
    """
    there = DataFolder(data)
    there.secrets.mkdir(parents=True, exist_ok=True, mode=0o700)
    file = there.secrets / "pseudonym.key"
    is_gone = there.fixed_file("zone").exists() and not file.exists()
    key = make_once(file, secrets.token_bytes(PSEUDONYM_KEY_BYTES), mode=0o600)
    if is_gone:
        _log.warning(
            "the key of pseudonyms %s was gone, and another one was made: from now on the same caller has another "
            "pseudonym. If nobody took it away on purpose, stop everything and put it back from a backup",
            file,
        )
    require_private(file)
    if len(key) != PSEUDONYM_KEY_BYTES:
        raise ValueError(f"{file} has {len(key)} bytes, not {PSEUDONYM_KEY_BYTES}: put the key back from a backup")
    return key


def require_private(file: Path) -> None:
    """Raise PermissionError with the remedy when others than its owner can read a secret."""
    if file.stat().st_mode & 0o077:
        raise PermissionError(f"{file} can be read by others: run chmod 600 {file}")


def tell_ready(file: Path) -> None:
    """Say in `file` that this process is ready."""
    write_whole(file, f"{os.getpid()}\n")


def told_ready(file: Path, pid: int) -> bool:
    """Tell whether the process `pid` said in `file` that it is ready."""
    try:
        return file.read_text().strip() == str(pid)
    except OSError:
        return False
