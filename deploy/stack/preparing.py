"""What must be done between the parts of a stack; all of it is repeatable."""

from collections.abc import Callable
from dataclasses import dataclass

from deploy.stack.answering import cluster_id
from deploy.stack.errors import PartError
from hotline.names import EVENTS_TOPICS, MEASURED_TOPICS, RECORD_BYTES_MAX
from hotline.settings import Settings


def _no_migrations(settings: Settings) -> None:
    """Leave the database as it is."""


def _no_numbers(settings: Settings, cluster: str) -> None:
    """Leave the numbers of the logs as they are."""


@dataclass(frozen=True)
class Preparations:
    """What belongs to rooms that the supervisor does not know.

    `migrate(settings)` runs when the engine answers, before all that uses tables. `number_logs(settings, cluster)`
    runs when the broker answers and has its topics, before the sink: another `cluster` than last time is a new log.
    """

    migrate: Callable[[Settings], None] = _no_migrations
    number_logs: Callable[[Settings, str], None] = _no_numbers


def make_topics(settings: Settings) -> None:
    """Create the topics that are missing. Raises BrokerError."""
    from deploy.brokers import create_topics

    topics = dict.fromkeys([*EVENTS_TOPICS.values(), *MEASURED_TOPICS.values()], settings.partitions)
    create_topics(settings.bootstrap, topics, max_record_bytes=RECORD_BYTES_MAX)


def prepare_broker(settings: Settings, preparations: Preparations) -> None:
    """Make a broker that just answered usable: its topics, the numbers of its logs. Raises PartError, BrokerError."""
    make_topics(settings)
    cluster = cluster_id(settings)
    if cluster is None:
        raise PartError(f"went away from {settings.bootstrap} before its logs were numbered")
    preparations.number_logs(settings, cluster)
