"""Reading the settings from where they may stand."""

from __future__ import annotations

import difflib
import os
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

import msgspec

from hotline.data_folder import DataFolder
from hotline.settings.fixed import fixed_in
from hotline.settings.model import (
    CHINESE_CALENDAR,
    CHINESE_ZONE,
    FIELDS,
    NO_CALENDAR,
    PREFIX,
    TYPES,
    Settings,
    SettingsError,
)
from hotline.settings.rules import check

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

DEFAULT_DATA = ".hotline"
TOML = "hotline.toml"


@dataclass(frozen=True)
class _Source:
    """One place that may name settings, the strongest first."""

    origin: str
    values: Mapping[str, object]
    base: Path
    is_text: bool = False

    def where(self, name: str) -> str:
        return f"environment {PREFIX}{name.upper()}" if self.is_text else self.origin


def load(data: Path | str | None = None, environ: Mapping[str, str] = os.environ) -> tuple[Settings, dict[str, str]]:
    """Read the settings; `data` (of --data) wins over all else. Return them with the origin of each.

    The order is: environment HOTLINE_*, hotline.toml in the data folder, hotline.toml in the current folder,
    defaults. An empty variable counts as absent. What the data folder has fixed is taken when nothing else is named.
    Raises SettingsError.
    """
    here = Path.cwd()
    env = _Source("environment", _of_environment(environ), here, is_text=True)
    toml = _Source(str(here / TOML), _read_toml(here / TOML), here)
    root, origin = _data(data, (env, toml))
    own_file = DataFolder(root).own_settings
    own = _Source(str(own_file), {} if root == here else _read_toml(own_file), root)
    if "data" in own.values:
        raise SettingsError(f"data stands in {own_file}, which is already inside the data folder: remove it there")
    fixed = _Source(f"fixed in {root}", fixed_in(root), root)
    values: dict[str, Any] = {"data": root}
    origins = {"data": origin}
    for name in FIELDS[1:]:
        source = next((s for s in (env, own, toml, fixed) if name in s.values), None)
        origins[name] = source.where(name) if source else "default"
        if source:
            values[name] = _value(name, source)
    if "calendar" not in values and values.get("zone", CHINESE_ZONE) != CHINESE_ZONE:
        values["calendar"] = NO_CALENDAR
    settings = Settings(**values)
    check(settings, origins)
    return settings, origins


def _data(given: Path | str | None, sources: Iterable[_Source]) -> tuple[Path, str]:
    if given:
        return Path(given).expanduser().absolute(), "--data"
    for source in sources:
        if "data" in source.values:
            named = source.values["data"]
            if not isinstance(named, str) or not named:
                raise _unusable("data", named, source, "the path of a folder")
            return (source.base / Path(named).expanduser()).absolute(), source.where("data")
    return Path(DEFAULT_DATA).absolute(), "default"


def _of_environment(environ: Mapping[str, str]) -> dict[str, object]:
    named = ((name, environ.get(PREFIX + name.upper(), "")) for name in FIELDS)
    return {name: value for name, value in named if value}


def unknown_variables(environ: Mapping[str, str] = os.environ) -> list[str]:
    """Variables that look like settings and are none."""
    known = {PREFIX + name.upper() for name in FIELDS}
    return sorted(name for name in environ if name.startswith(PREFIX) and name not in known)


def nearest(name: str) -> str:
    """Find the settings whose names are nearest to that one, for a message."""
    return ", ".join(difflib.get_close_matches(name.lower(), FIELDS, 3, 0.5)) or "see hotline config"


def _read_toml(file: Path) -> dict[str, object]:
    if not file.is_file():
        return {}
    try:
        values: dict[str, object] = tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise SettingsError(f"cannot read {file}: {error}; correct it, or remove it") from error
    for name in values:
        if name in FIELDS:
            continue
        if "password" in name:
            raise SettingsError(f"{name} in {file}: a password stands in a file of its own; name that: {nearest(name)}")
        raise SettingsError(f"unknown setting {name} in {file}: did you mean {nearest(name)}?")
    return values


def _value(name: str, source: _Source) -> object:
    given = source.values[name]
    try:
        value: object = msgspec.convert(given, TYPES[name], strict=not source.is_text)
    except msgspec.ValidationError as error:
        raise _unusable(name, given, source, _wanted(TYPES[name])) from error
    if value and (name.endswith("_file") or (name == "calendar" and value not in {CHINESE_CALENDAR, NO_CALENDAR})):
        return str((source.base / Path(str(value)).expanduser()).absolute())
    return value


def _unusable(name: str, value: object, source: _Source, wanted: str) -> SettingsError:
    return SettingsError(f"{name} is {value!r} ({source.where(name)}), but must be {wanted}: correct or remove it")


def _wanted(annotated: Any) -> str:
    kind, *metas = get_args(annotated)
    if get_args(kind):
        return " or ".join(get_args(kind))
    least, most = (next((getattr(m, end) for m in metas if getattr(m, end) is not None), None) for end in ("ge", "le"))
    if kind is int:
        bounds = f" from {least}" + (f" to {most}" if most is not None else " on")
        return f"a whole number{bounds}"
    return "a text"
