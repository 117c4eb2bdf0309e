"""Reading a file of data, TOML or JSON, into a struct; whatever is wrong with it is said with file, key and remedy."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from hotline.working_time.errors import WorkingTimeError

T = TypeVar("T")
_PLACE = re.compile(r" - at `\$\.?(.*)`$")


def read(file: Path, struct: type[T], *, page: str = "docs/working-time.md") -> T:
    """The file's content. Raises WorkingTimeError."""
    try:
        return msgspec.convert(_parsed(file), struct)
    except msgspec.ValidationError as error:
        place = _PLACE.search(str(error))
        what = _PLACE.sub("", str(error))
        raise wrong(file, place[1] if place else "", what, f"write it as {page} shows") from error


def wrong(file: Path | str, key: str, what: str, remedy: str) -> WorkingTimeError:
    """The error of one key of a file."""
    return WorkingTimeError(f"{file}: {key + ': ' if key else ''}{what}; {remedy}")


def _parsed(file: Path) -> Any:
    try:
        text = file.read_text(encoding="utf-8")
        return msgspec.json.decode(text) if file.suffix == ".json" else tomllib.loads(text)
    except OSError as error:
        raise WorkingTimeError(f"cannot read {file} ({error.strerror}): name another file, or put it there") from error
    except (ValueError, msgspec.DecodeError) as error:
        kind = "JSON" if file.suffix == ".json" else "TOML"
        raise WorkingTimeError(f"{file} is no {kind}: {error}; correct it") from error
