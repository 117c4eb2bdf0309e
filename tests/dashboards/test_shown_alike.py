"""What a panel of text shows: Grafana's own library and our page make the same names, texts and colours of it."""

from __future__ import annotations

import itertools
import json
import math
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from zoneinfo import ZoneInfo

import pytest

from dashboards import look
from dashboards.boards import BOARDS
from dashboards.entries import Edition
from dashboards.macros import expand
from dashboards.web.drawing import KINDS
from dashboards.web.shown import Field, Tone, Writer, fields, tone_of
from dashboards.web.store import Answer
from dashboards.words import NO_VALUE, Lang
from tests.dashboards.conftest import ZONE
from tests.dashboards.test_panel_queries import CASES, with_all

if TYPE_CHECKING:
    from tests.dashboards.asking import Asking

Json = dict[str, Any]
HERE = Path(__file__).parent / "grafana_data"
BUILD = Path(__file__).parents[2] / "build" / "grafana_data"
INSTALL_S, RUN_S = 600, 120
PLAIN_VALUES = (None, 0, -0.00125, 0.04999, 0.05, 0.125, 0.9125, 0.99949, 0.9995, 1, 2.25, 59, 60, 1234567.891)
"""Among them halves of the last place that is shown, which can be rounded up or down."""
ASKED_MIN = 2_000


@pytest.fixture(scope="module")
def grafana_data() -> Path:
    """Install Grafana's library by its lock."""
    BUILD.mkdir(parents=True, exist_ok=True)
    for name in ("package.json", "package-lock.json"):
        shutil.copy(HERE / name, BUILD)
    npm = ["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts", "--prefer-offline"]
    subprocess.run(npm, cwd=BUILD, check=True, timeout=INSTALL_S, capture_output=True)
    return BUILD


@dataclass(frozen=True)
class Asked:
    """A panel with an answer for it."""

    panel: Json
    answer: Answer
    lang: Lang

    @property
    def where(self) -> str:
        return f"{self.panel['title']}: {dict(self.answer.types)} {self.answer.rows}"


def panels(lang: Lang) -> Iterator[Json]:
    for board in BOARDS:
        yield from (p for p in board.json(Edition(lang, ZONE))["panels"] if p["type"] in KINDS and p.get("targets"))


def asked(lang: Lang, asking: Asking) -> Iterator[Asked]:
    """Each panel with what is stored, with nothing, and with values at and around whatever changes their looks."""
    for panel in panels(lang):
        found = asking.ask(expand(panel["targets"][0]["rawSql"], with_all(CASES["all"], "7d")))
        rows = [list(map(instant, row, found.types.values())) for row in found.rows]
        yield Asked(panel, Answer(found.types, rows), lang)
        yield Asked(panel, Answer(found.types, []), lang)
        for number in numbers(panel, list(found.types)):
            row = [sample(kind, number) for kind in found.types.values()]
            yield Asked(panel, Answer(found.types, [row]), lang)


def instant(value: Any, kind: str) -> Any:
    if value is None or "DateTime" not in kind:
        return value
    return int(datetime.fromisoformat(value).replace(tzinfo=ZoneInfo(ZONE)).timestamp())


def numbers(panel: Json, names: list[str]) -> Iterator[float | None]:
    yield from PLAIN_VALUES
    for bound in sorted({bound for field in fields(panel, names) for bound in field.bounds}):
        yield from (math.nextafter(bound, -math.inf), bound, math.nextafter(bound, math.inf))


def sample(kind: str, number: float | None) -> Any:
    if is_number(kind):
        return int(number) if "Int" in kind and number is not None else number
    return 1_700_000_000 if "DateTime" in kind else "consult"


def is_number(kind: str) -> bool:
    return bool(re.search("Int|Float", kind))


