"""What a chart shows, read out of the page: marks where they stand, by the labels of the axes that they stand between.

Marks are those of the scene that is painted, and paint is looked for on the canvas; no message of the server is read.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import groupby, pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from tests.dashboards.web.sites import LOCAL

if TYPE_CHECKING:
    from collections.abc import Sequence

    from playwright.sync_api import Page

WATCHED = """
window.views = new Map();
let embed;
Object.defineProperty(window, "vegaEmbed", {
  get: () => embed,
  set: found => { embed = async (node, ...more) => {
    const result = await found(node, ...more);
    views.set(node.closest(".panel").dataset.id, result.view);
    return result;
  }; },
});
"""
"""Keeps the view of each chart, by its panel."""
POINT = 4
"""So far, in dots, a point or a mark may reach."""
_SCENE = """
async id => {
  const view = views.get(String(id));
  await view.runAsync();
  const found = { lines: [], points: [], rects: [], rules: [], targets: [], axes: [], legend: [] };
  const at = items => items.map(one => [one.x, one.defined === false ? null : one.y]);
  const legend = entry => {
    for (const pair of entry.items) {
      const [symbol, label] = ["legend-symbol", "legend-label"].map(role => pair.items.find(one => one.role === role));
      const ink = one => one.stroke && one.stroke !== "transparent" ? one.stroke : one.fill;
      found.legend.push([ink(symbol.items[0]), label.items[0].text]);
    }
  };
  const take = (mark, name) => {
    if (mark.role === "axis") {
      const labels = mark.items[0].items.find(one => one.role === "axis-label");
      if (labels) found.axes.push(labels.items.filter(one => one.opacity).map(one =>
        [one.text, one.x, one.y, one.datum.value instanceof Date ? Number(one.datum.value) : one.datum.value]));
    } else if (mark.role === "scope" && mark.name === "layer_0_pathgroup") {
      for (const { items: [line] } of mark.items) found.lines.push([line.items[0].stroke, at(line.items)]);
    } else if (mark.role === "legend") {
      const scopes = mark.items[0].items[0].items[0].items;
      if (scopes[0].role === "scope") legend(scopes[0]);
    } else if (mark.role === "mark") {
      for (const one of mark.items) {
        const { x, y, x2 = x + one.width, y2 = y + one.height, fill: ink, tooltip } = one;
        if (mark.marktype === "symbol") found.points.push({ tooltip });
        if (mark.marktype === "rect") found.rects.push({ left: x, right: x2, top: y, bottom: y2, ink, tooltip });
        if (mark.marktype === "rule") (one.y2 === undefined ? found.targets : found.rules).push(x);
      }
    }
  };
  for (const mark of view.scenegraph().root.items[0].items) take(mark);
  return found;
}
"""
_PAINT = """
([id, places, ink]) => {
  const canvas = document.querySelector(`#p${id} canvas`), { width, height } = canvas;
  const view = views.get(String(id)), origin = view.origin(), padding = view.padding();
  const left = origin[0] + padding.left, top = origin[1] + padding.top;
  const hex = ink.startsWith("#") && [1, 3, 5].map(at => parseInt(ink.slice(at, at + 2), 16));
  const wanted = hex || (ink.match(/\\d+/g) ?? []);
  const read = new OffscreenCanvas(width, height).getContext("2d", { willReadFrequently: true });
  read.drawImage(canvas, 0, 0);
  const dots = read.getImageData(0, 0, width, height).data;
  const is = at => dots[at + 3] > 80 && wanted.every((part, place) => Math.abs(dots[at + place] - part) < 12);
  return places.map(([since, until, above, below]) => {
    for (let x = Math.floor(left + since); x <= Math.floor(left + until); x++)
      for (let y = Math.floor(top + above); y <= Math.floor(top + below); y++)
        if (is(4 * (y * width + x))) return true;
    return false;
  });
}
"""
"""Whether there is paint of a colour, or of any, in each of some boxes, which are told by their edges in the axes."""


class Box(NamedTuple):
    """A part of a chart, in dots from its upper left corner: `since` its left edge, `above` its upper one."""

    since: float
    until: float
    above: float
    below: float


@dataclass(frozen=True)
class Scene:
    """What a chart is made of; places are in dots, upward and to the left less."""

    panel: int
    lines: dict[str, list[tuple[float, float | None]]]
    """By colour, the places of a line's values; without a height, where the line has a gap."""
    points: list[dict[str, Any]]
    """What each point tells of itself under the pointer."""
    rects: list[dict[str, Any]]
    rules: list[float]
    """Where marks stand upright."""
    targets: list[float]
    """The lines across of a target, if there is one."""
    legend: dict[str, str]
    """Colour → whose."""
    across: list[tuple[str, float, Any]]
    """The labels of the axis below: text, place, and what Vega takes it to stand for."""
    upward: list[tuple[str, float]]

    def value(self, y: float) -> float:
        """The value at a height, by the texts of the first and the last label beside it."""
        (first, low), (last, high) = ((_number(text), at) for text, at in (self.upward[0], self.upward[-1]))
        if len(self.upward) == 1:
            assert y == pytest.approx(low), "nothing says how far apart values stand"
            return first
        return first + (y - low) / (high - low) * (last - first)

    def at(self, x: float) -> datetime:
        """The local instant at a place, by the labels below, which say what that clock says."""
        (_, left, first), (_, right, last) = self.across[0], self.across[-1]
        ms = first + (x - left) / (right - left) * (last - first)
        return _clock(round(ms, -3))

    def check_clock(self) -> None:
        """Each label below says its instant: a month, a day, or a time."""
        for text, _, ms in self.across:
            at = _clock(ms)
            assert text in {f"{at:%H:%M}", f"{at:%m-%d}", f"{at:%Y-%m}", f"{at:%Y}"}, (text, at)

    def series(self) -> dict[str, dict[datetime, float | None]]:
        """Title → instant → value of each line."""
        return {
            self.legend[ink]: {self.at(x): None if y is None else self.value(y) for x, y in places}
            for ink, places in self.lines.items()
        }

    def gaps(self, ink: str) -> list[Box]:
        """Where a line has no value, as high as the chart, without the dots at the ends and around marks."""
        found = []
        for is_gap, run in groupby(self.lines[ink], lambda place: place[1] is None):
            places = [x for x, _ in run]
            edges = [places[0], *(x for x in self.rules if places[0] < x < places[-1]), places[-1]]
            found += [Box(a + POINT, b - POINT, 0, self.height) for a, b in pairwise(edges) if is_gap]
        return [box for box in found if box.until > box.since]

    def values(self, ink: str, reach: float) -> list[Box]:
        """So far around each value of a line, but of those under marks such as have a point: between two gaps."""
        places = self.lines[ink]
        beside = [None, *(y for _, y in places), None]
        return [
            Box(x - reach, x + reach, y - reach, y + reach)
            for (x, y), before, after in zip(places, beside, beside[2:], strict=False)
            if y is not None and (before is after is None or all(abs(x - rule) > POINT for rule in self.rules))
        ]

    def painted(self, page: Page, ink: str, boxes: Sequence[Box]) -> list[bool]:
        """Whether the canvas has a colour in each box; any colour, for one without a name."""
        found: list[bool] = page.evaluate(_PAINT, [self.panel, boxes, ink])
        return found

    def boxes(self) -> list[Box]:
        """The inside of each bar, or cell."""
        return [Box(one["left"] + 2, one["right"] - 2, one["top"] + 2, one["bottom"] - 2) for one in self.rects]

    @property
    def height(self) -> float:
        """How high it is between its axes."""
        return max(at for _, at in self.upward)


def scene(page: Page, panel: int) -> Scene:
    """What the chart of a panel is made of at this instant, which needs `WATCHED` to be there before the page."""
    found = page.evaluate(_SCENE, panel)
    below, beside = sorted(found["axes"], key=lambda labels: len({x for _, x, *_ in labels}) == 1)
    return Scene(
        panel,
        {ink: [(x, y) for x, y in places] for ink, places in found["lines"]},
        found["points"],
        found["rects"],
        sorted(found["rules"]),
        found["targets"],
        dict(found["legend"]),
        [(text, x, value) for text, x, _, value in below],
        [(text, y) for text, _, y, _ in beside],
    )


def _number(text: str) -> float:
    """What the label of an axis says: `1,200`, `95 %`, `30 s`; minus is a sign of its own."""
    found = re.match(r"[−-]?[\d,.]+", text)
    assert found, text
    number = float(found[0].replace(",", "").replace("−", "-"))
    return number / 100 if text.endswith("%") else number


def _clock(ms: float) -> datetime:
    """The local instant at which the clock says what UTC says at those milliseconds."""
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=ms)).replace(tzinfo=LOCAL)
