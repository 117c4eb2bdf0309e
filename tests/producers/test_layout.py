"""JSON objects in bytes that come piece by piece, however the document is laid out and wherever it breaks."""

from __future__ import annotations

import json
import tracemalloc
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from producers.adapters.layout import Layout, Raw
from producers.adapters.lines import LINE_BYTES_MAX

LISTS = frozenset({"records"})

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)
records = st.lists(st.dictionaries(st.text().filter(lambda name: name not in LISTS), values, max_size=4), max_size=6)


def found(document: bytes, piece_bytes: int) -> tuple[list[Raw], Layout]:
    layout = Layout(LISTS)
    pieces = [document[start : start + piece_bytes] for start in range(0, len(document), piece_bytes)]
    return [raw for piece in pieces for raw in layout.feed(piece)], layout


@given(records, st.sampled_from([None, 0, 3]), st.sampled_from(["utf-8", "ascii"]), st.integers(1, 40))
@settings(max_examples=60, deadline=None)
def test_objects_are_found_in_every_layout_whatever_they_hold(
    objects: list[dict[str, Any]],
    indent: int | None,
    encoding: str,
    piece_bytes: int,
) -> None:
    def written(value: Any) -> str:
        return json.dumps(value, indent=indent, ensure_ascii=encoding == "ascii")

    wrapped = {"note": "]}", "n": [1, [2]], "records": objects, "after": {"x": [{}]}}
    for document in (
        written(objects),
        written(wrapped),
        "".join(map(written, objects)),
        "\n".join(map(written, objects)),
    ):
        raws, layout = found(document.encode(errors="surrogatepass"), piece_bytes)
        assert [json.loads(raw.raw.decode(errors="surrogatepass")) for raw in raws] == objects
        assert not layout.inside


def test_an_object_has_the_line_at_which_it_begins() -> None:
    document = b'\xef\xbb\xbf{"note":"a",\n"records":[\n{"a":1}, {"b":\n2},\n\n{"c":"\\n"}]}'
    for piece_bytes in (1, 5, 1000):
        raws, _ = found(document, piece_bytes)
        assert [(raw.line, raw.raw) for raw in raws] == [(3, b'{"a":1}'), (3, b'{"b":\n2}'), (6, b'{"c":"\\n"}')]


def test_what_stands_where_objects_should_is_a_problem_by_itself() -> None:
    raws, layout = found(b'[{"a":1}, junk, 12,\n"text", {"b":2}]', 4)
    assert [(raw.line, raw.raw, raw.problem) for raw in raws] == [
        (1, b'{"a":1}', None),
        (1, b"junk", "undecodable"),
        (1, b"12", "undecodable"),
        (2, b'"text"', "undecodable"),
        (2, b'{"b":2}', None),
    ]
    assert not layout.inside


@pytest.mark.parametrize("document", [b'[{"a":1}', b'{"a":', b'{"a', b'{"records":[{"a":1}', b'[{"a":1},"x'])
def test_a_document_that_ends_too_early_is_known_to_be_open(document: bytes) -> None:
    _, layout = found(document, 3)
    assert layout.inside


LARGE = {
    "one long text": b'{"a":"' + b'x\\"' * 1_000_000 + b'"}',
    "a text of backslashes": b'{"a":"' + b"\\\\" * 1_000_000 + b'"}',
    "many small values": b'{"a":[' + b'"x",\n' * 500_000 + b"1]}",
}


@pytest.mark.parametrize("name", LARGE)
def test_an_object_beyond_the_limit_is_too_large_and_never_held(name: str) -> None:
    document = b'[{"before":1},\n' + LARGE[name] + b',{"after":1}]'
    tracemalloc.start()
    layout = Layout(LISTS)
    raws = [raw for start in range(0, len(document), 2**18) for raw in layout.feed(document[start : start + 2**18])]
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert [raw.problem for raw in raws] == [None, "too_large", None]
    assert [raw.line for raw in raws] == [1, 2, 2 + LARGE[name].count(b"\n")]
    assert len(raws[1].raw) == LINE_BYTES_MAX + 1
    assert peak < 10 * 2**20
