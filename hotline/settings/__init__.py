"""Settings: read once, from the environment, `hotline.toml` and defaults, and handed on as one value.

Nothing else in this product reads the environment. A password is never a setting: settings name the file it is in.
"""

from hotline.data_folder import pseudonym_key
from hotline.settings.fixed import fix, password, password_file
from hotline.settings.model import CHINESE_CALENDAR, NO_CALENDAR, Account, Settings, SettingsError, doc, environment
from hotline.settings.reading import load, unknown_variables

__all__ = [
    "CHINESE_CALENDAR",
    "NO_CALENDAR",
    "Account",
    "Settings",
    "SettingsError",
    "doc",
    "environment",
    "fix",
    "load",
    "password",
    "password_file",
    "pseudonym_key",
    "unknown_variables",
]
