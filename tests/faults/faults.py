"""What can go wrong, one function a fault; each leaves behind what a running system must heal from by itself."""

from __future__ import annotations

import contextlib
import signal
import time
from collections.abc import Callable, Mapping
from functools import partial
from random import Random

from sinks.writer.store import AWAY
from tests.e2e.stacks import SUPERVISOR, serves_boards, wait_until
from tests.faults.laboratory import SENDER, Laboratory
from tests.faults.proxy import Proxy
from tests.faults.signalling import signalled
from tests.faults.strangers import come_and_go, two_sinks, two_workers
from tests.faults.within import SNAPSHOT, SPOOLED

Plan = Mapping[str, Callable[[Laboratory], int]]
"""Faults by name; each returns how often it met something: processes, connections, inserts that it broke."""

WEB = "web"
BULKY = ("call_events", "calls", "ticket_events", "tickets", "minute_sums_calls", "minute_sums_tickets", "accounts")


def kill(name: str, lab: Laboratory) -> int:
    return lab.kill(name)


def kill_two(name: str, others: tuple[str, ...], lab: Laboratory) -> int:
    return lab.kill(name, lab.draw.choice([one for one in others if one != name]))


def kill_again(name: str, lab: Laboratory) -> int:
    """Kill it, and what comes after it while that starts or takes up what the former had."""
    killed = lab.kill(name)
    wait_until(lambda: lab.pid(name), f"{name} runs again")
    time.sleep(lab.draw.uniform(0, 1.5))
    return killed + lab.kill(name)


def kill_in_snapshot(lab: Laboratory) -> int:
    """Kill roll when what it knows is written and does not yet stand in the place of what it knew before."""
    lab.within.die_in_snapshot()
    lab.kill("roll")  # the next one takes a snapshot soon after its start
    wait_until(lambda: not lab.within.is_to_die(), "roll dies in a snapshot")
    state = lab.hotline.settings.folder.roll_state
    assert state.with_name(f"{state.name}.new").exists(), "a snapshot was left in its middle"
    lab.killed["roll"] += 1
    return 1


def kill_web(lab: Laboratory) -> int:
    """Kill who serves the boards; the next one serves them."""
    lab.in_traffic()
    killed = lab.kill(WEB)
    wait_until(lambda: serves_boards(lab.hotline), "boards are served again")
    return killed


def freeze(name: str, lab: Laboratory) -> int:
    return lab.freeze(name, lab.draw.uniform(0.5, 5))


def stand_still(name: str, seconds: float, lab: Laboratory) -> int:
    """Stop it in traffic, for so long; a worker in the middle of a block."""
    if not name.startswith("worker-"):
        lab.in_traffic()
        return lab.freeze(name, seconds)
    pid = lab.freeze_at_work(name)
    time.sleep(seconds)
    signalled(pid, signal.SIGCONT)
    return 1


def optimize(lab: Laboratory) -> int:
    """Somebody merges all parts of a table, if there is an engine just then."""
    with contextlib.suppress(*AWAY), lab.hotline.writer() as client:
        client.command(f"OPTIMIZE TABLE hotline.{lab.draw.choice(BULKY)} FINAL")
        return 1
    return 0


def refuse(setting: str, value: int, lab: Laboratory) -> int:
    """The engine throws at each insert into one table for a while, as it does when the disk is full or read-only.

    Returns how often the sink said so: never, if nothing was to be stored there meanwhile.
    """
    table = lab.draw.choice((*BULKY, "marks"))
    log = lab.hotline.settings.folder.log / "sink.log"
    lab.heal()
    before = log.read_text().count(f" rows into {table}: ")
    lab.set_of_table(table, setting, value)
    lab.let_go()
    lab.in_traffic()
    time.sleep(lab.draw.uniform(0.5, 4))
    lab.set_of_table(table, setting, 0)
    return log.read_text().count(f" rows into {table}: ") - before


def stutter(name: str, lab: Laboratory) -> int:
    """It stands still most of the time, for a moment each, as on a disk that is far too slow."""
    until, stopped = time.monotonic() + lab.draw.uniform(1, 4), 0
    while time.monotonic() < until:
        stopped += lab.freeze(name, lab.draw.uniform(0.05, 0.3))
        time.sleep(0.03)
    return stopped


