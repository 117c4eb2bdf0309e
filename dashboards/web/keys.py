"""What handlers find in the application."""

from __future__ import annotations

from collections.abc import Callable

from aiohttp import web

from dashboards.web.store import Store
from hotline.settings import Settings

Clock = Callable[[], float]
"""Epoch seconds."""

CLOCK: web.AppKey[Clock] = web.AppKey("clock")
STORE: web.AppKey[Store] = web.AppKey("store", Store)
SETTINGS: web.AppKey[Settings] = web.AppKey("settings", Settings)
