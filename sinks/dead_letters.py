"""Dead letters as they are stored: what could not be counted, with its reason, its origin and its bytes."""

from __future__ import annotations

import base64
from datetime import datetime
from typing import TYPE_CHECKING, Any

import msgspec

from hotline.dead_letters import NEWEST_FIRST_SQL, PLACE
from hotline.names import DATABASE, DEAD_LETTERS_TABLE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from clickhouse_connect.driver.client import Client

HEAD_BYTES = 80
"""Bytes of the original that a list shows."""
_TABLE = f"{DATABASE}.{DEAD_LETTERS_TABLE}"
_PLACE = ", ".join(PLACE)
_FIELDS = f"{_PLACE}, subject, reason, detail, origin, block_id, set_aside_at"
_OF_REASON = "({reason:String} = '' OR reason = {reason:String})"


class DeadLetter(msgspec.Struct, frozen=True, kw_only=True):
    """One event, line or record that was set aside; `original` may be its beginning only, as `whole` tells."""

    topic: str
    partition: int
    log: int
    offset: int
    place: int
    subject: str
    reason: str
    detail: str
    """Which field, what it holds and what to send instead; empty where nobody knows more than the reason."""
    origin: str
    block_id: str
    at: datetime
    original: bytes
    whole: bool

    @property
    def id(self) -> str:
        """What it is called: topic/partition/log/offset/place."""
        return "/".join(str(getattr(self, part)) for part in PLACE)


def newest(client: Client, *, reason: str = "", limit: int) -> list[DeadLetter]:
    """Find the newest ones, of one reason or of all, each with the head of its original."""
    sql = (
        f"SELECT {_selected(HEAD_BYTES)} FROM {_TABLE} WHERE {_OF_REASON} "  # noqa: S608 names of ours
        f"ORDER BY {NEWEST_FIRST_SQL} LIMIT {{limit:UInt64}}"
    )
    found = client.query(sql, parameters={"reason": reason, "limit": limit}).result_rows
    return [_letter(row) for row in found]


def one(client: Client, name: str) -> DeadLetter | None:
    """Find the one with that id, None when there is none. Raises ValueError for what is no id."""
    where, asked = _of_id(name)
    found = client.query(f"SELECT {_selected()} FROM {_TABLE} WHERE {where} LIMIT 1", parameters=asked).result_rows  # noqa: S608
    return _letter(found[0]) if found else None


def delete(client: Client, *, name: str = "", reason: str = "", until: datetime | None = None) -> int:
    """Delete for good those of an id, of a reason, set aside before an instant: all that are named. Return how many.

    Returns when no query finds them any more; the engine removes their bytes from the disk some minutes later. Raises
    ValueError for what is no id, and when nothing is named.
    """
    if not (name or reason or until):
        raise ValueError("name what to delete: an id, a reason, or until when it was set aside")
    chosen, asked = _of_id(name) if name else ("true", {})
    where = f"{chosen} AND {_OF_REASON} AND ({{until:Int64}} = 0 OR set_aside_at < fromUnixTimestamp({{until:Int64}}))"
    asked |= {"reason": reason, "until": int(until.timestamp()) if until else 0}
    count = int(client.query(f"SELECT count() FROM {_TABLE} WHERE {where}", parameters=asked).result_rows[0][0])  # noqa: S608
    if count:
        client.command(f"ALTER TABLE {_TABLE} DELETE WHERE {where}", parameters=asked, settings={"mutations_sync": 2})
    return count


def _of_id(name: str) -> tuple[str, dict[str, Any]]:
    parts = name.split("/")
    if len(parts) != len(PLACE) or not all(part.isascii() and part.isdigit() for part in parts[1:]):
        raise ValueError(
            f"{name!r} is no id of a dead letter: write topic/partition/log/offset/place, as the list does"
        )
    asked: dict[str, Any] = {"topic": parts[0]}
    asked |= dict(zip(PLACE[1:], map(int, parts[1:]), strict=True))
    kinds = {"topic": "String", "partition": "UInt64", "log": "UInt64", "offset": "UInt64", "place": "UInt64"}
    return " AND ".join(f"{column} = {{{column}:{kind}}}" for column, kind in kinds.items()), asked


def every(client: Client, *, reason: str = "", limit: int | None = None) -> Iterator[DeadLetter]:
    """Give all of them, of one reason or of all, in the order of their places, in constant memory."""
    bound = "" if limit is None else " LIMIT {limit:UInt64}"
    sql = f"SELECT {_selected()} FROM {_TABLE} WHERE {_OF_REASON} ORDER BY {_PLACE}{bound}"  # noqa: S608 names of ours
    with client.query_rows_stream(sql, parameters={"reason": reason, "limit": limit or 0}) as rows:
        for row in rows:
            yield _letter(row)


def _selected(bytes_max: int | None = None) -> str:
    """Write the columns; the original goes as base64, since no text type holds any bytes at all."""
    original = "original" if bytes_max is None else f"substring(original, 1, {bytes_max})"
    whole = "true" if bytes_max is None else f"length(original) <= {bytes_max}"
    return f"{_FIELDS}, base64Encode({original}), {whole}"


def _letter(row: Any) -> DeadLetter:
    topic, partition, log, offset, place, subject, reason, detail, origin, block_id, at, original, whole = row
    return DeadLetter(
        topic=str(topic),
        partition=int(partition),
        log=int(log),
        offset=int(offset),
        place=int(place),
        subject=str(subject),
        reason=str(reason),
        detail=str(detail),
        origin=str(origin),
        block_id=str(block_id),
        at=at,
        original=base64.b64decode(original),
        whole=bool(whole),
    )