def slow_disk(lab: Laboratory) -> int:
    """Each fsync of sink and roll takes up to two seconds; one time in two the sink dies in the middle of one."""
    lab.heal()
    before = lab.within.slowed()
    lab.within.slow_disk(2)
    lab.in_traffic()
    wait_until(lambda: lab.within.slowed() > before, "a batch gets slowly on the disk")
    if lab.draw.random() < 0.5:
        wait_until(lambda: list(lab.hotline.settings.folder.sink.glob("*.draft")), "the next one does")
        lab.kill("sink")
    time.sleep(lab.draw.uniform(0, 3))
    lab.within.slow_disk(0)
    return lab.within.slowed() - before


def full_for_spool(lab: Laboratory) -> int:
    """The disk fills up in the middle of each batch that the sink spools; how often the sink said so."""
    log = lab.hotline.settings.folder.log / "sink.log"
    before = log.read_text().count("a batch of ")
    lab.within.fill_disk(SPOOLED, lab.draw.randrange(2_000))
    lab.in_traffic()
    wait_until(lambda: log.read_text().count("a batch of ") > before, "the sink says that the disk is full")
    time.sleep(lab.draw.uniform(0, 3))
    assert not list(lab.hotline.settings.folder.sink.glob("*.draft")), "what was written of a batch takes no room"
    lab.within.give_room(SPOOLED)
    return log.read_text().count("a batch of ") - before


def full_for_snapshot(lab: Laboratory) -> int:
    """The disk fills up in the middle of roll's snapshot: it says so, and goes on."""
    lab.heal()
    log = lab.hotline.settings.folder.log / "roll.log"
    before = log.read_text().count("is not kept")
    lab.within.fill_disk(SNAPSHOT, lab.draw.randrange(200))
    lab.kill("roll")  # the next one takes a snapshot soon after its start
    wait_until(lambda: log.read_text().count("is not kept") > before, "roll says that the disk is full")
    lab.within.give_room(SNAPSHOT)
    wait_until(lambda: lab.pid("roll"), "roll runs")
    assert log.read_text().count("is not kept") == before + 1, "it goes on"
    return 1


def jump(lab: Laboratory) -> int:
    """The clocks of the workers jump by hours, in either direction, and stay there."""
    lab.within.set_ahead(lab.draw.choice([-1, 1]) * lab.draw.randrange(3600, 20 * 3600))
    return 1


def move(lab: Laboratory) -> int:
    """Partitions move in the middle of what is measured: one worker where there were two, or two where there was one.

    It is a setting, so the stack dies and is started again with another one, as by a deployment that did not wait. It
    does so in traffic, while a block is under way whose first slice may have been written and whose last one is not.
    """
    lab.heal()
    workers = 3 - lab.hotline.settings.workers
    lab.hotline.environ["HOTLINE_WORKERS"] = str(workers)
    lab.at_work_at_length("worker-0")
    time.sleep(lab.draw.uniform(0, 0.3))
    killed = lab.kill(SUPERVISOR)
    lab.heal()
    running = [part["name"] for part in lab.hotline.state()["parts"] if part["name"].startswith("worker-")]
    assert running == ["worker-0", "worker-1"][:workers]
    return killed


def away(line: Proxy, draw: Random) -> None:
    line.away(draw.uniform(0.5, 6))


def cut(line: Proxy, draw: Random) -> None:
    line.cut()


def cut_within(line: Proxy, draw: Random) -> None:
    line.cut_within(draw.randrange(1, 20_000))


def hold(line: Proxy, draw: Random) -> None:
    line.hold(draw.uniform(0.5, 6))


def slow(line: Proxy, draw: Random) -> None:
    line.slow(draw.uniform(0.5, 4))


def swallow(line: Proxy, draw: Random) -> None:
    line.swallow(draw.uniform(0.5, 4))


def mute(line: Proxy, draw: Random) -> None:
    line.mute(draw.uniform(0.5, 4))


def broken_line(name: str, what: Callable[[Proxy, Random], None], lab: Laboratory) -> int:
    """Break the line to the engine or the broker while it is used; how often that met somebody."""
    line = lab.lines[name]
    wait_until(lambda: line.is_used, f"somebody uses the line to the {name}")
    before = line.bites
    lab.in_traffic()
    what(line, lab.draw)
    return line.bites - before


