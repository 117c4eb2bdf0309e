"""When calls and tickets were born, as far as intake has seen: what an event that does not say so is completed from."""

from __future__ import annotations

from hotline.subjects import Subject

Known = int | tuple[int, ...]


def entity_name(subject: Subject, source: str, entity: str) -> str:
    """What an entity is called here; no good name holds a NUL."""
    return f"{subject.singular}\0{source}\0{entity}"


class Births:
    """Births by entity, in epoch seconds; of too many, those not asked for the longest are forgotten."""

    def __init__(self, entities_max: int) -> None:
        self._entities_max = entities_max
        self._known: dict[str, Known] = {}

    def __len__(self) -> int:
        return len(self._known)

    def learn(self, name: str, born: int) -> None:
        """An entity of this name was born then. Ids that a source uses twice have two births."""
        known = self._known.pop(name, born)
        if known != born:
            known = tuple(sorted({*(known if isinstance(known, tuple) else (known,)), born}))
        self._known[name] = known
        if len(self._known) > self._entities_max:
            del self._known[next(iter(self._known))]

    def birth(self, name: str, at: int) -> int | None:
        """The latest birth up to `at`, the time of an event; the first one when all are later; None when unknown."""
        known = self._known.pop(name, None)
        if known is None:
            return None
        self._known[name] = known  # asked for just now
        if isinstance(known, int):
            return known
        return max((born for born in known if born <= at), default=known[0])
