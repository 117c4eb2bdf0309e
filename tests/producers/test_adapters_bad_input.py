"""Files that are not what they should be: one clear sentence, or dead rows and the rest counted; nothing hangs."""

from __future__ import annotations

import bz2
import gzip
import io
import os
import subprocess
import sys
import tracemalloc
import zlib
from pathlib import Path
from typing import IO, TYPE_CHECKING

import polars as pl
import pytest
import zstandard

from hotline.dead_letters import ORIGINAL_BYTES_MAX, REASONS
from producers.adapters import ADAPTERS, Adapter, Batch, TruncatedError, UnknownAdapterError, UnreadableError, adapter

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
DATA = ROOT.parent / "shared" / "data"
JANUARY, HALF_YEAR = DATA / "bank1999" / "january.txt.gz", DATA / "boston311" / "2015_h1.parquet"
KEY = b"a key of the tests"
BANK, BOSTON = ADAPTERS["bank1999"], ADAPTERS["boston311"]
HEADERS = {"bank1999": "\t".join(BANK.columns), "boston311": ",".join(BOSTON.columns)}
"""First lines of the tables; other files have none."""
CALL = "AA0101\t{}\t0\t0\tPS\t990215\t10:00:00\t10:00:05\t5\t0:00:00\t0:00:00\t0\tHANG\t0:00:00\t0:00:00\t0\tNO_SERVER"
CASE = "{},01/05/2015 09:00:00 AM,,,ONTIME,Open,Public Works,Trees,Tree,PWDx_Tree,PWDx,Roxbury,5,Self Service,"
QUEUED = "1700000000|1700000000.{}|support|NONE|ENTERQUEUE||0123456|1"
CONTACT = (
    '{{"ContactId": "c{}", "Channel": "VOICE", "InitiationMethod": "INBOUND", "InitiationTimestamp": '
    '"2024-03-01T10:00:00Z", "Queue": {{"Name": "q", "EnqueueTimestamp": "2024-03-01T10:00:20Z"}}}}'
)
REQUEST = '{{"service_request_id": "{}", "status": "open", "requested_datetime": "2024-03-01T10:00:00-06:00"}}'
LINES = {
    "bank1999": CALL,
    "boston311": CASE,
    "asterisk": QUEUED,
    "amazon-connect": CONTACT,
    "open311": REQUEST,
}
SAMPLES = {
    "bank1999": JANUARY,
    "boston311": HALF_YEAR,
    "asterisk": DATA / "asterisk" / "queue_log_cases.json",
    "amazon-connect": DATA / "amazon_connect" / "ctr.json",
    "open311": DATA / "open311_chicago" / "requests.json",
}
EVENTS = 2
"""Of each such line."""
LEFT_OUT = {"amazon-connect": {"operator_group"}}
"""Scopes that the sample's maker left out of it."""


def read(using: Adapter, content: bytes | IO[bytes], *, chunk_bytes: int = 2**20) -> Iterator[Batch]:
    stream = io.BytesIO(content) if isinstance(content, bytes) else content
    return using.read(stream, key=KEY, origin="the file", chunk_bytes=chunk_bytes)


def good(using: Adapter, count: int, *, first: int = 0) -> bytes:
    lines = [LINES[using.name].format(number) for number in range(first, first + count)]
    return "\n".join([HEADERS.get(using.name, ""), *lines, ""]).encode()


def rows(batches: list[Batch]) -> pl.DataFrame:
    return pl.concat([frame for batch in batches for frame in batch.frames.values()], how="diagonal")


def entities(batches: list[Batch]) -> int:
    return rows(batches)["entity"].drop_nulls().n_unique()


every = pytest.mark.parametrize("using", ADAPTERS.values(), ids=ADAPTERS)
tables = pytest.mark.parametrize("using", [BANK, BOSTON], ids=HEADERS)


# Files that hold nothing for the adapter

