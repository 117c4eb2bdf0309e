"""What two boards differ in, place by place."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from dashboards.grafana.answers import Json

OF_THE_SERVER = frozenset({"id", "version"})
"""What Grafana gives a board and we do not."""
_NAMES = ("id", "refId", "name", "title")


class Difference(msgspec.Struct, frozen=True):
    """One place of a board, what stands there in Grafana, and what is ours; unset is not there at all."""

    place: str
    there: Any = msgspec.UNSET
    ours: Any = msgspec.UNSET


def differences(there: Json, ours: Json) -> list[Difference]:
    """Name every place in which a board in Grafana is not ours. What the server adds to each is none."""
    return list(_of_objects(_without_the_servers(there), _without_the_servers(ours), ""))


def _without_the_servers(board: Json) -> Json:
    return {key: value for key, value in board.items() if key not in OF_THE_SERVER}


def _of_values(there: Any, ours: Any, place: str) -> Iterator[Difference]:
    if isinstance(there, dict) and isinstance(ours, dict):
        yield from _of_objects(there, ours, place)
    elif isinstance(there, list) and isinstance(ours, list):
        yield from _of_lists(there, ours, place)
    elif there != ours or isinstance(there, bool) != isinstance(ours, bool):
        yield Difference(place, there, ours)


def _of_objects(there: Mapping[str, Any], ours: Mapping[str, Any], place: str) -> Iterator[Difference]:
    for key in dict.fromkeys((*ours, *there)):
        yield from _of_values(there.get(key, msgspec.UNSET), ours.get(key, msgspec.UNSET), f"{place}.{key}".lstrip("."))


def _of_lists(there: Sequence[Any], ours: Sequence[Any], place: str) -> Iterator[Difference]:
    """Pair entries by what names them, so that one that is new does not make all after it differ; else by place."""
    name = next((name for name in _NAMES if _names_all(there, name) and _names_all(ours, name)), None)
    if name is None:
        pairs = {number: (_at(there, number), _at(ours, number)) for number in range(max(len(there), len(ours)))}
        yield from (found for n, (a, b) in pairs.items() for found in _of_values(a, b, f"{place}[{n}]"))
        return
    named_there, named_ours = ({entry[name]: entry for entry in entries} for entries in (there, ours))
    for key in dict.fromkeys((*named_ours, *named_there)):
        a, b = named_there.get(key, msgspec.UNSET), named_ours.get(key, msgspec.UNSET)
        yield from _of_values(a, b, f"{place}[{_label(key, a if b is msgspec.UNSET else b)}]")
    orders = [[key for key in named if key in other] for named, other in _each_way(named_there, named_ours)]
    if orders[0] != orders[1]:
        yield Difference(f"{place} (order)", *orders)


def _each_way(a: Any, b: Any) -> tuple[tuple[Any, Any], tuple[Any, Any]]:
    return (a, b), (b, a)


def _names_all(entries: Sequence[Any], name: str) -> bool:
    """Whether each entry has a name of its own in that field."""
    names = [entry.get(name) if isinstance(entry, dict) else None for entry in entries]
    return all(isinstance(each, str | int) for each in names) and len(set(names)) == len(names)


def _label(key: str | int, entry: Any) -> str:
    return str(entry.get("title") or key) if isinstance(entry, dict) else str(key)


def _at(entries: Sequence[Any], number: int) -> Any:
    return entries[number] if number < len(entries) else msgspec.UNSET
