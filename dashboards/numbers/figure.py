"""The number itself, from the sums and from the rows, and the share that each scope has in it."""

from __future__ import annotations

import asyncio
import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hotline.catalogue import Quantile
from hotline.queries import Statement, answer_from_rows

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import Any

    from dashboards.numbers.counted import Counted
    from dashboards.web.store import Store
    from hotline.catalogue import Kpi
    from hotline.queries import Ask, Question, Result

SHARES_MAX = 500
"""Scopes that are shown one by one."""


@dataclass(frozen=True)
class Parts:
    """Numerator, denominator and value; of a quantile the denominator is how many values it was found among."""

    numerator: int | None
    denominator: int | None
    value: float | int | None

    @property
    def sums(self) -> tuple[int, int]:
        """Both sums; nothing is 0."""
        return self.numerator or 0, self.denominator or 0


@dataclass(frozen=True)
class Share:
    """What one scope has of a number; `others` is how many scopes it stands for that are not shown by themselves."""

    name: str
    parts: Parts
    of_numerator: float | None
    of_denominator: float | None
    others: int = 0


@dataclass(frozen=True)
class Figure:
    """A number. `of_sums` is None for what is no sum."""

    of_sums: Parts | None
    of_rows: Parts
    shares: tuple[Share, ...]

    @property
    def shown(self) -> Parts:
        """What the board shows."""
        return self.of_sums or self.of_rows

    @property
    def differs(self) -> bool:
        """Whether sums and rows say different things."""
        return self.of_sums is not None and self.of_sums.sums != self.of_rows.sums


async def figure(counted: Counted, by: str, store: Store) -> Figure:
    """Ask for the number and its shares by a kind of scope, one thing after the other: live boards come first.

    Raises StoreError, QuestionError.
    """
    (kpi,) = counted.question.kpis
    split = dataclasses.replace(counted.question, split=by)
    of_sums, results = await _of_sums(counted, store), await _results(split, store)
    of_rows = await _whole(kpi, counted.question, store) or _together(kpi, map(_parts, results))
    return Figure(of_sums, of_rows, shares(kpi, results))


async def _of_sums(counted: Counted, store: Store) -> Parts | None:
    if counted.sql is None:
        return None
    ((numerator, denominator, value),) = (await store.run(Statement(counted.sql))).rows
    return Parts(numerator, denominator, value)


async def _whole(kpi: Kpi, question: Question, store: Store) -> Parts | None:
    """The number from the rows where it is not what its scopes add up to."""
    if not isinstance(kpi.numerator, Quantile):
        return None
    return _parts((await _results(question, store))[0])


async def _results(question: Question, store: Store) -> list[Result]:
    """Answer from the rows, in a thread: questions are answered step by step, also for a reader who went away.

    So the turn of a page is another's only when its thread is through, and threads are no more than pages.
    """
    answering = asyncio.ensure_future(asyncio.to_thread(answer_from_rows, question, asking(store)))
    try:
        return await asyncio.shield(answering)
    except asyncio.CancelledError:
        await asyncio.gather(answering, return_exceptions=True)
        raise


def asking(store: Store) -> Ask:
    """Give an `Ask` for threads; to be called where the store's loop runs."""
    loop = asyncio.get_running_loop()

    def ask(statement: Statement) -> Sequence[Sequence[Any]]:
        return asyncio.run_coroutine_threadsafe(store.run(statement), loop).result().rows

    return ask


def shares(kpi: Kpi, results: Sequence[Result]) -> tuple[Share, ...]:
    """The share of each scope, the largest first; together they are the whole."""
    whole = _together(kpi, map(_parts, results))
    named = sorted(((result.scope.value, _parts(result)) for result in results if result.scope), key=_largest)
    shown = [_share(name, parts, whole) for name, parts in named[:SHARES_MAX]]
    rest = [parts for _, parts in named[SHARES_MAX:]]
    return (*shown, *([_share("", _together(kpi, rest), whole, len(rest))] if rest else []))


def _largest(named: tuple[str, Parts]) -> tuple[int, int, str]:
    name, parts = named
    return -parts.sums[0], -parts.sums[1], name


def _share(name: str, parts: Parts, whole: Parts, others: int = 0) -> Share:
    (numerator, denominator), (of_n, of_d) = parts.sums, whole.sums
    return Share(name, parts, numerator / of_n if of_n else None, denominator / of_d if of_d else None, others)


def _parts(result: Result) -> Parts:
    return Parts(result.numerator, result.denominator, result.value)


def _together(kpi: Kpi, parts: Iterable[Parts]) -> Parts:
    """Add sums up and divide once; quantiles do not add up."""
    sums = [each.sums for each in parts]
    numerator, denominator = (sum(each[place] for each in sums) for place in (0, 1))
    if isinstance(kpi.numerator, Quantile):
        return Parts(None, denominator, None)
    of = denominator if kpi.denominator else None
    return Parts(numerator, of, kpi.value(numerator, of))
