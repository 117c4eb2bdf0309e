"""What can be wrong with a calendar or a rule."""

from __future__ import annotations

from hotline.settings.model import SettingsError


class WorkingTimeError(SettingsError):
    """A calendar or a rule cannot be used; the message names the file, the key, its value and the remedy."""


class UnknownYearError(WorkingTimeError):
    """A calendar was asked about a day that it does not know, and does not guess."""
