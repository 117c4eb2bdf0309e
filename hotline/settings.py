"""Settings: read once, from the environment, `hotline.toml` and defaults, and handed on as one value.

Nothing else in this product reads the environment. A password is never a setting: settings name the file it is in.
"""

from __future__ import annotations

import difflib
import os
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, get_args, get_type_hints
from urllib.parse import urlsplit
from zoneinfo import available_timezones

import msgspec
from msgspec import Meta

from hotline.data_folder import DataFolder, make_once, pseudonym_key, require_private

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = [
    "Account",
    "Settings",
    "SettingsError",
    "doc",
    "environment",
    "fix_zone",
    "load",
    "password",
    "pseudonym_key",
]

PREFIX = "HOTLINE_"
DEFAULT_DATA = ".hotline"
TOML = "hotline.toml"

Account = Literal["reader", "writer"]
Port = Annotated[int, Meta(ge=0, le=65_535)]
Bytes = Annotated[int, Meta(ge=1 << 20)]


class SettingsError(Exception):
    """A setting cannot be used; the message names it, its value, where that stands, and the remedy."""


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """Every setting of one hotline. Units come last in a name; `doc` gives each field's one line."""

    data: Annotated[Path, Meta(description="Folder of everything that is kept: tables, spool, secrets, logs.")]
    zone: Annotated[
        str, Meta(description="Time zone of the hotline's days; fixed in a data folder at its first start.")
    ] = "Asia/Shanghai"
    partitions: Annotated[int, Meta(ge=1, le=1024, description="Partitions of every topic.")] = 2
    workers: Annotated[int, Meta(ge=1, le=1024, description="Worker processes that share the partitions.")] = 1
    worker: Annotated[int, Meta(ge=0, description="Which of the workers this process is, from 0.")] = 0
    deployment: Annotated[
        int, Meta(ge=1, description="Number of this deployment; a lower one is refused by what a higher one wrote.")
    ] = 1
    broker: Annotated[Literal["embedded", "kafka"], Meta(description="Kind of broker: embedded, or Apache Kafka.")] = (
        "embedded"
    )
    bootstrap: Annotated[
        str, Meta(description="host:port of a Kafka cluster, several with commas; empty: a broker of the stack's own.")
    ] = ""
    broker_port: Annotated[
        Port, Meta(description="Port of the stack's own broker on 127.0.0.1; 0 takes a free one.")
    ] = 0
    clickhouse_url: Annotated[
        str, Meta(description="http(s)://host:port of a ClickHouse server; empty: an engine of the stack's own.")
    ] = ""
    clickhouse_reader: Annotated[str, Meta(min_length=1, description="Account that reads.")] = "reader"
    clickhouse_writer: Annotated[str, Meta(min_length=1, description="Account that writes.")] = "writer"
    clickhouse_reader_password_file: Annotated[
        str, Meta(description="File with the reader's password; empty: secrets/reader.password in the data folder.")
    ] = ""
    clickhouse_writer_password_file: Annotated[
        str, Meta(description="File with the writer's password; empty: secrets/writer.password in the data folder.")
    ] = ""
    engine_port: Annotated[
        Port, Meta(description="Port of the stack's own engine on 127.0.0.1; 0 takes a free one.")
    ] = 0
    engine_memory_bytes_max: Annotated[Bytes, Meta(description="Memory of the stack's own engine.")] = 1 << 30
    sink_health_port: Annotated[
        Port, Meta(description="Port of the sink's health on 127.0.0.1; 0 takes a free one.")
    ] = 0
    batch_wait_ms: Annotated[int, Meta(ge=1, le=60_000, description="Longest time the sink gathers a batch.")] = 200
    batch_rows_max: Annotated[int, Meta(ge=1, description="Rows at which the sink's batch is full.")] = 500_000
    batch_bytes_max: Annotated[Bytes, Meta(description="Bytes at which the sink's batch is full.")] = 64 << 20
    unstored_bytes_max: Annotated[
        Bytes, Meta(description="Outputs not yet stored at which a worker pauses, a partition.")
    ] = 64 << 20
    warm_bytes_max: Annotated[Bytes, Meta(description="Memory of a worker for calls and tickets kept at hand.")] = (
        512 << 20
    )
    log_bytes_max: Annotated[
        Bytes, Meta(description="Bytes in the embedded broker at which it gets a new, empty log.")
    ] = 256 << 20

    @property
    def folder(self) -> DataFolder:
        """The places in the data folder."""
        return DataFolder(self.data)


_TYPES: dict[str, Any] = get_type_hints(Settings, include_extras=True)
_FIELDS = tuple(field.name for field in msgspec.structs.fields(Settings))


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
    defaults. An empty variable counts as absent. A zone that the data folder has fixed is taken when none is named.
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
    fixed = _Source(f"fixed in {root}", _of_folder(root), root)
    values: dict[str, Any] = {"data": root}
    origins = {"data": origin}
    for name in _FIELDS[1:]:
        source = next((s for s in (env, own, toml, fixed) if name in s.values), None)
        origins[name] = source.where(name) if source else "default"
        if source:
            values[name] = _value(name, source)
    settings = Settings(**values)
    _check(settings, origins)
    return settings, origins


def doc(name: str) -> str:
    """Describe a setting in one line."""
    return str(next(m.description for m in _TYPES[name].__metadata__ if m.description))


def environment(settings: Settings) -> dict[str, str]:
    """Give the variables by which a child process reads exactly these settings."""
    return {PREFIX + name.upper(): str(getattr(settings, name)) for name in _FIELDS}


