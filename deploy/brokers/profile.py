"""What differs between the brokers, in one table that code reads and the documentation prints."""

from dataclasses import dataclass
from typing import Literal

BrokerName = Literal["kafka", "embedded"]


@dataclass(frozen=True)
class Profile:
    """What may be relied on with one kind of broker; `DIFFERENCES` says why for each field."""

    name: BrokerName
    durable: bool
    idempotent_producer: bool
    enforces_retention: bool
    enforces_record_bytes: bool
    frees_memory_by_itself: bool
    reliable_latest_offset: bool
    deletes_records: bool
    adds_partitions: bool
    honours_default_partitions: bool
    creates_unknown_topics: bool


@dataclass(frozen=True)
class Difference:
    """One line of the table: a field of `Profile`, its value for each broker, and what follows from it."""

    field: str
    kafka: bool
    embedded: bool
    why: str


DIFFERENCES = (
    Difference(
        "durable",
        kafka=True,
        embedded=False,
        why="The embedded broker keeps records in memory only: after a restart topics are gone and offsets begin at 0.",
    ),
    Difference(
        "idempotent_producer",
        kafka=True,
        embedded=False,
        why="aiokafka's idempotent producer does not start on the embedded broker (InitProducerId fails).",
    ),
    Difference(
        "enforces_retention",
        kafka=True,
        embedded=False,
        why="The embedded broker stores retention settings of a topic and ignores them.",
    ),
    Difference(
        "enforces_record_bytes",
        kafka=True,
        embedded=False,
        why="The embedded broker accepts records over max.message.bytes, so senders check the size themselves.",
    ),
    Difference(
        "frees_memory_by_itself",
        kafka=True,
        embedded=False,
        why="A byte written to the embedded broker is a byte of memory until its topic is deleted.",
    ),
    Difference(
        "reliable_latest_offset",
        kafka=True,
        embedded=False,
        why="ListOffsets of the embedded broker names the first offset of the last batch + 1 as the latest; "
        "the high-water mark of a fetch answer is right on both.",
    ),
    Difference(
        "deletes_records",
        kafka=True,
        embedded=False,
        why="DeleteRecords makes the embedded broker panic and close the connection.",
    ),
    Difference(
        "adds_partitions",
        kafka=True,
        embedded=False,
        why="A topic of the embedded broker keeps the number of partitions it was created with.",
    ),
    Difference(
        "honours_default_partitions",
        kafka=True,
        embedded=False,
        why="A topic created with -1 partitions follows the broker's setting (1) on Kafka; the embedded one makes 3.",
    ),
    Difference(
        "creates_unknown_topics",
        kafka=False,
        embedded=True,
        why="Asking the embedded broker for offsets of an unknown topic creates it, so a misspelt name is no error.",
    ),
)

KAFKA = Profile(name="kafka", **{line.field: line.kafka for line in DIFFERENCES})
EMBEDDED = Profile(name="embedded", **{line.field: line.embedded for line in DIFFERENCES})
