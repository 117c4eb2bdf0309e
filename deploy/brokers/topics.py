"""Topics: made before anybody uses them, with the partitions they must have."""

import time
from collections.abc import Collection, Iterable, Mapping
from types import MappingProxyType
from typing import Any

from kafka.errors import KafkaError, TopicAlreadyExistsError, UnknownTopicOrPartitionError, for_code

from deploy.brokers.admin import BrokerError, open_admin
from deploy.brokers.kafka import RECORD_BYTES_MAX

_POLL_S = 0.1


class MisshapenTopicError(BrokerError):
    """A topic exists with another number of partitions."""


def create_topics(
    bootstrap: str,
    partitions: Mapping[str, int],
    *,
    record_bytes_max: int = RECORD_BYTES_MAX,
    kept_s: Mapping[str, int] = MappingProxyType({}),
    replicas: int = 1,
    timeout_s: float = 30.0,
) -> None:
    """Create the topics that do not exist, {name: partitions}, and wait until each can be used.

    They are not compacted, and kept for ever, but for those in `kept_s`, {name: seconds}: who reads them relies on
    every offset being there. Their records bear the broker's time, where it knows how. Topics that exist keep their
    settings. Raises MisshapenTopicError when one exists with another number of partitions, BrokerError when one cannot
    be created or is not ready within `timeout_s` seconds.
    """
    deadline = time.monotonic() + timeout_s
    settings = {
        "cleanup.policy": "delete",
        "retention.bytes": "-1",
        "max.message.bytes": str(record_bytes_max),
        "message.timestamp.type": "LogAppendTime",  # senders' clocks may be wrong
    }
    kept_ms = {name: str(seconds * 1000) for name, seconds in kept_s.items()}
    wanted = {
        name: {
            "num_partitions": count,
            "replication_factor": replicas,
            "configs": settings | {"retention.ms": kept_ms.get(name, "-1")},
        }
        for name, count in partitions.items()
    }
    if not wanted:
        return
    with open_admin(bootstrap, timeout_s=timeout_s) as admin:
        _check(admin.create_topics(wanted, raise_errors=False)["topics"], "create", TopicAlreadyExistsError)
        while missing := _not_ready(admin, partitions):
            if time.monotonic() > deadline:
                raise BrokerError(
                    f"topics not ready after {timeout_s:g} s at {bootstrap}: {missing}; see the broker's log"
                )
            time.sleep(_POLL_S)


def delete_topics(bootstrap: str, names: Collection[str], *, timeout_s: float = 30.0) -> None:
    """Delete the topics that exist and wait until they are gone; on the embedded broker this frees their memory.

    Raises BrokerError when one cannot be deleted or is still there after `timeout_s` seconds.
    """
    if not names:
        return
    deadline = time.monotonic() + timeout_s
    with open_admin(bootstrap, timeout_s=timeout_s) as admin:
        answer = admin.delete_topics(list(names), raise_errors=False)
        _check(answer["topics"], "delete", UnknownTopicOrPartitionError)
        # All topics are listed, because asking for one by name would create it again on the embedded broker.
        while left := sorted(set(names) & set(admin.list_topics())):
            if time.monotonic() > deadline:
                raise BrokerError(
                    f"topics still there after {timeout_s:g} s at {bootstrap}: {left}; see the broker's log"
                )
            time.sleep(_POLL_S)


def delete_misshapen_topics(bootstrap: str, partitions: Mapping[str, int]) -> None:
    """Delete those of the topics, {name: partitions}, that exist with another number of partitions.

    For a broker that creates unknown topics and just began empty: a client that did not notice its death, and writes
    on, makes such topics before their maker comes. Raises BrokerError as `delete_topics` does.
    """
    with open_admin(bootstrap) as admin:
        described = {topic["name"]: len(topic["partitions"]) for topic in admin.describe_topics(list(partitions))}
    delete_topics(bootstrap, [name for name, wanted in partitions.items() if described.get(name, 0) not in (0, wanted)])


def _check(answers: Iterable[Mapping[str, Any]], verb: str, harmless: type[KafkaError]) -> None:
    for answer in answers:
        error = for_code(answer["error_code"])
        if answer["error_code"] and error is not harmless:
            reason = answer.get("error_message") or ""
            raise BrokerError(f"cannot {verb} topic {answer['name']}: {error.__name__} {reason}".rstrip())


def _not_ready(admin: Any, partitions: Mapping[str, int]) -> dict[str, str]:
    """Return what is still missing, by topic; raises MisshapenTopicError for one with another number of partitions."""
    described = {topic["name"]: topic for topic in admin.describe_topics(list(partitions))}
    missing = {name: _missing(described.get(name)) for name in partitions}
    for name, wanted in partitions.items():
        found = 0 if missing[name] else len(described[name]["partitions"])
        if found not in (0, wanted):
            raise MisshapenTopicError(
                f"topic {name} has {found} partitions, not {wanted}: "
                f"set the number of partitions to {found}, or delete the topic and load its records again"
            )
    return {name: reason for name, reason in missing.items() if reason}


def _missing(topic: Mapping[str, Any] | None) -> str:
    if topic is None:
        return "not listed"
    if topic["error_code"]:
        return str(for_code(topic["error_code"]).__name__)
    if not topic["partitions"]:
        return "no partitions"
    leaderless = [p["partition_index"] for p in topic["partitions"] if p["error_code"] or p["leader_id"] < 0]
    return f"no leader for partitions {leaderless}" if leaderless else ""