def password_file(settings: Settings, account: Account) -> Path:
    """Tell where the password of that account stands."""
    named = {
        "reader": settings.clickhouse_reader_password_file,
        "writer": settings.clickhouse_writer_password_file,
    }[account]
    return Path(named) if named else settings.folder.password_file(account)


def password(settings: Settings, account: Account) -> str:
    """Read the password of that account. Raises SettingsError when its file is absent, empty or open to others."""
    file = password_file(settings, account)
    try:
        require_private(file)
        found = file.read_text().strip()
    except PermissionError as error:
        raise SettingsError(str(error)) from error
    except OSError as error:
        raise SettingsError(
            f"no password of the {account} in {file} ({error.strerror}): start the stack once (hotline up), which "
            f"makes one, or name its file in {PREFIX}CLICKHOUSE_{account.upper()}_PASSWORD_FILE"
        ) from error
    if not found:
        raise SettingsError(f"the password file {file} is empty: write the {account}'s password into it")
    return found


def fix_zone(settings: Settings) -> None:
    """Fix the zone in the data folder at its first start. Raises SettingsError when it holds another one."""
    settings.data.mkdir(parents=True, exist_ok=True)
    fixed = make_once(settings.folder.zone_file, f"{settings.zone}\n".encode()).decode().strip()
    if fixed != settings.zone:
        raise _other_zone(settings, fixed)


def _other_zone(settings: Settings, fixed: str) -> SettingsError:
    return SettingsError(
        f"zone is {settings.zone}, but the days in {settings.data} are days of {fixed} for ever: "
        f"set zone to {fixed}, or name another folder with --data"
    )


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
    named = ((name, environ.get(PREFIX + name.upper(), "")) for name in _FIELDS)
    return {name: value for name, value in named if value}


def unknown_variables(environ: Mapping[str, str] = os.environ) -> list[str]:
    """Variables that look like settings and are none."""
    known = {PREFIX + name.upper() for name in _FIELDS}
    return sorted(name for name in environ if name.startswith(PREFIX) and name not in known)


def nearest(name: str) -> str:
    """Find the settings whose names are nearest to that one, for a message."""
    return ", ".join(difflib.get_close_matches(name.lower(), _FIELDS, 3, 0.5)) or "see hotline config"


def _of_folder(root: Path) -> dict[str, object]:
    file = DataFolder(root).zone_file
    return {"zone": file.read_text().strip()} if file.is_file() else {}


def _read_toml(file: Path) -> dict[str, object]:
    if not file.is_file():
        return {}
    try:
        values: dict[str, object] = tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise SettingsError(f"cannot read {file}: {error}; correct it, or remove it") from error
    for name in values:
        if name in _FIELDS:
            continue
        if "password" in name:
            raise SettingsError(f"{name} in {file}: a password stands in a file of its own; name that: {nearest(name)}")
        raise SettingsError(f"unknown setting {name} in {file}: did you mean {nearest(name)}?")
    return values


def _value(name: str, source: _Source) -> object:
    given = source.values[name]
    try:
        value: object = msgspec.convert(given, _TYPES[name], strict=not source.is_text)
    except msgspec.ValidationError as error:
        raise _unusable(name, given, source, _wanted(_TYPES[name])) from error
    if name.endswith("_file") and value:
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


def _check(settings: Settings, origins: Mapping[str, str]) -> None:
    """Refuse what no single field's type can."""
    if settings.zone not in available_timezones():
        from hotline.zones import zone  # heavy, and only its message is wanted

        try:
            zone(settings.zone)
        except ValueError as error:
            raise SettingsError(f"zone ({origins['zone']}): {error}") from error
    fixed = _of_folder(settings.data).get("zone", settings.zone)
    if fixed != settings.zone:
        raise _other_zone(settings, str(fixed))
    if settings.workers > settings.partitions:
        raise SettingsError(
            f"workers is {settings.workers} ({origins['workers']}), more than the {settings.partitions} partitions "
            f"({origins['partitions']}) they share: set fewer workers or more partitions"
        )
    if settings.worker >= settings.workers:
        raise SettingsError(
            f"worker is {settings.worker} ({origins['worker']}), but must be below workers: {settings.workers}"
        )
    _check_bootstrap(settings, origins)
    _check_url(settings, origins)


def _check_bootstrap(settings: Settings, origins: Mapping[str, str]) -> None:
    for address in filter(None, settings.bootstrap.split(",")):
        host, _, port = address.strip().rpartition(":")
        if not host or not port.isdigit() or "/" in host or "@" in host:
            raise SettingsError(
                f"bootstrap is {settings.bootstrap!r} ({origins['bootstrap']}), "
                "but must be host:port, several with commas"
            )


def _check_url(settings: Settings, origins: Mapping[str, str]) -> None:
    if not settings.clickhouse_url:
        return
    url = urlsplit(settings.clickhouse_url)
    if url.username or url.password or url.query:
        raise SettingsError(
            f"clickhouse_url ({origins['clickhouse_url']}) holds more than http(s)://host:port: a user goes into "
            "clickhouse_writer, a password into the file that clickhouse_writer_password_file names"
        )
    if url.scheme not in {"http", "https"} or not url.hostname:
        raise SettingsError(
            f"clickhouse_url is {settings.clickhouse_url!r} ({origins['clickhouse_url']}), but must be http(s)://host:port"
        )
