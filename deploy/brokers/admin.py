"""A connection for administration: kafka-python's admin client with bounded waits and errors that say what to do."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from kafka import KafkaAdminClient
from kafka.errors import KafkaConnectionError, KafkaTimeoutError

from deploy.ports import answers

RECONNECT_BACKOFF_MS_MAX = 1_000  # kafka-python's default lets a client sleep 30 s after the broker is back


class BrokerError(Exception):
    """A broker, or a topic of it, is not as it must be; the message names it and the remedy."""


@contextmanager
def open_admin(bootstrap: str, *, timeout_s: float = 10.0, **settings: Any) -> Iterator[Any]:
    """Open kafka-python's admin client at `bootstrap` ("host:port", or several with commas) and close it at the end.

    `settings` are passed on (security_protocol, sasl_mechanism …). Raises BrokerError when nobody answers.
    """
    nobody = BrokerError(
        f"no Kafka broker answers at {bootstrap}: start it, or check the address "
        "(a wrong user or password shows as this time-out, too)"
    )
    # Asked first, because a client that finds nobody leaves its thread behind for ever.
    if not any(_address_answers(address) for address in bootstrap.split(",")):
        raise nobody
    try:
        admin = KafkaAdminClient(
            bootstrap_servers=bootstrap,
            reconnect_backoff_max_ms=RECONNECT_BACKOFF_MS_MAX,
            bootstrap_timeout_ms=int(timeout_s * 1000),
            request_timeout_ms=int(timeout_s * 1000),
            **settings,
        )
    except (KafkaConnectionError, KafkaTimeoutError) as error:
        raise nobody from error
    try:
        yield admin
    finally:
        admin.close()


def _address_answers(address: str) -> bool:
    host, _, port = address.strip().rpartition(":")
    return answers(host.strip("[]"), int(port))