def by_grafana(where: Path, every: list[Asked]) -> list[Any]:
    """What Grafana's library shows of each."""
    told = [{"panel": one.panel, "columns": list(columns(one.answer)), "rows": in_ms(one.answer)} for one in every]
    script = [shutil.which("node") or "node", str(HERE / "shown.mjs")]
    stated = json.dumps({"asked": told, "timeZone": ZONE})
    done = subprocess.run(script, input=stated, cwd=where, check=False, timeout=RUN_S, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    shown: list[Any] = json.loads(done.stdout)
    return shown


def columns(answer: Answer) -> Iterator[Json]:
    """As the plug-in types them."""
    for name, kind in answer.types.items():
        yield {"name": name, "type": "number" if is_number(kind) else "time" if "Date" in kind else "string"}


def in_ms(answer: Answer) -> list[list[Any]]:
    scales = [1000 if "DateTime" in kind else 1 for kind in answer.types.values()]
    return [
        [value if value is None or scale == 1 else value * scale for value, scale in zip(row, scales, strict=True)]
        for row in answer.rows
    ]


@pytest.mark.parametrize("lang", Lang)
def test_grafana_shows_of_every_panel_of_text_what_our_page_shows(
    lang: Lang, asking: Asking, grafana_data: Path
) -> None:
    every = list(asked(lang, asking))
    shown = by_grafana(grafana_data, every)
    differ = [
        (one.where, theirs, ours)
        for one, all_theirs in zip(every, shown, strict=True)
        for theirs, ours in itertools.zip_longest(of_grafana(one, all_theirs), of_page(one))
        if theirs != ours
    ]
    assert differ == []
    assert len(every) > ASKED_MIN


def of_grafana(one: Asked, shown: Any) -> Iterator[Value]:
    """Names of columns, then each value in the words of `of_page`."""
    if one.panel["type"] == "table":
        yield from (Value(name) for name in shown["columns"])
        for row in shown["rows"]:
            yield from (
                value(cell["text"], of, tone_of(cell["color"]) if of.coloured else None)
                for cell, of in zip(row, visible(one), strict=True)
            )
        return
    names = one.panel["options"].get("textMode") != "value"
    for tile, of in zip(shown, itertools.cycle(numbered(one))):
        yield value(tile["text"], of, tone_of(tile["color"]), tile.get("name", "") if names else "")


def of_page(one: Asked) -> Iterator[Value]:
    """What the web board makes of the same answer."""
    shown = KINDS[one.panel["type"]](one.panel, one.answer, Writer(one.lang, ZoneInfo(ZONE)))
    if one.panel["type"] == "table":
        yield from (Value(column["title"]) for column in shown["columns"])
        for row in shown["rows"]:
            for cell, of in zip(row, visible(one), strict=True):
                stated: Json = {"text": cell} if isinstance(cell, str) else cell
                yield value(stated["text"], of, stated.get("tone") if of.coloured else None)
        return
    nothing = {"text": NO_VALUE, "tone": Tone.NONE, "name": ""}
    for tile, of in zip(shown.get("tiles") or shown.get("bars") or [nothing], itertools.cycle(numbered(one))):
        yield value(tile["text"], of, tile["tone"], tile["name"])


class Value(NamedTuple):
    """A value as it is shown; alike are spans of time in any words, percent with and without a space, 0 and -0.

    Grafana sets nothing between thousands of numbers that have a unit; pages do.
    """

    text: str
    tone: Tone | None = None
    name: str = ""


def value(text: str, of: Field, tone: Tone | None, name: str = "") -> Value:
    is_span = of.unit == look.AGE_UNIT and text != NO_VALUE
    plain = re.sub(r",(?=\d{3})|\s(?=%)|^-(?=0$)", "", text)
    return Value("a span" if is_span else plain, tone, name)


def visible(one: Asked) -> list[Field]:
    return [field for field in fields(one.panel, one.answer.names) if not field.is_hidden]


def numbered(one: Asked) -> list[Field]:
    """The columns whose values are tiles or bars, in their order."""
    shown = zip(fields(one.panel, one.answer.names), one.answer.types.values(), strict=True)
    return [field for field, kind in shown if is_number(kind)]
