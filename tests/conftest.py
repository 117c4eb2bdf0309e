"""Brokers for every test that needs a real one, each started once a session, when first asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from deploy.brokers import Broker, EmbeddedBroker, KafkaBroker


def pytest_configure(config: pytest.Config) -> None:
    """Let kafka-python read its schemas by a function that Python 3.11 deprecates and 3.13 took back."""
    config.addinivalue_line("filterwarnings", "ignore:(open|read)_text is deprecated:DeprecationWarning")


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
