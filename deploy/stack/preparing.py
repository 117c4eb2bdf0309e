"""What must be done between the parts of a stack; all of it is repeatable."""

from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from functools import partial

from deploy.processes import Child
from deploy.stack.answering import cluster_id
from deploy.stack.children import child_environment, module
from deploy.stack.errors import PartError
from deploy.stack.intake_tail import IntakeTail
from hotline.names import EVENTS_TOPICS, INTAKE_TOPIC, KEPT_TOPICS, MEASURED_TOPICS, RECORD_BYTES_MAX
from hotline.settings import Settings

TOPICS = (INTAKE_TOPIC, *EVENTS_TOPICS.values(), *MEASURED_TOPICS.values(), *KEPT_TOPICS)
KEPT_S = 86_400
"""What was true at its time is worth nothing later, and the sink stores what is asked for."""

_MIGRATE_TIMEOUT_S = 900.0  # a migration may rewrite a large table


def migrate(settings: Settings) -> None:
    """Bring the tables to what this version needs. Raises PartError with what the migration says."""
    # In a process of its own: what it imports and allocates would stay with the supervisor for good.
    folder = settings.folder
    child = Child(
        module("deploy.stack.migrating"),
        log=folder.log / "migrating.log",
        env=child_environment(settings),
        cwd=folder.root,
    )
    if child.run(_MIGRATE_TIMEOUT_S) != 0:
        raise PartError(child.log_tail(1).strip() or f"the tables could not be migrated; see {child.log}")


def number_logs(settings: Settings, cluster: str) -> int | None:
    """Give the logs of a broker that is new, or empty again, their next numbers; the number of intake's log.

    Here, not in a process of its own: all readers wait for it whenever the broker died.
    """
    from sinks import logs
    from sinks.connecting import connect

    with closing(connect(settings)) as client:
        return logs.number_logs(client, TOPICS, cluster)[INTAKE_TOPIC]


@dataclass(frozen=True)
class Preparations:
    """What is done to the engine and the broker after each of their starts.

    `migrate(settings)` runs when the engine answers, before all that uses tables. `number_logs(settings, cluster)`
    runs when the broker answers and has its topics, before the sink: another `cluster` than last time is a new log.
    """

    migrate: Callable[[Settings], None] = migrate
    number_logs: Callable[[Settings, str], int | None] = number_logs


def make_topics(settings: Settings) -> None:
    """Create the topics that are missing. Raises BrokerError."""
    from deploy.brokers import BROKERS, MisshapenTopicError, create_topics, delete_misshapen_topics

    partitions = dict.fromkeys(TOPICS, settings.partitions) | dict.fromkeys(KEPT_TOPICS, 1)
    kept_s = dict.fromkeys(KEPT_TOPICS, KEPT_S)
    create = partial(create_topics, settings.bootstrap, partitions, record_bytes_max=RECORD_BYTES_MAX, kept_s=kept_s)
    try:
        create()  # before anything else is asked: as long as a topic is not there, a broker may make it otherwise
    except MisshapenTopicError:
        if not BROKERS[settings.broker].profile.creates_unknown_topics:
            raise
        # A load outlives its broker and may write to the next one before its topics are made. Nothing is lost with what
        # it wrote: the log has no number yet, and at its number the load sends again what is not stored. Others who
        # write to intake do not send again what was acknowledged.
        early = _early_events(settings)
        delete_misshapen_topics(settings.bootstrap, partitions)
        create()
        if early:
            early.send_again(settings.partitions)


def _early_events(settings: Settings) -> IntakeTail | None:
    """Read what stands in an intake topic that will be made anew because of its number of partitions."""
    from deploy.brokers import open_admin

    with open_admin(settings.bootstrap) as admin:
        found = sum(len(topic["partitions"]) for topic in admin.describe_topics([INTAKE_TOPIC]))
    if found in (0, settings.partitions):
        return None
    early = IntakeTail(settings.bootstrap, dict.fromkeys(range(found), 0))
    early.read_on()
    return early


def prepare_broker(settings: Settings, preparations: Preparations) -> int | None:
    """Make a broker that just answered usable: its topics, the numbers of its logs; the number of intake's log.

    Raises PartError, BrokerError.
    """
    make_topics(settings)
    cluster = cluster_id(settings)
    if cluster is None:
        raise PartError(f"went away from {settings.bootstrap} before its logs were numbered")
    return preparations.number_logs(settings, cluster)
