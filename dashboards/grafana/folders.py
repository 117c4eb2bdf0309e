"""The folders of boards, one a language, each with a uid for ever."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from dashboards.grafana.answers import Folder
from dashboards.grafana.errors import DeclinedError
from dashboards.grafana.outcome import Did, Outcome
from dashboards.words import Lang

if TYPE_CHECKING:
    from dashboards.grafana.connection import Connection

CONFLICT = 412
"""Somebody else was faster: it is there already, or was changed since it was read."""


class Place(NamedTuple):
    """Where boards of a language stand."""

    uid: str
    title: str


PLACES = {Lang.EN: Place("hotline", "Hotline"), Lang.ZH: Place("hotline-zh", "热线")}


def push_folder(connection: Connection, place: Place, *, dry_run: bool) -> Outcome:
    """Let the folder be there under its title. Raises GrafanaError."""
    found = connection.find(lambda grafana: grafana.folder.get_folder(place.uid), Folder)
    did = Did.CREATED if found is None else Did.UNCHANGED if found.title == place.title else Did.CHANGED
    if did is Did.CREATED and not dry_run:
        _create(connection, place)
    elif did is Did.CHANGED and not dry_run:
        connection.ask(lambda grafana: grafana.folder.update_folder(place.uid, place.title, overwrite=True), Folder)
    return Outcome(kind="folder", uid=place.uid, title=place.title, did=did)


def _create(connection: Connection, place: Place) -> None:
    try:
        connection.ask(lambda grafana: grafana.folder.create_folder(place.title, place.uid), Folder)
    except DeclinedError as error:
        if error.status != CONFLICT:  # else somebody made it at the same time
            raise
