"""Two nodes of Kafka that hold every partition both: the second leads some, and can die while the first goes on.

Only the first is a controller, and nobody kills it: a quorum of three would be three more processes, and what clients
see of a leader's death is the same.
"""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING, Any

from kafka.errors import KafkaError

from deploy.brokers import BrokerError, KafkaBroker, create_topics, open_admin
from deploy.ports import free_port
from deploy.stack.preparing import TOPICS
from hotline.names import KEPT_TOPICS
from tests.e2e.stacks import wait_until

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType
    from typing import Self

_REPLICATED = "offsets.topic.replication.factor=1", "transaction.state.log.replication.factor=1"
_LEADERS_COME_BACK = "leader.imbalance.check.interval.seconds=2\nleader.imbalance.per.broker.percentage=0\n"


class Node(KafkaBroker):
    """One node; the first is the controller, too."""

    number: int
    controller_port: int
    cluster: str | None = None

    def _write_properties(self, data_name: str) -> None:
        super()._write_properties(data_name)
        file = self.folder / "server.properties"
        lines = file.read_text()
        own = next(line.rpartition(":")[2] for line in lines.splitlines() if line.startswith("controller.quorum"))
        lines = lines.replace(f":{own}", f":{self.controller_port}").replace("node.id=1", f"node.id={self.number}")
        for one in _REPLICATED:
            lines = lines.replace(one, one.replace("=1", "=2"))
        if self.number != 1:
            lines = lines.replace("broker,controller", "broker").replace(
                f",CONTROLLER://127.0.0.1:{self.controller_port}\nadvertised", "\nadvertised"
            )
        file.write_text(lines + _LEADERS_COME_BACK)

    def _new_cluster_id(self) -> str:
        return self.cluster or super()._new_cluster_id()


class Cluster:
    """Both nodes, and all topics on both."""

    def __init__(self, folder: Path) -> None:
        controller_port = free_port()
        self.first, self.second = Node(folder / "1"), Node(folder / "2")
        for number, node in enumerate((self.first, self.second), 1):
            node.number, node.controller_port = number, controller_port

    @property
    def bootstrap(self) -> str:
        return f"{self.first.bootstrap},{self.second.bootstrap}"

    def __enter__(self) -> Self:
        self.first.start()
        try:
            self.second.cluster = self.first.cluster_id
            self.second.start()
        except BaseException:
            self.first.kill()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.second.kill()
        self.first.kill()

    def make_topics(self, partitions: int) -> None:
        """Make the topics of a stack before it does, each partition on both nodes."""
        wanted = dict.fromkeys(TOPICS, partitions) | dict.fromkeys(KEPT_TOPICS, 1)
        create_topics(self.first.bootstrap, wanted, replicas=2)
        wait_until(lambda: self.led() and self.led() < self.partitions, "each node leads some partitions")

    def lose_second(self, how: signal.Signals) -> int:
        """Kill or stop the second node and wait until the first leads what it led; how many partitions that were."""
        wait_until(self.led, "the second node leads partitions")
        led = self.led()
        assert self.second.pid
        os.kill(self.second.pid, how)
        if how is signal.SIGKILL:
            self.second.kill()  # and see that it is gone
        wait_until(lambda: set(self._leaders()) == {self.first.number}, "the first node leads all partitions")
        return led

    def start_second(self) -> None:
        """Let the second node go on, or start it again, and wait until it leads again what it led first."""
        if self.second.alive():
            assert self.second.pid
            os.kill(self.second.pid, signal.SIGCONT)
        else:
            self.second.start()
        wait_until(self.led, "the second node leads again")

    def led(self) -> int:
        """Partitions of ours that the second node leads."""
        return sum(leader == self.second.number for leader in self._leaders())

    @property
    def partitions(self) -> int:
        return len(self._leaders())

    def _leaders(self) -> list[int]:
        """Of each partition; none when a node that stands still was asked, as clients do."""
        try:
            with open_admin(self.first.bootstrap, timeout_s=1) as admin:
                topics: list[Any] = admin.describe_topics(list(TOPICS))
        except (BrokerError, KafkaError):
            return []
        return [one["leader_id"] for topic in topics for one in topic["partitions"]]
