"""What Grafana answers, as far as it is read here."""

from __future__ import annotations

from typing import Any

import msgspec

Json = dict[str, Any]


class User(msgspec.Struct):
    """Whose token it is."""

    login: str


class Health(msgspec.Struct):
    """The server itself."""

    database: str
    version: str = ""


class Folder(msgspec.Struct):
    """A folder of boards."""

    uid: str
    title: str


class Source(msgspec.Struct):
    """A data source."""

    uid: str
    type: str
    name: str = ""


class SourceHealth(msgspec.Struct):
    """What a data source says of itself."""

    status: str
    message: str = ""


class Meta(msgspec.Struct, rename="camel"):
    """What Grafana knows about a board besides the board."""

    folder_uid: str = ""
    provisioned: bool = False


class Stored(msgspec.Struct):
    """A board as Grafana holds it."""

    dashboard: Json
    meta: Meta

    @property
    def version(self) -> int | None:
        """Counts the saves that changed something."""
        found = self.dashboard.get("version")
        return found if isinstance(found, int) else None


class Saved(msgspec.Struct):
    """The answer to a save."""

    uid: str
    version: int


class Note(msgspec.Struct, rename="camel"):
    """An annotation; times in milliseconds. One that marks an instant ends when it begins, or has no end."""

    time: int
    time_end: int = 0
    text: str = ""
    tags: list[str] = []

    @property
    def end(self) -> int:
        """When it ends."""
        return self.time_end or self.time


class Noted(msgspec.Struct):
    """The answer to a new annotation."""

    id: int
