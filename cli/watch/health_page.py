"""The screen of the pipeline's health."""

from collections.abc import Sequence

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from cli.asking import Lang
from cli.figures import NOTHING
from cli.watch.cells import BAD, GOOD, GREY, STRONG, TILE_LINES, plain_table, tiles
from cli.watch.pipeline import Dead, Health, Lag, Part, Sink
from cli.watch.words import age_word, harmless, word

LAG_RECORDS_MANY = 100
"""Outputs of measure that wait for the sink: at a few a second for each partition this is half a minute."""


def health_parts(health: Health | None, lang: Lang, width: int, lines: int) -> list[RenderableType]:
    """Tiles, parts, lags and dead letters, as many of these as fit."""
    if health is None:
        return [Text(word("asking", lang), GREY)]
    parts: list[RenderableType] = [
        _tiles(health, lang, width),
        _storing(health.sink, lang),
        Text(""),
        _parts(health, lang),
    ]
    used = TILE_LINES + 3 + len(health.parts)
    if health.sink:
        for part, why in health.sink.troubles.items():
            said = word("trouble", lang, part=part, why=harmless(why))
            parts.append(Text(f"! {said}", BAD, overflow="ellipsis", no_wrap=True))
            used += 1
    if health.sink and used + 3 <= lines:
        shown = health.sink.lags[: max(1, lines - used - 6)]
        parts += [Text(""), _lags(shown, lang)]
        used += 2 + len(shown)
    if used + 3 <= lines:
        parts += [Text(""), _dead(health.dead, lang, lines - used - 2)]
    return parts


def _tiles(health: Health, lang: Lang, width: int) -> Text:
    sink = health.sink
    return tiles(
        [
            (word("stack", lang), _stack(health, lang)),
            (word("lag", lang), _lag(sink, lang)),
            (word("stored", lang), _rate(sink, lang)),
            (word("dead", lang), _count(health.dead_recent)),
        ],
        width,
    )


def _stack(health: Health, lang: Lang) -> Text:
    answering = sum(part.status.answers for part in health.parts)
    if health.state == "running" and answering < len(health.parts):
        return Text("✗ " + word("parts_answer", lang, n=answering, of=len(health.parts)), BAD)
    well = health.state in {"running", "foreign"}
    return Text(("✓ " if well else "✗ ") + word(health.state, lang), GOOD if well else BAD)


def _lag(sink: Sink | None, lang: Lang) -> Text:
    if sink is None:
        return Text(NOTHING, GREY)
    few = sink.lag < LAG_RECORDS_MANY
    return Text(f"{'✓' if few else '✗'} {word('records', lang, n=f'{sink.lag:,}')}", GOOD if few else BAD)


def _rate(sink: Sink | None, lang: Lang) -> Text:
    if sink is None or sink.events_a_s is None:
        return Text(NOTHING, GREY)
    return Text(word("events_a_s", lang, n=f"{sink.events_a_s:,.1f}"), STRONG)


def _storing(sink: Sink | None, lang: Lang) -> Text:
    """How the sink stores, in a line."""
    if sink is None:
        return Text(word("no_sink", lang), BAD)
    said = []
    if sink.newest_age_s is not None:
        said.append(word("newest_stored", lang, age=age_word(sink.newest_age_s, lang)))
    if sink.batches_a_s is not None and sink.insert_s is not None:
        said.append(word("batches", lang, n=f"{sink.batches_a_s:,.1f}", ms=f"{sink.insert_s * 1000:,.0f}"))
    return Text("  ·  ".join(said), GREY, no_wrap=True, overflow="ellipsis")


def _count(number: int | None) -> Text:
    if number is None:
        return Text(NOTHING, GREY)
    return Text(f"✗ {number:,}", BAD) if number else Text("✓ 0", GOOD)


def _parts(health: Health, lang: Lang) -> Table:
    table = plain_table()
    table.add_column(word("part", lang), no_wrap=True)
    table.add_column(word("state", lang), no_wrap=True)
    for name in ("process", "up_for", "restarts"):
        table.add_column(word(name, lang), no_wrap=True, justify="right")
    table.add_column(word("address", lang), no_wrap=True)
    for part in health.parts:
        table.add_row(*_part(part, lang))
    return table


def _part(part: Part, lang: Lang) -> list[Text]:
    status = part.status
    state = "answers" if status.answers else "down" if status.state == "down" else "silent_part"
    return [
        Text(status.name),
        Text(f"{'✓' if status.answers else '✗'} {word(state, lang)}", GOOD if status.answers else BAD),
        Text(NOTHING, GREY) if status.pid is None else Text(str(status.pid)),
        Text(NOTHING, GREY) if part.up_s is None else Text(age_word(part.up_s, lang)),
        Text(str(part.restarts), BAD if part.restarts else ""),
        Text(status.address or ", ".join(status.agents), GREY),
    ]


def _lags(lags: Sequence[Lag], lang: Lang) -> Table:
    table = plain_table()
    table.add_column(word("topic", lang), no_wrap=True)
    for name in ("partition", "position", "behind"):
        table.add_column(word(name, lang), no_wrap=True, justify="right")
    for lag in lags:
        style = BAD if lag.records >= LAG_RECORDS_MANY else ""
        table.add_row(lag.topic, str(lag.partition), f"{lag.position:,}", Text(f"{lag.records:,}", style))
    return table


def _dead(dead: Sequence[Dead] | None, lang: Lang, lines: int) -> Table | Text:
    if dead is None:
        return Text(NOTHING, GREY)
    if not dead:
        return Text("✓ " + word("no_dead", lang), GOOD)
    table = plain_table()
    table.add_column(word("reason", lang), no_wrap=True)
    table.add_column(word("recent", lang), no_wrap=True, justify="right")
    table.add_column(word("total", lang), no_wrap=True, justify="right")
    for one in dead[: max(1, lines)]:
        table.add_row(one.reason, Text(f"{one.recent:,}", BAD if one.recent else GREY), f"{one.total:,}")
    return table
