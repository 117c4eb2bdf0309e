"""Mutated requests at the engine's door: raw HTTP, arguments, statements of a reader, bodies packed in any way."""

from __future__ import annotations

import gzip
import random
import zlib
from collections.abc import Mapping, Sequence
from urllib.parse import quote, quote_from_bytes

import zstandard

from tests.fuzz.spoilt_bytes import spoilt

STATEMENTS: Sequence[str] = (
    "SELECT 1",
    "SELECT number, toString(number) FROM numbers(10) WHERE number % 2 ORDER BY number DESC LIMIT 3 FORMAT JSON",
    "SELECT count(), sum(a), groupArray(b) FROM canary GROUP BY a WITH TOTALS",
    "WITH x AS (SELECT * FROM canary) SELECT * FROM x AS l LEFT JOIN canary AS r USING (a) SETTINGS join_use_nulls = 1",
    "SELECT {p:UInt8} + {q:String}",
    "SELECT arrayMap(x -> x + 1, range(10)), map('a', 1), tuple(1, 'a'), CAST('1' AS Nullable(UInt8))",
    "SELECT * FROM file('/etc/passwd', 'LineAsString')",
    "SELECT * FROM url('http://127.0.0.1:1/', 'CSV', 'a String')",
    "SELECT 1 INTO OUTFILE '/tmp/hotline-fuzz-out'",
    "INSERT INTO canary VALUES (9, 'x')",
    "DROP TABLE canary",
    "SELECT 1; DROP TABLE canary",
    "ALTER TABLE canary DELETE WHERE 1",
    "CREATE TABLE mine (a Int8) ENGINE = File('CSV')",
    "SYSTEM SHUTDOWN",
    "KILL QUERY WHERE 1",
    "SET max_memory_usage = 0",
    "SHOW TABLES",
    "DESCRIBE TABLE canary",
    "EXPLAIN AST SELECT 1",
    "EXISTS TABLE canary",
    "SELECT * FROM system.settings LIMIT 1",
    "SELECT name FROM system.columns WHERE table = 'canary'",
    "SELECT quantile(0.9)(a), uniqExact(b), argMax(a, b) FROM canary /* comment */ -- more",
    "SELECT toDateTime64('2023-01-01 00:00:00', 3, 'Asia/Shanghai') AS t, dateDiff('day', t, now())",
    "SELECT * FROM (SELECT 1 AS a UNION ALL SELECT 2) FORMAT Native",
    "SELECT sumMap(map(a, 1)) FROM canary FORMAT ArrowStream",
    "SELECT extractAll('aaa', '(a+)+$'), replaceRegexpAll('x', '(x*)*', 'y')",
)
_TOKENS: Sequence[str] = (
    *("SELECT", "FROM", "WHERE", "(", ")", "((((((((", ",", ";", "*", "'", '"', "`", "\\", "--", "/*", "*/", "#", "\0", "\x1a"),
    *("{", "}", "{p:UInt8}", "{p:Identifier}", "{p:Array(Nested(a Int8))}", "[", "]", "->", "::", "?", ":", "@", "$$", "$a$"),
    *("0x", "1e999", "-9223372036854775809", "18446744073709551616", "nan", "inf", "NULL", "0b2", "'\\x", "'\\u{", "吴", "\u2028"),
    *("FORMAT", "FORMAT Null", "FORMAT XML", "FORMAT Parquet", "FORMAT Avro", "FORMAT Template", "SETTINGS", "INTO OUTFILE"),
    *("UNION ALL", "INTERSECT", "SETTINGS max_threads = 1000", "LIMIT 18446744073709551615", "FINAL", "SAMPLE 1/0", "ARRAY JOIN"),
    *("canary", "system.one", "system.processes", "merge('', '')", "remote('a', 'b')", "file('a')", "numbers(1000000000000)"),
    *("sleep(3)", "repeat('a', 1000000000)", "range(1000000000)", "toTypeName(*)", "CAST(1 AS Array(Array(Int8)))", "dictGet('a','b',1)"),
    *("EXPLAIN", "DESCRIBE", "WATCH", "USE", "GRANT", "ATTACH", "DETACH", "OPTIMIZE", "TRUNCATE", "BACKUP", "CHECK TABLE", "PARALLEL WITH"),
)
_ARGUMENTS: Mapping[str, Sequence[str]] = {
    "database": ("default", "system", "nowhere", "", "a.b", "`"),
    "default_format": ("JSON", "JSONCompact", "Native", "TSVWithNamesAndTypes", "Nothing", "", "\0", "CSV;"),
    "query_id": ("a", "", "\r\nX: y", "\0", "x" * 5000, "吴"),
    "session_id": ("s", "", "x" * 5000, "\0"),
    "session_timeout": ("1", "-1", "x", "999999999999"),
    "session_check": ("1", "x"),
    "compress": ("1", "0", "x"),
    "decompress": ("1", "x"),
    "enable_http_compression": ("1", "x"),
    "wait_end_of_query": ("1", "2"),
    "buffer_size": ("-1", "1", "1e99"),
    "param_p": ("1", "256", "x", "", "\\", "\\N", "';--", "`a`", "\0"),
    "param_q": ("a", "\\t\\", "\xff"),
    "user": ("reader", "writer", "default", "", "\0"),
    "password": ("", "wrong", "\0"),
    "max_execution_time": ("0", "-1", "nan", "1e999", "x", "99999999999999999999"),
    "max_memory_usage": ("0", "-1", "x"),
    "max_result_rows": ("1", "-1", "x"),
    "max_block_size": ("1", "0", "18446744073709551616"),
    "session_timezone": ("Mars/Olympus", "UTC", "\r\n", ""),
    "send_progress_in_http_headers": ("1", "x"),
    "http_headers_progress_interval_ms": ("0", "-1", "x", "²", "9" * 400),
    "output_format_json_quote_64bit_integers": ("1", "x"),
    "format_csv_delimiter": ("ab", "", "\0"),
    "allow_introspection_functions": ("1",),
    "readonly": ("0", "2"),
    "query": ("SELECT", "SELECT 2"),
    "": ("", "x"),
    "x" * 3000: ("1",),
}
_PATHS: Sequence[str] = ("/ping", "/replicas_status", "/play", "//", "/%00", "/../etc/passwd", "*", "", "http://a/")
_ENCODINGS: Sequence[str] = ("gzip", "deflate", "zstd", "lz4", "br", "xz", "snappy", "identity", "gzip, gzip", "nothing", "")
_HEADS: Sequence[str] = (
    *("Content-Length: -1", "Content-Length: 99999999999999999999", "Content-Length: 5", "Content-Length: 5\r\nContent-Length: 6"),
    *("Transfer-Encoding: chunked", "Transfer-Encoding: gzip, chunked", "Expect: 100-continue", "Connection: Upgrade"),
    *("Upgrade: websocket", "Content-Type: multipart/form-data; boundary=x", "Content-Type: multipart/form-data", "Range: bytes=0-"),
    *("Content-Type: text/plain; charset=nothing", "Authorization: Basic !!!", "Authorization: Basic Og==", "Authorization: Bearer x"),
    *("X-ClickHouse-Format: Nothing", "X-ClickHouse-Database: nowhere", "Accept-Encoding: *;q=x", "Cookie: " + "a=b;" * 3000),
    *("X: " + "y" * 9000, ": x", "X\0: y", "X : y", " folded", "Host: a\r\nHost: b", "Keep-Alive: timeout=x"),
)
_BODIES: Sequence[bytes] = (
    b"",
    b"5\r\nSELEC\r\n4\r\nT 1\n\r\n0\r\n\r\n",
    b"ffffffffffffffff\r\nx",
    b"-1\r\n\r\n",
    b'--x\r\nContent-Disposition: form-data; name="query"\r\n\r\nSELECT 1\r\n--x--\r\n',
    b'--x\r\nContent-Disposition: form-data; name="t"; filename="t"\r\n\r\n1\ta\n\r\n--x--\r\n',
    b'--x\r\nContent-Disposition: form-data\r\nContent-Transfer-Encoding: base64\r\n\r\n!!\r\n--x\r\n',
    b"--x\r\nContent-Type: multipart/mixed; boundary=y\r\n\r\n--y\r\n\r\n--y--\r\n--x--",
)


