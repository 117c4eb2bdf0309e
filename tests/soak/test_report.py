"""The report of a soak says what failed, escapes what it quotes, and has its pictures in it."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import msgspec
import pytest

from tests.faults.faults import HOURS
from tests.soak.day import Day
from tests.soak.kills import Run
from tests.soak.outage import Outage
from tests.soak.recording import Sample
from tests.soak.report import Soak, page, undrawn

SAMPLES = [
    Sample(1.0, {"engine": 400 << 20, "broker": 100 << 20}, 50 << 20, 3),
    Sample(2.0, {"engine": 420 << 20}, 60 << 20, None),
]
ACCOUNT = {"read": 12_345, "counted": 12_000, "seen": 345}
RIGHT = Run(
    "kafka",
    11,
    "2026-11-29",
    "7/0/25",
    ["kill sink", "kill sink and another", "optimize"],
    [("kill sink", 1.25), ("optimize", 0.5)],
)
WRONG = Run("lines", 12, "2026-11-29", "7/0/25", ["engine away"], [], "AssertionError: stored <1>, right 2")
RIGHT = msgspec.structs.replace(
    RIGHT, killed={"sink": 2, "roll": 1}, bites={"kill sink": 1, "kill sink and another": 2}
)
SOAK = Soak(7, "2026-11-29T20:00:00+00:00", [RIGHT], [Day("kafka", 60, 1.0, ACCOUNT, 13, SAMPLES)])


class _Tags(HTMLParser):
    """Counts what is opened, and sees that it is closed."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[str] = []

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.seen.append(tag)
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def tags(text: str) -> list[str]:
    reader = _Tags()
    reader.feed(text)
    reader.close()
    assert not reader.open
    return reader.seen


def test_a_page_holds_its_pictures_and_reaches_for_nothing() -> None:
    text = page(SOAK)
    assert tags(text).count("svg") == 4  # recovery; memory, disk and lag of a day
    assert not {"script", "link", "img", "iframe"} & set(tags(text))
    assert "3 processes killed in 3 faults" in text
    assert "Nothing lost" in text
    assert "at most 500 MiB" in text
    assert "1.25" in text


def test_kills_are_told_by_process_and_environment() -> None:
    other = Run("lines", 13, "2026-11-29", "7/0/25", ["kill sink"], [], killed={"sink": 5}, bites={"kill sink": 5})
    text = page(Soak(7, "now", [RIGHT, other]))
    assert cells(text, "sink") == ["2", "5", "7"]
    assert cells(text, "roll") == ["1", "0", "1"]
    assert cells(text, "all processes") == ["3", "5", "8"]
    assert cells(text, "kill sink") == ["2", "6"]
    assert cells(text, "optimize") == ["1", "0"], "a fault that met nothing shows"


def test_faults_that_no_run_had_are_named() -> None:
    assert undrawn([RIGHT])["kafka"] == sorted(HOURS["kafka"].keys() - set(RIGHT.faults))
    assert f"Never on lines: {', '.join(sorted(HOURS['lines']))}." in page(SOAK)
    whole = [msgspec.structs.replace(RIGHT, environment=name, faults=list(of)) for name, of in HOURS.items()]
    assert undrawn(whole) == {}


def test_memory_is_told_before_at_most_and_after() -> None:
    sizes = [(100, 10), (300, 20), (120, 15)]
    samples = [Sample(float(at), {"engine": a << 20, "sender": b << 20}, 1, 0) for at, (a, b) in enumerate(sizes)]
    text = page(Soak(7, "now", outages=[Outage("kafka", 1.0, 2.0, 0, ACCOUNT, samples)]))
    assert cells(text, "engine") == ["100", "300", "120"]
    assert cells(text, "sender") == ["10", "20", "15"]
    assert cells(text, "all processes") == ["110", "320", "135"]


def cells(text: str, first: str) -> list[str]:
    """What stands behind the first cell of a line, of the last table that has it."""
    *_, line = re.findall(rf"<tr><td>{first}</td>(.*?)</tr>", text)
    return re.findall(r">([^<>]+)</td>", line)


def test_a_long_recording_is_drawn_in_few_points_and_its_peak_is_told() -> None:
    calm = [Sample(float(second), {f"part {n}": 1 << 20 for n in range(8)}, 1, 0) for second in range(9_000)]
    calm[4_001] = Sample(4_001.0, {"engine": 900 << 20}, 1, 0)
    text = page(Soak(7, "now", days=[Day("kafka", 60, 1.0, ACCOUNT, 13, calm)]))
    assert tags(text).count("svg") == 3
    assert "at most 900 MiB" in text
    assert len(text) < 1_000_000


@pytest.mark.parametrize("quiet", [Soak(7, "now"), Soak(7, "now", [WRONG])])
def test_a_page_needs_no_results_yet(quiet: Soak) -> None:
    assert "svg" not in tags(page(quiet))


def test_what_failed_is_said_at_once_and_escaped() -> None:
    outage = Outage("embedded", 1.0, 2.0, 0, ACCOUNT, SAMPLES)
    text = page(Soak(7, "now", [WRONG], outages=[outage], failures=["day, kafka: AssertionError: <b>"]))
    assert "Nothing lost" not in text
    again = "FAULTS_SEED=12 FAULTS_TIMES=25 FAULTS_DAY=2026-11-29 FAULTS_OF=7/0/25"
    assert f"lines {again}: AssertionError: stored &lt;1&gt;, right 2" in text
    assert "AssertionError: &lt;b&gt;" in text
    assert tags(text)
