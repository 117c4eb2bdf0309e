"""Mutated requests at the engine's door: raw HTTP, arguments, statements of a reader, bodies packed in any way."""

from __future__ import annotations

import gzip
import random
import zlib
from collections.abc import Callable, Mapping, Sequence
from urllib.parse import quote, quote_from_bytes

import zstandard

from tests.fuzz.request_pieces import ARGUMENTS, BODIES, ENCODINGS, HEADS, PATHS, STATEMENTS, TOKENS
from tests.fuzz.spoilt_bytes import spoilt


def statement(draw: random.Random) -> str:
    """A mutated statement."""
    text = draw.choice(STATEMENTS)
    kind = draw.random()
    if kind < 0.1:
        return text
    if kind < 0.2:
        depth = draw.choice((10, 300, 3000, 60_000))
        opening, closing = draw.choice(
            (("(", ")"), ("[", "]"), ("-", ""), ("NOT ", ""), ("f(", ")"), ("(SELECT ", ")"))
        )
        return f"SELECT {opening * depth}1{closing * depth}"
    words = text.split(" ")
    for _ in range(draw.choice((1, 2, 3))):
        at, change = draw.randrange(len(words)), draw.random()
        if change < 0.4:
            words.insert(at, draw.choice(TOKENS))
        elif change < 0.6:
            words[at] = draw.choice(TOKENS)
        elif change < 0.7 and len(words) > 1:
            del words[at]
        elif change < 0.8:
            words[at:at] = words[: draw.randrange(20)] * draw.choice((1, 50))
        else:
            words[at] = draw.choice(words)
    return " ".join(words)


def address(draw: random.Random, more: Mapping[str, str]) -> str:
    """A path with arguments, some odd."""
    pairs = list(more.items())
    for _ in range(draw.choice((0, 0, 0, 1, 1, 2, 5))):
        name = draw.choice(list(ARGUMENTS))
        pairs.append((name, draw.choice(ARGUMENTS[name])))
    if draw.random() < 0.02:
        pairs += [(f"a{number}", "1") for number in range(5000)]
    draw.shuffle(pairs)
    path = "/" if draw.random() < 0.95 else draw.choice(PATHS)
    return path + "?" + "&".join(f"{quote(name, safe='')}={_quoted(draw, value)}" for name, value in pairs)


def _quoted(draw: random.Random, value: str) -> str:
    if draw.random() < 0.03:
        return draw.choice(("%", "%zz", "%ff", "%00", "%u0000", quote_from_bytes(draw.randbytes(8))))
    return quote(value, safe="")


def _packed(draw: random.Random, body: bytes) -> tuple[bytes, list[str]]:
    """A body as its encoding says, or not at all so."""
    encoding = draw.choice(ENCODINGS)
    packers: dict[str, Callable[[bytes], bytes]] = {
        "gzip": lambda raw: gzip.compress(raw, mtime=0),  # the time of day would make another record
        "deflate": zlib.compress,
        "zstd": zstandard.compress,
    }
    packed = packers.get(encoding, bytes)(body)
    return spoilt(draw, packed) if packed and draw.random() < 0.5 else packed, [f"Content-Encoding: {encoding}"]


def request(draw: random.Random, login: Sequence[str]) -> tuple[bytes, bool]:
    """One request as it goes over the line, and whether it is a whole one; `login` are headers of a reader."""
    sql = statement(draw).encode("utf-8", "surrogatepass")
    heads = list(login) if draw.random() < 0.93 else []
    kind = draw.random()
    body = b""
    if kind < 0.25:
        target = address(draw, {"query": sql[:6000].decode("utf-8", "replace")})
    else:
        target, body = address(draw, {}), sql
        if kind < 0.4:
            body, more = _packed(draw, sql if draw.random() < 0.9 else b"SELECT 1 " + b" " * (4 << 20))
            heads += more
        elif kind < 0.5:
            body = draw.choice(BODIES) if draw.random() < 0.5 else spoilt(draw, draw.choice(BODIES), sql)
    odd = draw.random() < 0.15
    if odd:
        heads += draw.choices(HEADS, k=draw.choice((1, 2)))
    if not odd or draw.random() < 0.5:
        heads.append(f"Content-Length: {len(body)}")
    method = (
        draw.choice(("POST", "POST", "POST", "POST", "GET"))
        if not odd
        else draw.choice(("HEAD", "PUT", "OPTIONS", "GET", "POST", "CONNECT", "X" * 99, ""))
    )
    version = (
        "HTTP/1.1" if not odd else draw.choice(("HTTP/1.1", "HTTP/1.0", "HTTP/2.0", "HTTP/9.9", "HTTP/", "RTSP/1.0"))
    )
    head = "\r\n".join([f"{method} {target} {version}", "Host: engine", "Connection: close", *heads, "", ""])
    whole = head.encode("utf-8", "replace") + body
    if draw.random() < 0.15:
        return spoilt(draw, whole), False
    return whole, not odd
