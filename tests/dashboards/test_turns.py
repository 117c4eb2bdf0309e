"""Turns: no more at once than there are, and never two of one client, whoever is slow."""

from __future__ import annotations

import asyncio

from hypothesis import given
from hypothesis import strategies as st

from dashboards.numbers.turns import Turns

AT_ONCE = 2


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 4)), max_size=12))
def test_no_client_has_two_turns_and_all_come_to_one(asked: list[tuple[str, int]]) -> None:
    having: list[str] = []
    seen: list[tuple[str, ...]] = []

    async def one(turns: Turns, client: str, steps: int) -> None:
        async with turns.turn((client, "")):
            having.append(client)
            seen.append(tuple(having))
            for _ in range(steps):
                await asyncio.sleep(0)
            having.remove(client)

    async def everybody() -> Turns:
        turns = Turns(AT_ONCE)
        await asyncio.gather(*(one(turns, client, steps) for client, steps in asked))
        return turns

    turns = asyncio.run(everybody())
    assert len(seen) == len(asked)
    assert all(len(now) <= AT_ONCE and len(set(now)) == len(now) for now in seen)
    assert not turns._of, "clients that are gone are forgotten"


def test_a_client_that_holds_its_turn_leaves_the_other_to_others() -> None:
    """Whatever the slow one asks for besides."""

    async def asked() -> None:
        turns, held = Turns(AT_ONCE), asyncio.Event()

        async def slow() -> None:
            async with turns.turn(("10.0.0.1", "a")):
                await held.wait()

        waiting = [asyncio.create_task(slow()) for _ in range(5)]
        await asyncio.sleep(0)
        for client in (("10.0.0.2", "a"), ("10.0.0.1", "b")):
            async with asyncio.timeout(5), turns.turn(client):
                pass
        held.set()
        await asyncio.gather(*waiting)

    asyncio.run(asked())
