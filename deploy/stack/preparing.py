"""What must be done between the parts of a stack; all of it is repeatable."""

from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass

from deploy.stack.answering import cluster_id
from deploy.stack.errors import PartError
from hotline.names import EVENTS_TOPICS, INTAKE_TOPIC, KPIS_TOPIC, MEASURED_TOPICS, RECORD_BYTES_MAX
from hotline.settings import Settings

TOPICS = (INTAKE_TOPIC, *EVENTS_TOPICS.values(), *MEASURED_TOPICS.values(), KPIS_TOPIC)
KPIS_KEPT_S = 86_400
"""Current values are worth nothing later; the sink stores a set for each minute."""


def migrate(settings: Settings) -> None:
    """Bring the tables to what this version needs. Raises MigrationError, SettingsError, or what the client raises."""
    from sinks.connecting import connect
    from sinks.migrations import apply

    with closing(connect(settings)) as client:
        apply(client, settings.zone)


def number_logs(settings: Settings, cluster: str) -> None:
    """Give the logs of a broker that is new, or empty again, their next numbers."""
    from sinks import logs
    from sinks.connecting import connect

    with closing(connect(settings)) as client:
        logs.number_logs(client, TOPICS, cluster)


@dataclass(frozen=True)
class Preparations:
    """What is done to the engine and the broker after each of their starts.

    `migrate(settings)` runs when the engine answers, before all that uses tables. `number_logs(settings, cluster)`
    runs when the broker answers and has its topics, before the sink: another `cluster` than last time is a new log.
    """

    migrate: Callable[[Settings], None] = migrate
    number_logs: Callable[[Settings, str], None] = number_logs


def make_topics(settings: Settings) -> None:
    """Create the topics that are missing. Raises BrokerError."""
    from deploy.brokers import BROKERS, create_topics, delete_misshapen_topics

    partitions = dict.fromkeys(TOPICS, settings.partitions) | {KPIS_TOPIC: 1}
    # A load outlives its broker and may write to the next one before its topics are made. Nothing is lost with what it
    # wrote: the log has no number yet, and at its number the load sends again what is not stored.
    if BROKERS[settings.broker].profile.creates_unknown_topics:
        delete_misshapen_topics(settings.bootstrap, partitions)
    kept_s = {KPIS_TOPIC: KPIS_KEPT_S}
    create_topics(settings.bootstrap, partitions, record_bytes_max=RECORD_BYTES_MAX, kept_s=kept_s)


def prepare_broker(settings: Settings, preparations: Preparations) -> None:
    """Make a broker that just answered usable: its topics, the numbers of its logs. Raises PartError, BrokerError."""
    make_topics(settings)
    cluster = cluster_id(settings)
    if cluster is None:
        raise PartError(f"went away from {settings.bootstrap} before its logs were numbered")
    preparations.number_logs(settings, cluster)
