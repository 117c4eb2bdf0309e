"""Asking the parts of a stack themselves whether they work."""

import base64
import http.client
import os
from urllib.parse import urlsplit

from hotline.acceptances import GIVEN_UP_SQL
from hotline.settings import Settings, SettingsError, password

_TIMEOUT_S = 2.0


def http_answers(url: str) -> bool:
    """Tell whether a GET of `url` gives 200 within 2 s; no proxy is ever asked."""
    parts = urlsplit(url)
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = kind(parts.hostname or "", parts.port, timeout=_TIMEOUT_S)
    try:
        connection.request("GET", parts.path or "/")
        return connection.getresponse().status == http.client.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def engine_answers(settings: Settings) -> bool:
    """Tell whether ClickHouse answers at `clickhouse_url`."""
    return http_answers(settings.clickhouse_url.rstrip("/") + "/ping")


def given_up(settings: Settings) -> int | None:
    """Ask ClickHouse how many records were given up; None when it does not answer, or has no such table yet."""
    url = urlsplit(settings.clickhouse_url)
    kind = http.client.HTTPSConnection if url.scheme == "https" else http.client.HTTPConnection
    connection = kind(url.hostname or "", url.port, timeout=_TIMEOUT_S)
    try:
        account = f"{settings.clickhouse_reader}:{password(settings, 'reader')}".encode()
        headers = {"Authorization": f"Basic {base64.b64encode(account).decode()}"}
        connection.request("POST", "/", GIVEN_UP_SQL.encode(), headers)
        answer = connection.getresponse()
        return int(answer.read()) if answer.status == http.client.OK else None
    except (OSError, http.client.HTTPException, SettingsError, ValueError):
        return None
    finally:
        connection.close()


def broker_answers(settings: Settings) -> bool:
    """Tell whether a broker answers at `bootstrap` as a broker does."""
    return cluster_id(settings) is not None


def cluster_id(settings: Settings) -> str | None:
    """Ask the broker for the identity of its log; None when nobody answers."""
    from kafka.errors import KafkaError

    from deploy.brokers import BrokerError, open_admin

    try:
        with open_admin(settings.bootstrap, timeout_s=_TIMEOUT_S * 2) as admin:
            return str(admin.describe_cluster()["cluster_id"])
    except (BrokerError, KafkaError):
        return None


def sink_answers(settings: Settings) -> bool:
    """Tell whether the sink says on its health port that it is ready: its spool is finished."""
    return http_answers(f"http://127.0.0.1:{settings.sink_health_port}/health")


def process_lives(pid: int) -> bool:
    """Tell whether a process of that id runs; one that nobody has buried yet does not."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as stat:  # noqa: PTH123  read at each poll
            return stat.read().rpartition(")")[2].split()[0] != "Z"
    except (OSError, IndexError):
        return True  # another system, or gone this moment
