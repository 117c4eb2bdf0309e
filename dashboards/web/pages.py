"""The pages: what stands on them before anything is asked. Texts from outside are escaped by the templates."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import jinja2
from markdown_it import MarkdownIt
from markupsafe import Markup

from dashboards.macros import ALL_VALUE
from dashboards.web import charts
from dashboards.web.boards import fits_a_screen
from dashboards.web.links import panel_links
from dashboards.web.offers import offering
from dashboards.words import NO_VALUE, Lang, Text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from dashboards.web.boards import Json, WebBoard
    from dashboards.web.choice import Choice
    from dashboards.web.feeds import Feed

_MARKDOWN = MarkdownIt("commonmark", {"html": False}).enable("table")

WORDS: Mapping[str, Text] = {
    "boards": Text("Boards", "看板"),
    "range": Text("Range", "时间范围"),
    "apply": Text("Show", "显示"),
    "all": Text("All", "全部"),
    "search": Text("Search", "搜索"),
    "chosen": Text("{n} chosen", "已选{n}项"),
    "about": Text("What is this?", "指标说明"),
    "waiting": Text("Waiting for data …", "正在等待数据……"),
    "live": Text("live", "实时"),
    "once": Text("as of now", "当前数据"),
    "connecting": Text("connecting …", "正在连接……"),
    "lost": Text(
        "Connection lost since {since}: numbers are as of then. Trying again.",
        "自{since}连接中断,数据为当时数据,正在重连。",
    ),
    "away": Text("database away since {since}", "数据库自{since}无应答"),
    "failed": Text(
        "No answer from the store since {since}: what is grey is as of then.",
        "自{since}数据库无应答,灰色内容为当时数据。",
    ),
    "partly": Text("in part as of {since}", "部分数据截至{since}"),
    "failed_partly": Text(
        "Some panels have had no answer since {since}: what is grey is as of then.",
        "自{since}部分面板无应答,灰色内容为当时数据。",
    ),
    "stale": Text("as of {since}", "截至{since}"),
    "theme": Text("Light or dark", "浅色或深色"),
    "kiosk": Text("Full screen", "全屏"),
    "skip": Text("Skip to the numbers", "跳到数据"),
    "login": Text("Log in", "登录"),
    "token": Text("Access token", "访问令牌"),
    "token_hint": Text(
        "It stands in secrets/web.password of the data folder.", "令牌在数据目录的secrets/web.password文件中。"
    ),
    "token_wrong": Text("That is not the token.", "令牌不正确。"),
    "from": Text("from", "开始"),
    "to": Text("to", "结束"),
    "marks": Text("Marks in the charts", "图表中的标记"),
    "custom": Text("Other", "自定义"),
    "updated": Text("Updated", "更新于"),
    "none": Text(NO_VALUE, NO_VALUE),
}
RANGES: Sequence[tuple[str, str, Text]] = (
    ("now-1h", "now", Text("Last hour", "近1小时")),
    ("now-6h", "now", Text("Last 6 hours", "近6小时")),
    ("now-24h", "now", Text("Last 24 hours", "近24小时")),
    ("now/d", "now", Text("Today", "今日")),
    ("now-1d/d", "now-1d/d", Text("Yesterday", "昨日")),
    ("now-7d", "now", Text("Last 7 days", "近7天")),
    ("now-30d", "now", Text("Last 30 days", "近30天")),
    ("now/M", "now", Text("This month", "本月")),
    ("now/y", "now", Text("This year", "今年")),
    ("now-1y/y", "now-1y/y", Text("Last year", "上年")),
)


def templates() -> jinja2.Environment:
    """The environment of all pages; everything that is put into one is escaped."""
    loader = jinja2.PackageLoader("dashboards.web")
    return jinja2.Environment(loader=loader, autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True)


def words(lang: Lang) -> dict[str, str]:
    """What pages say, in one language."""
    return {name: text.of(lang) for name, text in WORDS.items()}


def markdown(text: str) -> Markup:
    """Markdown as HTML; tags in it stay text."""
    return Markup(_MARKDOWN.render(text))  # noqa: S704  the parser escapes what is no markdown


def board_page(
    feed: Feed, boards: Sequence[WebBoard], *, kiosk: bool, offered: Mapping[str, Sequence[str]], silent_s: float
) -> dict[str, Any]:
    """What the template of a board is given; `offered` are the names of each variable that is asked of the store.

    Names that are not among them are told by the stream. After `silent_s` without a word the page takes it for lost.
    """
    board, choice = feed.board, feed.choice
    lang = board.lang
    return {
        "lang": lang.value,
        "words": words(lang),
        "kiosk": kiosk,
        "fits": fits_a_screen(board.json),
        "board": board,
        "boards": [one for one in boards if one.lang is lang],
        "query": choice.query(),
        "range": choice.range(),
        "ranges": [(since, until, text.of(lang)) for since, until, text in RANGES],
        "choice": choice,
        "variables": [_variable(one, choice, offered, lang) for one in board.variables],
        "panels": [_panel(one) for one in feed.panels],
        "data": _data(feed, silent_s, unnamed=any(one["name"] not in offered for one in offering(board))),
        "all_value": ALL_VALUE,
    }


def _variable(variable: Json, choice: Choice, offered: Mapping[str, Sequence[str]], lang: Lang) -> Json:
    chosen = choice.values(variable["name"])
    if variable["type"] == "custom":
        options = [(option["value"], option["text"]) for option in variable["options"]]
    else:
        names = dict.fromkeys([*offered.get(variable["name"], ()), *(name for name in chosen if name != ALL_VALUE)])
        options = [(ALL_VALUE, WORDS["all"].of(lang)), *((name, name) for name in names)]
    shown = [text for value, text in options if value in chosen]
    many = WORDS["chosen"].format(n=len(shown)).of(lang)
    return {
        "name": variable["name"],
        "label": variable["label"],
        "multi": variable.get("multi", False),
        "options": options,
        "chosen": chosen,
        "summary": shown[0] if len(shown) == 1 else many,
    }


def _panel(panel: Json) -> Json:
    at = panel["gridPos"]
    return {
        "id": panel["id"],
        "kind": panel["type"],
        "title": panel["title"],
        "about": markdown(panel["description"]),
        "width": at["w"],
        "height": at["h"],
        "text": markdown(panel["options"]["content"]) if panel["type"] == "text" else "",
        "links": panel_links(panel),
    }


def _data(feed: Feed, silent_s: float, *, unnamed: bool) -> Json:
    """What the page's program is given."""
    return {
        "stream": f"/d/{feed.board.uid}/events?{feed.choice.query()}{'&unnamed' if unnamed else ''}",
        "words": words(feed.board.lang),
        "zone": feed.board.json["timezone"],
        "live": feed.choice.is_moving and feed.board.refresh_s is not None,
        "silent_s": silent_s,
        "specs": {one["id"]: charts.SPECS[one["type"]](one) for one in feed.panels if one["type"] in charts.SPECS},
    }
