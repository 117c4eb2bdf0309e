"""Where a process stands still until somebody decides, told in a file for `hotline status`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from hotline.data_folder import write_whole

if TYPE_CHECKING:
    from pathlib import Path


class Stops:
    """The stops of one process, by place. What a process before it told stays until that place goes on."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def say(self, place: str, why: str) -> None:
        """A place stands still."""
        self._write({**_read(self._file), place: why})

    def over(self, place: str) -> None:
        """It goes on."""
        known = _read(self._file)
        if known.pop(place, None) is not None:
            self._write(known)

    def _write(self, known: dict[str, str]) -> None:
        write_whole(self._file, msgspec.json.encode(known).decode())


def told(file: Path) -> tuple[str, ...]:
    """What a process tells of its stops."""
    return tuple(_read(file).values())


def _read(file: Path) -> dict[str, str]:
    try:
        return msgspec.json.decode(file.read_bytes(), type=dict[str, str])
    except (OSError, msgspec.MsgspecError):
        return {}