def statement(draw: random.Random) -> str:
    """A mutated statement."""
    text = draw.choice(STATEMENTS)
    kind = draw.random()
    if kind < 0.1:
        return text
    if kind < 0.2:
        depth = draw.choice((10, 300, 3000, 60_000))
        opening, closing = draw.choice((("(", ")"), ("[", "]"), ("-", ""), ("NOT ", ""), ("f(", ")"), ("(SELECT ", ")")))
        return f"SELECT {opening * depth}1{closing * depth}"
    words = text.split(" ")
    for _ in range(draw.choice((1, 2, 3))):
        at, change = draw.randrange(len(words)), draw.random()
        if change < 0.4:
            words.insert(at, draw.choice(_TOKENS))
        elif change < 0.6:
            words[at] = draw.choice(_TOKENS)
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
        name = draw.choice(list(_ARGUMENTS))
        pairs.append((name, draw.choice(_ARGUMENTS[name])))
    if draw.random() < 0.02:
        pairs += [(f"a{number}", "1") for number in range(5000)]
    draw.shuffle(pairs)
    path = "/" if draw.random() < 0.95 else draw.choice(_PATHS)
    return path + "?" + "&".join(f"{quote(name, safe='')}={_quoted(draw, value)}" for name, value in pairs)


def _quoted(draw: random.Random, value: str) -> str:
    if draw.random() < 0.03:
        return draw.choice(("%", "%zz", "%ff", "%00", "%u0000", quote_from_bytes(draw.randbytes(8))))
    return quote(value, safe="")


def _packed(draw: random.Random, body: bytes) -> tuple[bytes, list[str]]:
    """A body as its encoding says, or not at all so."""
    encoding = draw.choice(_ENCODINGS)
    packers = {"gzip": gzip.compress, "deflate": zlib.compress, "zstd": zstandard.compress}
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
            body = draw.choice(_BODIES) if draw.random() < 0.5 else spoilt(draw, draw.choice(_BODIES), sql)
    odd = draw.random() < 0.15
    if odd:
        heads += draw.choices(_HEADS, k=draw.choice((1, 2)))
    if not odd or draw.random() < 0.5:
        heads.append(f"Content-Length: {len(body)}")
    method = draw.choice(("POST", "POST", "POST", "POST", "GET")) if not odd else draw.choice(("HEAD", "PUT", "OPTIONS", "GET", "POST", "CONNECT", "X" * 99, ""))
    version = "HTTP/1.1" if not odd else draw.choice(("HTTP/1.1", "HTTP/1.0", "HTTP/2.0", "HTTP/9.9", "HTTP/", "RTSP/1.0"))
    head = "\r\n".join([f"{method} {target} {version}", "Host: engine", "Connection: close", *heads, "", ""])
    whole = head.encode("utf-8", "replace") + body
    if draw.random() < 0.15:
        return spoilt(draw, whole), False
    return whole, not odd
