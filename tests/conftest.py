"""Brokers for every test that needs a real one, each started once a session, when first asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from deploy.brokers import Broker, EmbeddedBroker, KafkaBroker

_LONGEST = ("e2e/test_kills", "faults", "e2e", "sinks", "streams", "deploy", "cli")
_SLICE = ("tests/faults/test_faults.py", "tests/soak/test_slice.py")


def pytest_configure(config: pytest.Config) -> None:
    """Let kafka-python read its schemas by a function that Python 3.11 deprecates and 3.13 took back."""
    config.addinivalue_line("filterwarnings", "ignore:(open|read)_text is deprecated:DeprecationWarning")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes longest, so that at the end no process of the tests waits for another."""
    items.sort(key=_room)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say how long the slice of `make soak` took that is among the tests: it should stay below six minutes."""
    ended = [report for kind in ("passed", "failed") for report in terminalreporter.stats.get(kind, [])]
    took_s = [report.duration for report in ended if report.nodeid.startswith(_SLICE)]
    if took_s:
        terminalreporter.write_line(f"slice of the soak: {sum(took_s):.0f} s in {len(took_s)} tests")


def _room(item: pytest.Item) -> int:
    inside = item.nodeid.removeprefix("tests/")
    return next((place for place, room in enumerate(_LONGEST) if inside.startswith(room)), len(_LONGEST))


@pytest.fixture(scope="session")
def kafka_broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KafkaBroker]:
    """Start Apache Kafka, shared by the session: use topic names of your own."""
    from deploy.brokers import KafkaBroker

    with KafkaBroker(tmp_path_factory.mktemp("kafka")) as broker:
        yield broker


@pytest.fixture(scope="session")
def embedded_broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedBroker]:
    """Start the embedded broker, shared by the session: use topic names of your own."""
    from deploy.brokers import EmbeddedBroker

    with EmbeddedBroker(tmp_path_factory.mktemp("embedded")) as broker:
        yield broker


@pytest.fixture(scope="session", params=["kafka", "embedded"])
def broker(request: pytest.FixtureRequest) -> Broker:
    """Give each of the shared brokers in turn."""
    found: Broker = request.getfixturevalue(f"{request.param}_broker")
    return found
