"""Boards into a Grafana: each compared with what is there, and saved only when it differs.

A save names the version that was compared. So nothing is overwritten that was not looked at: when somebody saves in
between, Grafana answers 412, and the board is looked at again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from dashboards.grafana.answers import Saved, Stored
from dashboards.grafana.differences import Difference, differences
from dashboards.grafana.errors import DeclinedError, GrafanaError
from dashboards.grafana.folders import CONFLICT, PLACES, push_folder
from dashboards.grafana.outcome import Did, Outcome

if TYPE_CHECKING:
    from dashboards.choosing import Chosen
    from dashboards.grafana.connection import Connection

BAD_INPUT = 400
LOOKS_MAX = 5
BY_FILE = (
    "it is provisioned by a file, and Grafana saves no such board: change the file (hotline boards export), or take it "
    "out of Grafana's provisioning"
)


class Standing(NamedTuple):
    """How one of our boards stands in Grafana."""

    there: Stored | None
    differences: list[Difference]

    @property
    def outcome(self) -> Did:
        """What a push does about it."""
        if self.there is None:
            return Did.CREATED
        if not self.differences:
            return Did.UNCHANGED
        return Did.REFUSED if self.there.meta.provisioned else Did.CHANGED


def push(connection: Connection, boards: Iterable[Chosen], *, message: str, dry_run: bool = False) -> Iterator[Outcome]:
    """Let the boards and their folders be as they are here; what became of each, as it happens.

    `message` goes into Grafana's history of a board. A dry run reads only, and tells what would be done. Raises
    GrafanaError when it cannot go on; a board that Grafana refuses is an outcome.
    """
    chosen = list(boards)
    for lang in dict.fromkeys(each.lang for each in chosen):
        yield push_folder(connection, PLACES[lang], dry_run=dry_run)
    for each in chosen:
        yield look(connection, each) if dry_run else _push(connection, each, message)


def look(connection: Connection, ours: Chosen) -> Outcome:
    """Tell what a push would do about one board. Raises GrafanaError."""
    return _outcome(ours, _standing(connection, ours))


def _push(connection: Connection, ours: Chosen, message: str) -> Outcome:
    standing = first = _standing(connection, ours)
    overwrite = False
    for _ in range(LOOKS_MAX):
        if standing.outcome is Did.UNCHANGED:
            return _outcome(ours, first)  # perhaps by an attempt whose answer was lost, or by another push
        if standing.outcome is Did.REFUSED:
            return _outcome(ours, standing)
        try:
            _save(connection, ours, standing, message, overwrite=overwrite)
        except DeclinedError as error:
            if error.status == BAD_INPUT:
                return _refused(ours, standing, f"Grafana says: {error.said}")
            if error.status != CONFLICT:
                raise
        else:
            return _outcome(ours, standing)
        before, standing = standing, _standing(connection, ours)
        overwrite = standing == before  # nobody saved it, so the conflict is none of versions
    raise GrafanaError(
        f"{ours.uid} was changed in {connection.address} {LOOKS_MAX} times while it was pushed: find who else saves it"
    )


def _standing(connection: Connection, ours: Chosen) -> Standing:
    there = connection.find(lambda grafana: grafana.dashboard.get_dashboard(ours.uid), Stored)
    if there is None:
        return Standing(None, [])
    found = differences(there.dashboard, ours.board)
    folder = PLACES[ours.lang].uid
    if not there.meta.provisioned and there.meta.folder_uid != folder:
        found.append(Difference("(folder)", there.meta.folder_uid, folder))
    return Standing(there, found)


def _save(connection: Connection, ours: Chosen, standing: Standing, message: str, *, overwrite: bool) -> None:
    version = {} if standing.there is None else {"version": standing.there.version}
    body = {
        "dashboard": {**ours.board, **version},
        "folderUid": PLACES[ours.lang].uid,
        "message": message,
        "overwrite": overwrite,
    }
    connection.ask(lambda grafana: grafana.dashboard.update_dashboard(body), Saved)


def _outcome(ours: Chosen, standing: Standing) -> Outcome:
    why = BY_FILE if standing.outcome is Did.REFUSED else ""
    return Outcome(
        kind="board",
        uid=ours.uid,
        title=ours.title,
        did=standing.outcome,
        why=why,
        differences=standing.differences,
    )


def _refused(ours: Chosen, standing: Standing, why: str) -> Outcome:
    return msgspec.structs.replace(_outcome(ours, standing), did=Did.REFUSED, why=why)