UNREADABLE = {
    "empty": (b"", "empty"),
    "blank lines": (b"\n\r\n\n", ""),
    "binary rubbish": (bytes(range(256)) * 500, ""),
    "nothing but NULs": (bytes(100_000), ""),
    "random bytes": (os.urandom(300_000), ""),
    "a picture": (b"\x89PNG\r\n\x1a\n" + os.urandom(1000), ""),
    "another archive": (bz2.compress(b"a,b\n" * 1000), ""),
    "JSON": (b'{"requests": [\n{"id": 1},\n{"id": 2}\n]}\n', ""),
    "another table": (b"a,b,c\n1,2,3\n", ""),
    "a line of 10 MB without an end": (b"x" * 10_000_000, ""),
    "UTF-16": (("a\tb\n" * 100).encode("utf-16"), "Convert it to UTF-8"),
    "the start of a gzip file": (gzip.compress(b"a\n")[:6], "too early"),
    "gzip with a damaged start": (gzip.compress(b"a\n")[:10] + b"\xff" * 50, "damaged"),
    "the start of a zstd file": (zstandard.compress(b"a\n" * 99)[:8], "too early"),
    "zstd with a damaged start": (zstandard.compress(b"a\n" * 99)[:5] + b"\xff" * 50, "damaged"),
    "the start of a parquet file": (b"PAR1" + bytes(1000), ""),
    "four bytes": (b"PAR1", ""),
    "one byte": (b"\x1f", ""),
}


@every
@pytest.mark.parametrize("name", UNREADABLE)
def test_a_file_that_holds_nothing_for_the_adapter_is_refused_before_any_batch(using: Adapter, name: str) -> None:
    content, why = UNREADABLE[name]
    with pytest.raises(UnreadableError, match=f"^the file: .*{why}.*"):
        next(read(using, content))


def test_the_file_of_another_adapter_is_refused_by_name() -> None:
    with pytest.raises(UnreadableError, match=r"2015_h1\.parquet: no line .* 17 tab-separated columns of bank1999"):
        next(BANK.read(HALF_YEAR, key=KEY))
    with pytest.raises(UnreadableError, match=r"january\.txt\.gz: not a file of boston311: its header lacks CASE_"):
        next(BOSTON.read(JANUARY, key=KEY))


def test_a_parquet_file_of_something_else_is_refused_by_its_columns(tmp_path: Path) -> None:
    pl.DataFrame({"a": [1]}).write_parquet(tmp_path / "other.parquet")
    with pytest.raises(UnreadableError, match="its header lacks CASE_ENQUIRY_ID, OPEN_DT"):
        next(BOSTON.read(tmp_path / "other.parquet", key=KEY))


def test_a_parquet_file_with_lists_is_refused(tmp_path: Path) -> None:
    frame = pl.read_parquet(HALF_YEAR).head(2).with_columns(department=pl.concat_list("department"))
    frame.write_parquet(tmp_path / "lists.parquet")
    with pytest.raises(UnreadableError, match="its column department holds lists"):
        next(BOSTON.read(tmp_path / "lists.parquet", key=KEY))


def test_a_parquet_file_that_was_cut_is_refused() -> None:
    with pytest.raises(UnreadableError, match="ends too early"):
        next(read(BOSTON, HALF_YEAR.read_bytes()[:-1000]))


@every
def test_a_path_that_cannot_be_opened_is_named_with_its_reason(using: Adapter, tmp_path: Path) -> None:
    with pytest.raises(UnreadableError, match="nowhere: no such file"):
        next(using.read(tmp_path / "nowhere", key=KEY))
    with pytest.raises(UnreadableError, match="is a directory"):
        next(using.read(tmp_path, key=KEY))


@every
def test_an_unknown_zone_is_refused_with_the_nearest_names(using: Adapter) -> None:
    with pytest.raises(ValueError, match=r"unknown zone 'Asia/Jerusalam'.*Asia/Jerusalem"):
        using.read(io.BytesIO(), key=KEY, zone="Asia/Jerusalam")


@every
def test_pseudonyms_without_a_key_are_refused(using: Adapter) -> None:
    with pytest.raises(ValueError, match="empty key"):
        using.read(io.BytesIO(), key=b"")


