"""What was done in a Grafana, as it happens: a line each, or JSON in the end."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, Self

import msgspec

from cli.dead_letters import printable
from cli.output import print_data, print_json, say

if TYPE_CHECKING:
    from dashboards.grafana.differences import Difference
    from dashboards.grafana.outcome import Outcome

UID_WIDTH = 24
SHOWN_CHARACTERS_MAX = 72
BEFORE_CHARACTERS = 16
ABSENT = "nothing"


class Telling:
    """Tells outcomes and counts them; a context manager that tells the whole in the end, also of what then failed."""

    def __init__(self, *, json: bool, dry_run: bool) -> None:
        self._json = json
        self._dry_run = dry_run
        self._outcomes: list[Outcome] = []
        self._warnings: list[str] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        if kind is None or self._outcomes:
            self._end()

    @property
    def refused(self) -> bool:
        """Whether Grafana has something that it would not change."""
        return any(outcome.did == "refused" for outcome in self._outcomes)

    @property
    def different(self) -> bool:
        """Whether something is not as it is here."""
        return any(outcome.did != "unchanged" for outcome in self._outcomes)

    def warn(self, what: str) -> None:
        """Tell something that keeps nothing from being done."""
        self._warnings.append(what)
        say(what)

    def tell(self, outcomes: "Iterable[Outcome]") -> None:
        """Tell what became of each, as soon as it did."""
        for outcome in outcomes:
            self._outcomes.append(outcome)
            if not self._json:
                print_data("\n".join(_lines(outcome)))

    def _end(self) -> None:
        """Tell the whole: JSON, or how many there were of which."""
        if self._json:
            print_json(
                {
                    "dry_run": self._dry_run,
                    "warnings": self._warnings,
                    "outcomes": [msgspec.to_builtins(outcome) for outcome in self._outcomes],
                }
            )
            return
        counts = Counter(str(outcome.did) for outcome in self._outcomes)
        what = ", ".join(f"{count} {did}" for did, count in counts.items())
        say(f"would be: {what}; nothing was sent" if self._dry_run else what)


def _lines(outcome: "Outcome") -> Iterator[str]:
    yield f"{outcome.did:<9}  {outcome.kind:<6}  {outcome.uid:<{UID_WIDTH}}  {outcome.title}"
    if outcome.why:
        yield f"    {outcome.why}"
    yield from map(_line, outcome.differences)


def _line(difference: "Difference") -> str:
    there, ours = (_text(value) for value in (difference.there, difference.ours))
    start = max(0, _common(there, ours) - BEFORE_CHARACTERS) if max(len(there), len(ours)) > SHOWN_CHARACTERS_MAX else 0
    return f"    {_safe(difference.place)}: {_piece(there, start)} → {_piece(ours, start)}"


def _text(value: Any) -> str:
    return ABSENT if value is msgspec.UNSET else json.dumps(value, ensure_ascii=False)


def _common(a: str, b: str) -> int:
    """How many characters they begin with in common."""
    return next((place for place, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b)))


def _piece(text: str, start: int) -> str:
    end = start + SHOWN_CHARACTERS_MAX
    return ("…" if start and text != ABSENT else "") + _safe(text[start:end] or text) + ("…" if end < len(text) else "")


def _safe(text: str) -> str:
    return printable(text.encode("utf-8", "surrogatepass"))
