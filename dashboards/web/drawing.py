"""Panels that are text: what a page shows of an answer, as texts and tones, ready to be set into the page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from dashboards.web.shown import SAID, SIGNS, Field, Tone, fields
from dashboards.words import NO_VALUE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from dashboards.web.shown import Writer
    from dashboards.web.store import Answer

Json = dict[str, Any]


def stat(panel: Json, answer: Answer, writer: Writer) -> Json:
    """Tiles: a number for each column, or for each row, named by the first column of texts."""
    options = panel["options"]
    shown = fields(panel, answer.names)
    named = options["textMode"] == "value_and_name"
    if options["reduceOptions"]["values"]:
        made = _each_row(_within_limit(panel, answer), answer.names, shown, writer)
    else:
        made = _last(answer, shown, writer)
    tiles = [tile if named else {**tile, "name": ""} for tile in made]
    return {"solid": options["colorMode"] == "background_solid", "tiles": tiles or [_tile("", None, shown[-1], writer)]}


def bars(panel: Json, answer: Answer, writer: Writer) -> Json:
    """Bars from 0, or from the field's bounds, with their texts."""
    shown = fields(panel, answer.names)
    rows = _within_limit(panel, answer)
    numbers = [row[-1] for row in rows]
    of = shown[-1]
    low = of.low or 0.0
    high = of.high if of.high is not None else max([number for number in numbers if number is not None], default=0)
    tiles = _each_row(rows, answer.names, shown, writer)
    return {"bars": [{**tile, "part": _part(number, low, high)} for tile, number in zip(tiles, numbers, strict=True)]}


def table(panel: Json, answer: Answer, writer: Writer) -> Json:
    """Columns with titles, and rows of cells: a text, or a text with its tone and where it leads."""
    every = zip(fields(panel, answer.names), answer.types.values(), strict=True)
    shown = [(at, of, kind) for at, (of, kind) in enumerate(every) if not of.is_hidden]
    return {
        "columns": [{"title": of.title, "kind": _kind(kind)} for _, of, kind in shown],
        "rows": [
            [_cell(row[at], of, kind, writer, row, answer.names) for at, of, kind in shown] for row in answer.rows
        ],
        "none": NO_VALUE,
    }


KINDS: Mapping[str, Callable[[Json, Answer, Writer], Json]] = {"stat": stat, "bargauge": bars, "table": table}


def _last(answer: Answer, shown: Sequence[Field], writer: Writer) -> Iterator[Json]:
    """The last value that is there of each column of numbers."""
    for at, (of, kind) in enumerate(zip(shown, answer.types.values(), strict=True)):
        if _is_number(kind):
            there = [row[at] for row in answer.rows if row[at] is not None]
            yield _tile(of.title, there[-1] if there else None, of, writer)


def _within_limit(panel: Json, answer: Answer) -> Sequence[Sequence[Any]]:
    """The rows that a panel draws one by one, as many as Grafana would."""
    return answer.rows[: panel["options"]["reduceOptions"]["limit"]]


def _each_row(
    rows: Sequence[Sequence[Any]], names: Sequence[str], shown: Sequence[Field], writer: Writer
) -> Iterator[Json]:
    of = shown[-1]
    for row in rows:
        yield _tile(str(row[0]), row[-1], of, writer) | _led(of, row[-1], row, names)


def _tile(name: str, value: Any, of: Field, writer: Writer) -> Json:
    return {"name": name, "text": writer.text(value, of), **toned(of, value, writer)}


def toned(of: Field, value: Any, writer: Writer) -> Json:
    """The tone of a value, with a sign and words where it tells good from bad."""
    tone = of.tone(value)
    if not of.is_targeted or tone not in SIGNS:
        return {"tone": tone}
    return {"tone": tone, "sign": SIGNS[tone], "said": SAID[tone].of(writer.lang)}


def _part(number: float | None, low: float, high: float) -> float:
    if number is None or high <= low:
        return 0.0
    return round(min(1.0, max(0.0, (number - low) / (high - low))), 4)


def _kind(type_name: str) -> str:
    """What a column holds: numbers stand at the right, and neither they nor instants are broken into lines."""
    return "number" if _is_number(type_name) else "time" if "Date" in type_name else ""


def _is_number(kind: str) -> bool:
    return any(word in kind for word in ("Int", "Float", "Decimal"))


def _cell(value: Any, of: Field, kind: str, writer: Writer, row: Sequence[Any], names: Sequence[str]) -> Json | str:
    text = writer.text(value, of, kind)
    more: Json = toned(of, value, writer) if of.coloured else {}
    if of.fixed is Tone.NONE and value is not None:
        more["quiet"] = True
    more |= _led(of, value, row, names)
    return {"text": text, **more} if more else text


def _led(of: Field, value: Any, row: Sequence[Any], names: Sequence[str]) -> Json:
    """Where a value leads, if it leads anywhere."""
    if not of.links:
        return {}
    return {"href": linked(of.links[0]["url"], value, dict(zip(names, row, strict=True))), "hint": of.links[0]["title"]}


def linked(url: str, value: Any, row: Mapping[str, Any]) -> str:
    """Where a link of a cell leads: Grafana's variables of the value and its row filled in, those of the page left."""
    filled = url.replace("${__value.raw:percentencode}", quote(str(value), safe=""))
    for name, other in row.items():
        filled = filled.replace(f"${{__data.fields.{name}:percentencode}}", quote(str(other), safe=""))
    return filled
