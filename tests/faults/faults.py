"""What can go wrong, one function a fault; each leaves behind what a running system must heal from by itself."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Mapping
from functools import partial

from sinks.writer.store import AWAY
from tests.e2e.stacks import SUPERVISOR
from tests.faults.clocks import set_ahead
from tests.faults.laboratory import SENDER, Laboratory
from tests.faults.strangers import come_and_go, two_sinks, two_workers

Plan = Mapping[str, Callable[[Laboratory], object]]
"""Faults by name."""

BULKY = ("call_events", "calls", "ticket_events", "tickets", "minute_sums_calls", "minute_sums_tickets", "accounts")


def kill(name: str, lab: Laboratory) -> None:
    lab.kill(name)


def kill_two(name: str, others: tuple[str, ...], lab: Laboratory) -> None:
    lab.kill(name, lab.draw.choice([one for one in others if one != name]))


def kill_again(name: str, lab: Laboratory) -> None:
    """Kill it, and what comes after it while that starts or takes up what the former had."""
    lab.kill(name)
    until = time.monotonic() + 30
    while not lab.pid(name) and time.monotonic() < until:
        time.sleep(0.01)
    time.sleep(lab.draw.uniform(0, 1.5))
    lab.kill(name)


def freeze(name: str, lab: Laboratory) -> None:
    lab.freeze(name, lab.draw.uniform(0.5, 5))


def optimize(lab: Laboratory) -> None:
    """Somebody merges all parts of a table."""
    with contextlib.suppress(*AWAY), lab.hotline.writer() as client:
        client.command(f"OPTIMIZE TABLE hotline.{lab.draw.choice(BULKY)} FINAL")


def refuse(setting: str, value: int, lab: Laboratory) -> None:
    """The engine throws at each insert into one table for a while, as it does when the disk is full or read-only."""
    table = lab.draw.choice((*BULKY, "marks"))
    lab.heal()
    lab.set_of_table(table, setting, value)
    time.sleep(lab.draw.uniform(0.5, 4))
    lab.set_of_table(table, setting, 0)


def stutter(name: str, lab: Laboratory) -> None:
    """It stands still most of the time, for a moment each, as on a disk that is far too slow."""
    until = time.monotonic() + lab.draw.uniform(1, 4)
    while time.monotonic() < until:
        lab.freeze(name, lab.draw.uniform(0.05, 0.3))
        time.sleep(0.03)


def jump(lab: Laboratory) -> None:
    """The clocks of the workers jump by hours, in either direction, and stay there."""
    set_ahead(lab.clock, lab.draw.choice([-1, 1]) * lab.draw.randrange(3600, 20 * 3600))


def move(lab: Laboratory) -> None:
    """Partitions move in the middle of what is measured: one worker where there were two, or two where there was one.

    It is a setting, so the stack dies and is started again with another one, as by a deployment that did not wait.
    """
    workers = 3 - lab.hotline.settings.workers
    lab.hotline.environ["HOTLINE_WORKERS"] = str(workers)
    lab.kill(SUPERVISOR)
    lab.heal()
    running = [part["name"] for part in lab.hotline.state()["parts"] if part["name"].startswith("worker-")]
    assert running == ["worker-0", "worker-1"][:workers]


def away(line: str, lab: Laboratory) -> None:
    lab.lines[line].away(lab.draw.uniform(0.5, 6))


def cut(line: str, lab: Laboratory) -> None:
    lab.lines[line].cut()


def cut_within(line: str, lab: Laboratory) -> None:
    lab.lines[line].cut_within(lab.draw.randrange(1, 200_000))


def hold(line: str, lab: Laboratory) -> None:
    lab.lines[line].hold(lab.draw.uniform(0.5, 6))


def slow(line: str, lab: Laboratory) -> None:
    lab.lines[line].slow(lab.draw.uniform(0.5, 4))


def swallow(line: str, lab: Laboratory) -> None:
    lab.lines[line].swallow(lab.draw.uniform(0.5, 4))


def kills(*names: str) -> Plan:
    """Each of these dies; with another; and again as it starts."""
    found: dict[str, Callable[[Laboratory], object]] = {}
    for name in names:
        found[f"kill {name}"] = partial(kill, name)
        found[f"kill {name} and another"] = partial(kill_two, name, names)
        found[f"kill {name} and its successor"] = partial(kill_again, name)
    return found


def freezes(*names: str) -> Plan:
    """Each of these stands still for some seconds."""
    return {f"freeze {name}": partial(freeze, name) for name in names}


def breaks(line: str) -> Plan:
    """What may happen on the line to the engine or the broker."""
    return {f"{line} {what.__name__}": partial(what, line) for what in (away, cut, cut_within, hold, slow, swallow)}


DOUBLES: Plan = {"two sinks": two_sinks, "two workers": two_workers}
MERGES: Plan = {"optimize": optimize}
REFUSALS: Plan = {
    "the engine's disk is full": partial(refuse, "min_free_disk_bytes_to_perform_insert", 2**62),
    "a table is read-only": partial(refuse, "table_readonly", 1),
}
STUTTERS: Plan = {f"{name} stutters": partial(stutter, name) for name in ("engine", "broker", "sink")}
JUMP = "the workers' clocks jump"
CLOCKS: Plan = {JUMP: jump}
COMPANY: Plan = {"workers come and go": come_and_go, "partitions move": move}
WHOLE = ("engine", "broker", "sink", "worker-0", "roll", SUPERVISOR, SENDER)
"""What `hotline up` runs, and who sends."""
PLANS: Mapping[str, Plan] = {
    "embedded": {
        **kills(*WHOLE),
        **freezes(*WHOLE[:5]),
        **DOUBLES,
        **MERGES,
        **REFUSALS,
        **STUTTERS,
        **CLOCKS,
        **COMPANY,
    },
    "kafka": {
        **kills(*WHOLE[1:]),
        **freezes("broker", "worker-0", "sink"),
        **DOUBLES,
        **MERGES,
        **REFUSALS,
        **STUTTERS,
        **CLOCKS,
        **COMPANY,
    },
    "lines": {
        **breaks("engine"),
        **breaks("broker"),
        **kills("sink", "worker-0", SUPERVISOR, SENDER),
        **MERGES,
        **REFUSALS,
        **CLOCKS,
    },
}
"""By environment: the whole embedded stack; with Apache Kafka; engine and broker of others, behind lines that break."""
