"""Mutations of a JSON event: as pairs of raw texts, so that it may say what no encoder writes."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Sequence
from typing import Any

Pairs = list[tuple[str, str]]
"""Names and values as they stand in the text."""
Mutation = Callable[[random.Random, Pairs], None]

_BROKEN: tuple[str, ...] = (
    *(
        "1e999",
        "-1e999",
        "NaN",
        "Infinity",
        "-Infinity",
        "01",
        "1.",
        ".5",
        "+1",
        "0x10",
        "",
        "undefined",
        "1 2",
        '"a" "b"',
    ),
    *('"\\ud800"', '"\\udc00\\ud800"', '"\\x41"', '"\\"', "'a'", '"a\tb"', "'"),
)
"""What is no JSON, or no JSON that can be kept."""
_SOUND: tuple[str, ...] = (
    *(
        "null",
        "true",
        "false",
        "0",
        "-0",
        "1",
        "-1",
        "65535",
        "65536",
        "31622400",
        "31622401",
        "9" * 30,
        "1" + "0" * 400,
    ),
    *("1.0", "1.5", "1e3", "1E-400"),
    *('""', '" "', '" a"', '"a\\n"', '"\\u0000"', '"a\\u0000b"', '"\\ud83d\\ude00"'),
    *('"\x7f"', '"\u2028"', '"\u00a0"', '"吴"', '"姑苏区"', '"\ufffe"', '"12"', '"true"'),
    *(
        '"2023-11-14T09:00:00+08:00"',
        '"2023-11-14T09:00:00Z"',
        '"2023-11-14T09:00:00"',
        '"2023-11-14"',
        '"2099-12-31T23:59:59Z"',
    ),
    *('"2100-01-01T00:00:00Z"', '"1989-12-31T23:59:59Z"', '"0001-01-01T00:00:00+14:00"', '"9999-12-31T23:59:59-12:00"'),
    *('"2023-02-30T00:00:00Z"', '"2023-11-14T24:00:00Z"', '"2023-11-14T23:59:60Z"', '"2023-11-14t09:00:00z"'),
    *('"2023-11-14T09:00:00.999999999999Z"', '"2023-11-14T09:00:00+24:00"', '"2023-11-14T09:00:00+0800"', "1699923600"),
    *("[]", "{}", "[1]", '{"a": 1}', '[[[["x"]]]]', '{"type": "ticket.created"}'),
    *('"call.offered"', '"ticket.created"', '"ticket.create"', '"inbound"', '"咨询"', '"very_satisfied"', '"operator"'),
)
VALUES = (*_SOUND, *_SOUND, *_SOUND, *_BROKEN)
_MORE_NAMES = (
    '"text"',
    '"Type"',
    '"born_At"',
    '""',
    '"\\u0000"',
    '"\\u0074ype"',
    '"digest"',
    '"problem"',
    '"schema"',
    "type",
)
_PERSONAL = ('"caller"', '"operator"')


def pairs_of(event: dict[str, Any]) -> Pairs:
    """An event as pairs of raw texts."""
    return [(json.dumps(name), json.dumps(value, ensure_ascii=False)) for name, value in event.items()]


def text_of(draw: random.Random, pairs: Pairs) -> str:
    """The text of an object."""
    between = draw.choice((", ", ",", " ,\n\t"))
    return "{" + between.join(f"{name}: {value}" for name, value in pairs) + "}"


def _place(draw: random.Random, pairs: Pairs) -> int:
    return draw.randrange(len(pairs))


def _drop(draw: random.Random, pairs: Pairs) -> None:
    del pairs[_place(draw, pairs)]


def _double(draw: random.Random, pairs: Pairs) -> None:
    name, value = draw.choice(pairs)
    pairs.insert(draw.randrange(len(pairs) + 1), (name, draw.choice((value, draw.choice(VALUES)))))


def _odd(draw: random.Random, pairs: Pairs) -> None:
    place = _place(draw, pairs)
    pairs[place] = (pairs[place][0], draw.choice(VALUES))


def _swap(draw: random.Random, pairs: Pairs) -> None:
    """Two fields change their values, none of which names a person."""
    one, other = _place(draw, pairs), _place(draw, pairs)
    if pairs[one][0] not in _PERSONAL and pairs[other][0] not in _PERSONAL:
        (a, b), (c, d) = pairs[one], pairs[other]
        pairs[one], pairs[other] = (a, d), (c, b)


def _another_type(draw: random.Random, pairs: Pairs) -> None:
    """Text becomes a number or a list of itself, a number text."""
    place = _place(draw, pairs)
    name, value = pairs[place]
    pairs[place] = (
        name,
        draw.choice((f"[{value}]", f'{{"value": {value}}}', json.dumps(value), value.strip('"') or "0")),
    )


def _more(draw: random.Random, pairs: Pairs) -> None:
    pairs.insert(draw.randrange(len(pairs) + 1), (draw.choice(_MORE_NAMES), draw.choice(VALUES)))


def _deep(draw: random.Random, pairs: Pairs) -> None:
    depth = draw.choice((10, 100, 900, 1100, 20_000))
    opening, closing = draw.choice((("[", "]"), ('{"a":', "}")))
    closed = closing * (depth if draw.random() < 0.8 else depth - 1)
    name = draw.choice(pairs)[0] if pairs and draw.random() < 0.5 else '"text"'
    pairs.append((name, opening * depth + "1" + closed))


def _huge(draw: random.Random, pairs: Pairs) -> None:
    place = _place(draw, pairs)
    size = draw.choice((200, 201, 300, 5_000, 70_000)) if draw.random() < 0.98 else 1_100_000
    pairs[place] = (pairs[place][0], json.dumps(draw.choice("x9吴 ") * size, ensure_ascii=draw.random() < 0.5))


def _many(draw: random.Random, pairs: Pairs) -> None:
    """Very many fields, whose names are nearly those that events have."""
    count = draw.choice((20, 500)) if draw.random() < 0.98 else 60_000
    name = draw.choice(("field_", "source", "occurred_a", "entit"))
    pairs.extend((f'"{name}{number}"', "1") for number in range(count))


MUTATIONS: Sequence[Mutation] = (
    _drop,
    _double,
    _odd,
    _odd,
    _odd,
    _odd,
    _swap,
    _another_type,
    _more,
    _deep,
    _huge,
    _many,
)


def mutated(draw: random.Random, event: dict[str, Any]) -> str:
    """The text of an event with one to three mutations."""
    pairs = pairs_of(event)
    for _ in range(draw.choice((1, 1, 2, 3))):
        if pairs:
            draw.choice(MUTATIONS)(draw, pairs)
    text = text_of(draw, pairs)
    return (
        draw.choice((f"[{text}]", f"\ufeff{text}", f"{text}\n{text}", f"{text},", f" \n{text} "))
        if draw.random() < 0.05
        else text
    )
