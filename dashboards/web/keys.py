"""What handlers find in the application."""

from __future__ import annotations

from aiohttp import web

from dashboards.web.store import Store
from hotline.settings import Settings

STORE: web.AppKey[Store] = web.AppKey("store", Store)
SETTINGS: web.AppKey[Settings] = web.AppKey("settings", Settings)