def test_an_unknown_adapter_is_refused_with_the_nearest_name() -> None:
    with pytest.raises(UnknownAdapterError, match="unknown adapter 'bank199'; use bank1999"):
        adapter("bank199")
    with pytest.raises(UnknownAdapterError, match="use amazon-connect or asterisk or bank1999 or boston311 or open311"):
        adapter("zzz")
    assert adapter("boston311") is BOSTON


@tables
def test_a_header_alone_is_a_file_without_lines(using: Adapter) -> None:
    assert list(read(using, good(using, 0))) == []


@pytest.mark.parametrize("name", ["asterisk", "amazon-connect", "open311"])
@pytest.mark.parametrize("bracket", [b"[", b'[{"a":'])
def test_brackets_that_nest_without_end_are_not_followed_for_ever(name: str, bracket: bytes) -> None:
    """Each open bracket is remembered, and a small packed file may hold thousands of millions."""
    packed = gzip.compress(bracket * (3 << 20), 1)
    with pytest.raises(UnreadableError, match="brackets nest without end"):
        next(read(ADAPTERS[name], packed))


# Files that end too early


@every
@pytest.mark.parametrize("pack", [gzip.compress, zstandard.compress], ids=["gzip", "zstd"])
def test_a_packed_file_that_was_cut_gives_its_whole_lines_and_then_says_so(using: Adapter, pack: object) -> None:
    assert callable(pack)
    lines = good(using, 30_000)
    packed = pack(lines)
    batches: list[Batch] = []
    with pytest.raises(TruncatedError, match=r"^the file: the .* data ends too early, at byte"):
        collect(batches, read(using, packed[: len(packed) // 2]))
    assert 1000 < entities(batches) < 30_000
    assert sum(batch.lines_broken for batch in batches) == 0
    assert sum(batch.lines_read for batch in batches) == entities(batches)


def collect(into: list[Batch], batches: Iterator[Batch]) -> None:
    """Keep what came before the error."""
    into.extend(batches)


def test_a_cut_line_is_never_read_as_a_shorter_name() -> None:
    lines = good(BANK, 2000)
    packer = zlib.compressobj(wbits=31)
    cut = packer.compress(lines[:-8]) + packer.flush(zlib.Z_SYNC_FLUSH)
    batches: list[Batch] = []
    with pytest.raises(TruncatedError):
        collect(batches, read(BANK, cut))
    assert entities(batches) == 1999


@every
def test_a_file_damaged_in_its_middle_gives_what_came_before(using: Adapter) -> None:
    packer = zlib.compressobj(wbits=31)
    sound = packer.compress(good(using, 30_000)) + packer.flush(zlib.Z_FULL_FLUSH)
    no_such_block = b"\x07" * 100
    batches: list[Batch] = []
    with pytest.raises(TruncatedError, match="damaged before byte"):
        collect(batches, read(using, sound + no_such_block))
    assert entities(batches) == 30_000


# How a file may be packed


@every
def test_the_content_decides_how_a_file_is_packed_and_members_follow_each_other(using: Adapter, tmp_path: Path) -> None:
    first, second = good(using, 10), good(using, 10, first=10)
    packings = {
        "plain": first + second,
        "gzip": gzip.compress(first) + gzip.compress(second) + bytes(512),
        "zstd": zstandard.compress(first) + zstandard.compress(second),
        "with a byte order mark": b"\xef\xbb\xbf" + first + second,
        "without an end": (first + second).rstrip(),
    }
    for content in packings.values():
        (tmp_path / "a name that tells nothing").write_bytes(content)
        batches = list(using.read(tmp_path / "a name that tells nothing", key=KEY))
        assert (entities(batches), sum(batch.lines_read for batch in batches)) == (20, 20)
        assert batches[-1].bytes_read == len(content)


@every
def test_standard_input_is_a_file_too(using: Adapter) -> None:
    script = (
        "from producers.adapters import adapter\n"
        f"batches = list(adapter({using.name!r}).read('-', key=b'k'))\n"
        "print(sum(batch.lines_read for batch in batches), batches[0].frames.keys())"
    )
    content = gzip.compress(good(using, 7))
    done = subprocess.run([sys.executable, "-c", script], input=content, cwd=ROOT, capture_output=True, check=True)
    assert done.stdout.split()[0] == b"7"


def test_a_parquet_file_may_come_through_a_pipe() -> None:
    with subprocess.Popen(["cat", str(HALF_YEAR)], stdout=subprocess.PIPE) as cat:
        assert cat.stdout
        batches = list(BOSTON.read(cat.stdout, key=KEY))
    assert sum(batch.lines_read for batch in batches) == 58_119


def test_a_stream_of_the_caller_stays_open() -> None:
    stream = io.BytesIO(good(BANK, 1))
    list(read(BANK, stream))
    assert not stream.closed


# Lines among good ones

BROKEN = {
    "a line of 10 MB": (b"x" * 10_000_000, "too_large"),
    "a line just beyond the limit": (b"x" * 2**20, "too_large"),
    "a line in another encoding": ("Ж".join("abc").encode("cp1251"), "undecodable"),
    "NUL bytes": (b"\0" * 1000, "undecodable"),
    "binary rubbish": (bytes(byte for byte in range(256) if byte != 10), "undecodable"),
    "a few words": (b"a few words", "undecodable"),
}


@every
@pytest.mark.parametrize("chunk_bytes", [1000, 2**22])
@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_line_is_a_dead_row_with_file_and_line_and_the_rest_counts(
    using: Adapter, name: str, chunk_bytes: int
) -> None:
    text, reason = BROKEN[name]
    content = good(using, 3) + text + b"\n" + good(using, 3, first=3)
    batches = list(read(using, content, chunk_bytes=chunk_bytes))
    dead = rows(batches).filter(pl.col("problem").is_not_null())
    assert dead.select("problem", "origin").rows() == [(reason, "the file:5")]
    assert dead["original"][0] == text[:ORIGINAL_BYTES_MAX].rstrip(b"\r\n")
    assert (entities(batches), len(rows(batches))) == (6, 6 * EVENTS + 1)
    assert reason in REASONS


def test_a_huge_line_is_never_held() -> None:
    class Endless(io.RawIOBase):
        """A header, then 300 MB of one line, then a good line."""

        left = 300

        def readable(self) -> bool:
            return True

        def readinto(self, into: memoryview) -> int:  # type: ignore[override]
            if self.left == 300:
                piece = HEADERS["bank1999"].encode() + b"\n"
            elif self.left > 0:
                piece = b"x" * min(len(into), 2**18)
            else:
                piece = b"\n" + CALL.format(1).encode() if self.left == 0 else b""
            self.left -= 1
            into[: len(piece)] = piece
            return len(piece)

    tracemalloc.start()
    batches = list(read(BANK, io.BufferedReader(Endless(), 2**18)))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert rows(batches)["problem"].drop_nulls().to_list() == ["too_large"]
    assert entities(batches) == 1
    assert peak < 16 * 2**20


@every
def test_a_file_of_many_broken_lines_counts_each(using: Adapter) -> None:
    content = good(using, 1) + b"".join(b"broken \xff %d\n" % number for number in range(1000))
    batches = list(read(using, content, chunk_bytes=2000))
    assert sum(batch.lines_broken for batch in batches) == 1000
    assert rows(batches)["origin"].drop_nulls().to_list() == [f"the file:{number}" for number in range(3, 1003)]


# What is declared


@every
def test_the_scopes_that_an_adapter_declares_are_those_that_it_fills(using: Adapter) -> None:
    file = SAMPLES[using.name]
    frame = rows(list(using.read(file, key=KEY)))
    kinds = ("line", "district", "department", "channel", "audience", "category", "nature", "operator_group")
    filled = {kind for kind in kinds if kind in frame.columns and frame[kind].count()}
    assert filled == set(using.scopes) - LEFT_OUT.get(using.name, set())
    assert using.title
    assert using.title_zh
    assert using.source
    assert using.licence
    assert set(using.subjects) == set(next(using.read(file, key=KEY)).frames)
