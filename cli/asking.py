"""What `kpi` and `explain` share: options, reading a question before anything is started, and asking it."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.output import say
from hotline.buckets import By
from hotline.periods import FORMS

if TYPE_CHECKING:
    from datetime import datetime

    from cli.reader import Reader
    from hotline.queries import Question
    from hotline.settings import Settings


class Lang(StrEnum):
    """Languages of names and formulas."""

    EN = "en"
    ZH = "zh"


Period = Annotated[str | None, typer.Option(metavar="PERIOD", help=f"A half-open span in the hotline's zone: {FORMS}.")]
Scope = Annotated[
    str | None, typer.Option(metavar="KIND=VALUE", help="Only of one part, such as district=... or line=...")
]
Language = Annotated[Lang, typer.Option(help="Language of names and formulas.")]


class RefusedError(typer.BadParameter):
    """A question that makes no sense as it stands; its message says what to write."""

    def format_message(self) -> str:
        """Give the message as it is."""
        return self.message


def complete_kpi(incomplete: str) -> list[str]:
    """Complete the name of a KPI in a shell."""
    from hotline.catalogue import KPIS

    return [name for name in KPIS if name.startswith(incomplete)]


def read_question(
    context: typer.Context,
    settings: "Settings",
    names: Sequence[str],
    *,
    period: str | None,
    by: By | None = None,
    scope: str | None = None,
    split: str | None = None,
    until: bool = False,
) -> "Question":
    """Read a question as the options ask it; `until`: about KPIs as of a cut-off. Raises RefusedError."""
    from datetime import UTC, datetime
    from zoneinfo import ZoneInfo

    from hotline.periods import parse
    from hotline.queries import Question, parse_scope, pick, pick_until

    if not period:
        raise RefusedError(f"--period is missing: write one of {FORMS}", context)
    try:
        question = Question(
            kpis=tuple(pick_until(names) if until else pick(names)),
            period=parse(period, zone=ZoneInfo(settings.zone), now=datetime.now(UTC)),
            by=by,
            scope=parse_scope(scope) if scope else None,
            split=split,
        )
        question.spans()
    except ValueError as error:
        raise RefusedError(str(error), context) from error
    return question


def read_cutoff(context: typer.Context, settings: "Settings", until: str) -> "datetime":
    """Read a cut-off: the end of a day, month, year … in the hotline's zone. Raises RefusedError."""
    try:
        return end_of(until, settings.zone)
    except ValueError as error:
        raise RefusedError(str(error), context) from error


def end_of(period: str, zone: str) -> "datetime":
    """Find the end of a day, month, year … in a zone. Raises ValueError for what is no period."""
    from datetime import UTC, datetime
    from zoneinfo import ZoneInfo

    from hotline.periods import parse

    return parse(period, zone=ZoneInfo(zone), now=datetime.now(UTC)).end


@contextmanager
def reader(settings: "Settings") -> Iterator["Reader"]:
    """Give a reader of the stack that runs, or of one that lasts as long as the block."""
    from cli.reader import Reader
    from deploy.stack.joining import join_or_start

    with join_or_start(settings, say=say, until=("engine",)) as use, Reader(use.settings) as found:
        yield found


def load_settings(data: Path | None) -> "Settings":
    """Load the settings."""
    from hotline.settings import load

    return load(data)[0]
