"""The `sitecustomize` of processes that are broken from within; `within.py` puts it into a folder of its own."""

from __future__ import annotations

import contextlib
import importlib.abc
import importlib.util
import os
import random
import resource
import signal
import sys
import time
from functools import partial
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
LOOK_EVERY_S = 0.05
LEASE_S = 16.0
"""For so long a command that is killed leaves the sink standing still: for two minutes outside."""
ASKED = "a topic"
FILLING = (".draft", "/state.new")
"""Endings of a batch that the sink spools and of roll's snapshot, before they are whole."""
WORKER, SINK = "streams" in sys.orig_argv, "sinks.writer" in sys.orig_argv
SENDER = "tests.faults.telling" in sys.orig_argv
ROLL = os.environ.get("HOTLINE_AGENTS") == "roll"


def said(what: str) -> str:
    """Read what is said of a fault, nothing where it is not."""
    with contextlib.suppress(FileNotFoundError):
        return (HERE / what).read_text()
    return ""


# -- clocks that jump ----------------------------------------------------------------------------------------------


class Clock:
    """How far the clocks are ahead."""

    ahead_s, looked_at = 0, 0.0

    def look(self) -> int:
        if time.monotonic() - self.looked_at > LOOK_EVERY_S:
            self.looked_at = time.monotonic()
            self.ahead_s = int(said("ahead_s") or 0)
        return self.ahead_s


def let_clocks_jump() -> None:
    clock, stock_s, stock_ns = Clock(), time.time, time.time_ns
    time.time = lambda: stock_s() + clock.look()
    time.time_ns = lambda: stock_ns() + clock.look() * 10**9


# -- disks ---------------------------------------------------------------------------------------------------------


def slow_fsync(handle: Any, stock: Any) -> None:
    """Do it, after a while that is drawn."""
    longest_s = float(said("slow_s") or 0)
    if longest_s:
        time.sleep(random.uniform(longest_s / 10, longest_s))
        (HERE / f"slowed-{os.getpid()}-{time.monotonic_ns()}").touch()
    stock(handle)


def watch_files(event: str, arguments: tuple[Any, ...]) -> None:
    """Let the disk be full in the middle of a file, and roll die in a snapshot."""
    if event == "open" and isinstance(arguments[0], str) and arguments[0].endswith(FILLING):
        if size := said(f"full-{Path(arguments[0]).suffix[1:]}"):
            limit(int(size))
    elif event in ("os.remove", "os.rename"):
        limit(resource.RLIM_INFINITY)
        if ROLL and event == "os.rename" and Path(arguments[1]).name == "state" and (HERE / "dying").exists():
            (HERE / "dying").unlink()
            os.kill(os.getpid(), signal.SIGKILL)


def limit(size: int) -> None:
    """Let no file of this process grow past that: what is written beyond gets an error, the piece before it stays."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))


# -- commands that die in the middle ---------------------------------------------------------------------------------


def dying(after: str) -> dict[str, Any]:
    """Modules, and how each is changed when it is imported: the process is killed when something took effect."""

    def inserting(module: Any) -> None:
        def send(client: Any, insert: Any, *more: Any, stock: Any) -> None:
            stock(client, insert, *more)
            if insert.table == after:
                os.kill(os.getpid(), signal.SIGKILL)

        module.send = partial(send, stock=module.send)

    def holding(module: Any) -> None:
        module.LEASE_S = LEASE_S
        module.Hold.__init__.__kwdefaults__.update(lease_s=LEASE_S)

    def producing(module: Any) -> None:
        def send(producer: Any, *more: Any, stock: Any = module.KafkaProducer.send, **others: Any) -> None:
            stock(producer, *more, **others).get(60)
            os.kill(os.getpid(), signal.SIGKILL)

        module.KafkaProducer.send = send

    if after == ASKED:
        return {"kafka.producer.kafka": producing}
    return {"sinks.inserting": inserting, "hotline.holding": holding}


# -- patience ------------------------------------------------------------------------------------------------------


def impatient(patience_s: float) -> dict[str, Any]:
    """Modules, and how each of them is made impatient when it is imported."""

    def kafka_python(kind: str) -> Any:
        return lambda module: getattr(module, kind).DEFAULT_CONFIG.update(request_timeout_ms=int(patience_s * 1000))

    return {
        "streams.app": lambda module: module.SETTINGS.update(broker_request_timeout=patience_s),
        "streams.connecting": lambda module: module.connect.__kwdefaults__.update(answer_within_s=patience_s),
        "sinks.connecting": lambda module: setattr(module, "ANSWER_WITHIN_S", patience_s),
        "kafka.consumer.group": kafka_python("KafkaConsumer"),
        "kafka.producer.kafka": kafka_python("KafkaProducer"),
    }


class AfterImport(importlib.abc.MetaPathFinder):
    """Changes modules as soon as they are imported."""

    def __init__(self, changes: dict[str, Any]) -> None:
        self._changes = changes

    def find_spec(self, fullname: str, path: Any, target: Any = None) -> Any:
        del path, target
        change = self._changes.pop(fullname, None)
        spec = importlib.util.find_spec(fullname) if change else None
        if spec is None or spec.loader is None:
            return spec
        execute = spec.loader.exec_module

        def executed(module: Any) -> None:
            execute(module)
            change(module)

        spec.loader.exec_module = executed  # type: ignore[method-assign]
        return spec


if WORKER:
    let_clocks_jump()
if WORKER or SINK:
    os.fsync = partial(slow_fsync, stock=os.fsync)
    sys.addaudithook(watch_files)
if (WORKER or SINK or SENDER) and said("patience_s"):
    sys.meta_path.insert(0, AfterImport(impatient(float(said("patience_s")))))
if said("dies_after"):
    sys.meta_path.insert(0, AfterImport(dying(said("dies_after"))))
