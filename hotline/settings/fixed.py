"""What a data folder fixes: passwords, the zone of its days, and over how many partitions its data is spread."""

from __future__ import annotations

from pathlib import Path

import msgspec

from hotline.data_folder import DataFolder, make_once, pseudonym_key, require_private
from hotline.settings.model import PREFIX, TYPES, Account, Settings, SettingsError

FIXED = {
    "zone": "the days in {data} are days of {value}",
    "partitions": "what is stored in {data} is spread over {value}",
}
"""Settings that a data folder fixes, and what depends on them: a call must be found where its first event went."""


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


def fix(settings: Settings) -> None:
    """Fix in the data folder, at its first start, what may never change in it.

    The key of pseudonyms is made before all of it: where it is missing later, it was lost. Raises SettingsError when
    the folder has fixed something else.
    """
    settings.data.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not fixed_in(settings.data):
        pseudonym_key(settings.data)
    for name in FIXED:
        make_once(settings.folder.fixed_file(name), f"{getattr(settings, name)}\n".encode())
    refuse_others(settings)


def refuse_others(settings: Settings) -> None:
    """Raise SettingsError, with both values, when the data folder has fixed another value."""
    for name, value in fixed_in(settings.data).items():
        asked = getattr(settings, name)
        if asked != value:
            raise SettingsError(
                f"{name} is {asked}, but {FIXED[name].format(data=settings.data, value=value)} for ever: "
                f"set {name} to {value}, or name another folder with --data"
            )


def fixed_in(root: Path) -> dict[str, str | int]:
    """Read what a data folder has fixed; nothing before its first start. Raises SettingsError for a damaged file."""
    files = {name: DataFolder(root).fixed_file(name) for name in FIXED}
    return {name: _read(name, file) for name, file in files.items() if file.is_file()}


def _read(name: str, file: Path) -> str | int:
    text = file.read_text().strip()
    try:
        value: str | int = msgspec.convert(text, TYPES[name], strict=False)
    except msgspec.ValidationError as error:
        raise SettingsError(f"{file} says {text!r}, which is no {name}: put it back from a backup") from error
    return value
