"""A sender that can be killed: tells a seed's story to a running stack, a piece for each line that lets it go.

    python -m tests.faults.telling DATA DAY SEED ENTITIES PIECES

At the end of standard input all the rest goes. Prints the account when everything is stored.
"""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from cli.load import quiet_clients
from deploy.stack.state import read_state
from hotline.blocks import pack
from hotline.settings import load
from producers.accounts import Account
from producers.json_sending import JsonSender, Sending
from producers.sending import Sender
from sinks import connecting
from tests.faults.story import single_events, story


def main() -> None:
    data, day, *numbers = sys.argv[1:]
    seed, entities, pieces = map(int, numbers)
    quiet_clients()
    account, partitions = Account(reasons={}), load(Path(data), {})[0].partitions
    single = Sending(waited=True, reasons={})
    told = story(seed, entities=entities, pieces=pieces, today=datetime.fromisoformat(day).replace(tzinfo=UTC))

    def connect() -> tuple[str, Any]:
        return _addresses(Path(data))

    with (
        Sender(connect, lambda _, verdicts: account.add(verdicts)) as sender,
        JsonSender(connect, partitions, single, lambda: None, wait=True, pseudonymised=True) as one_by_one,
    ):
        for piece in told.pieces:
            if piece.single:
                for event in single_events(piece):
                    one_by_one.send(event)
            else:
                for block in pack(piece.subject, piece.events, partitions, events_max=piece.events_max):
                    account.read += len(block.events)
                    sender.send(block)
            sys.stdin.readline()
        while sender.waiting:
            sender.wait()
        one_by_one.settle()
    sys.stdout.write(msgspec.json.encode({"blocks": account, "single": single}).decode())


def _addresses(data: Path) -> tuple[str, Any]:
    """Where broker and engine are now; raises while no stack runs."""
    state = read_state(load(data, {})[0].folder)
    if state is None:
        raise ConnectionError(f"no stack runs on {data}")
    return state.settings.bootstrap, connecting.connect(state.settings, "reader")


if __name__ == "__main__":
    main()