def leader_away(how: signal.Signals, lab: Laboratory) -> int:
    """The node that leads half of the partitions dies in traffic, or stands still, and comes back; what it led."""
    assert lab.cluster
    lab.in_traffic()
    led = lab.cluster.lose_second(how)
    lab.in_traffic()
    time.sleep(lab.draw.uniform(0.5, 4))
    lab.cluster.start_second()
    return led


def kills(*names: str) -> Plan:
    """Each of these dies; with another; and again as it starts."""
    found: dict[str, Callable[[Laboratory], int]] = {}
    for name in names:
        found[f"kill {name}"] = partial(kill, name)
        found[f"kill {name} and another"] = partial(kill_two, name, names)
        found[f"kill {name} and its successor"] = partial(kill_again, name)
    return found


def freezes(*names: str) -> Plan:
    """Each of these stands still for some seconds."""
    return {f"freeze {name}": partial(freeze, name) for name in names}


def stops(seconds: float, *names: str) -> Plan:
    """Each of these stands still for exactly so long."""
    return {f"{name} stands still for {seconds:g} s": partial(stand_still, name, seconds) for name in names}


def breaks(line: str) -> Plan:
    """What may happen on the line to the engine or the broker."""
    return {
        f"{line} {what.__name__}": partial(broken_line, line, what)
        for what in (away, cut, cut_within, hold, mute, slow, swallow)
    }


DOUBLES: Plan = {"two sinks": two_sinks, "two workers": two_workers}
MERGES: Plan = {"optimize": optimize}
REFUSALS: Plan = {
    "the engine's disk is full": partial(refuse, "min_free_disk_bytes_to_perform_insert", 2**62),
    "a table is read-only": partial(refuse, "table_readonly", 1),
}
STUTTERS: Plan = {f"{name} stutters": partial(stutter, name) for name in ("engine", "broker", "sink")}
JUMP = "the workers' clocks jump"
CLOCKS: Plan = {JUMP: jump}
LEADERS: Plan = {
    "the leader dies": partial(leader_away, signal.SIGKILL),
    "the leader stands still": partial(leader_away, signal.SIGSTOP),
}
SNAPSHOTS: Plan = {"kill roll in a snapshot": kill_in_snapshot}
DISKS: Plan = {
    "the disk is slow": slow_disk,
    "no room for the spool": full_for_spool,
    "no room for roll's snapshot": full_for_snapshot,
}
PATIENCE_S = 5.0
"""After so long clients give up on lines that break: a fifth of a kafka-python client's own patience, and less."""
STOP_SHORT_S = PATIENCE_S * 1.5
STOP_S = 75.0
"""Longer than the longest time after which a client of ours gives a request to a broker up, which is a minute."""
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
        **SNAPSHOTS,
        **DISKS,
    },
    "kafka": {
        **kills(*WHOLE),
        **freezes("broker", "worker-0", "sink", "engine"),
        **DOUBLES,
        **MERGES,
        **REFUSALS,
        **STUTTERS,
        **CLOCKS,
        **COMPANY,
        **SNAPSHOTS,
        **DISKS,
    },
    "lines": {
        **breaks("engine"),
        **breaks("broker"),
        **kills("sink", "worker-0", SUPERVISOR, SENDER),
        **stops(STOP_SHORT_S, "sink", "worker-0"),
        **MERGES,
        **REFUSALS,
        **CLOCKS,
    },
    "cluster": {
        **LEADERS,
        **kills("sink", "worker-0", "roll", SENDER),
        **freezes("sink", "worker-0"),
    },
}
"""By environment: the whole embedded stack; with Apache Kafka; engine and broker of others, behind lines that
break; two nodes of Kafka that hold every partition both, of which one dies."""
LONG_STOPS = stops(STOP_S, "sink", "worker-0", "roll", "broker")
WEBS: Plan = {
    f"kill {WEB}": kill_web,
    f"kill {WEB} and another": partial(kill_two, WEB, WHOLE),
    f"freeze {WEB}": partial(freeze, WEB),
}
HOURS: Mapping[str, Plan] = {
    name: {**of, **(LONG_STOPS if "kill broker" in of else {}), **(WEBS if name == "embedded" else {})}
    for name, of in PLANS.items()
}
"""What there is time for in `make soak` only."""
MAY_MISS = {*MERGES, *REFUSALS}
"""Faults that may meet nobody: all others must have broken something."""
