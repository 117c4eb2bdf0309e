"""The identity of a row: whose it is, and when that was born.

Tables are kept in order of birth, so a row that is named with its birth is found by their key. An id without its birth
is looked for among all rows.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from hotline.queries.question import QuestionError
from hotline.queries.statement import Statement

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo


@dataclass(frozen=True)
class Identity:
    """A source, its id, and the second of birth since 1970; None for every birth of that id."""

    source: str
    entity: str
    born_s: int | None = None

    def text(self, zone: ZoneInfo) -> str:
        """Write it as `parse_identity` reads it: SOURCE/ENTITY@BIRTH, the birth in that zone."""
        name = f"{self.source}/{self.entity}"
        return name if self.born_s is None else f"{name}@{datetime.fromtimestamp(self.born_s, zone).isoformat()}"

    def chosen(self, rows_table: str) -> Statement:
        """Choose it in any table that is in order of birth; the births of a bare id are read from `rows_table`."""
        named = "source = {source:String} AND entity = {entity:String}"
        asked: dict[str, str | int] = {"source": self.source, "entity": self.entity}
        if self.born_s is not None:
            return Statement(f"born_at = fromUnixTimestamp({{born:Int64}}) AND {named}", {**asked, "born": self.born_s})
        births = f"SELECT born_at FROM {rows_table} WHERE {named}"  # noqa: S608  names of ours
        return Statement(f"born_at IN ({births}) AND {named}", asked)


def parse_identity(text: str) -> Identity:
    """Read SOURCE/ENTITY@BIRTH or SOURCE/ENTITY; an id may hold both signs itself. Raises QuestionError."""
    source, slash, entity = text.partition("/")
    if not slash:
        raise QuestionError(f"{text!r} is no row: write SOURCE/ENTITY@BIRTH as the list of rows shows them")
    named, _, birth = entity.rpartition("@")
    born_s = _seconds(birth) if named else None
    return Identity(source, entity) if born_s is None else Identity(source, named, born_s)


def _seconds(birth: str) -> int | None:
    """Read a birth; None for what is none, and so belongs to the id."""
    try:
        at = datetime.fromisoformat(birth)
    except ValueError:
        return None
    return int(at.timestamp()) if at.tzinfo else None
