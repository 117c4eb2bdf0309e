"""What a data folder fixes: passwords, and the zone of its days."""

from __future__ import annotations

from pathlib import Path

from hotline.data_folder import DataFolder, make_once, require_private
from hotline.settings.model import PREFIX, Account, Settings, SettingsError


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
    settings.data.mkdir(mode=0o700, parents=True, exist_ok=True)
    fixed = make_once(settings.folder.zone_file, f"{settings.zone}\n".encode()).decode().strip()
    if fixed != settings.zone:
        raise other_zone(settings, fixed)


def other_zone(settings: Settings, fixed: str) -> SettingsError:
    """Make the error of a zone that is not the folder's."""
    return SettingsError(
        f"zone is {settings.zone}, but the days in {settings.data} are days of {fixed} for ever: "
        f"set zone to {fixed}, or name another folder with --data"
    )


def zone_of(root: Path) -> str | None:
    """Read the zone that a data folder has fixed, None before its first start."""
    file = DataFolder(root).zone_file
    return file.read_text().strip() if file.is_file() else None
