"""Where the board's knowledge comes from: live values, the last hour, the pipeline's health."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from cli.reader import Reader
from cli.watch.contents import SCREENS, ScreenName
from cli.watch.listening import Listener
from cli.watch.pipeline import Health, Pipeline
from cli.watch.polling import Polled
from cli.watch.scene import Scene
from cli.watch.trend import Trend, read_trend
from deploy.stack import stopping
from deploy.stack.errors import NotRunningError, StackError
from hotline.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from hotline.queries import Scope, Statement

TREND_EVERY_S = 60.0
HEALTH_EVERY_S = 2.0
RETRY_S = 2.0


def running(asked: Settings) -> Settings:
    """The settings of the running stack with the addresses of its parts. Raises NotRunningError when none runs."""
    return asked if asked.bootstrap and asked.clickhouse_url else stopping.running(asked).settings


class Sources:
    """All sources of one board; each is asked on a thread of its own."""

    def __init__(self, asked: Settings, scope: "Scope | None") -> None:
        self._asked = asked
        self.scope = scope
        self.zone = ZoneInfo(asked.zone)
        self._pipeline = Pipeline()
        self.listener = Listener(self._bootstrap)
        self.trend = Polled(self._read_trend, interval_s=TREND_EVERY_S, retry_s=RETRY_S)
        self.health = Polled(self._read_health, interval_s=HEALTH_EVERY_S, retry_s=RETRY_S, wanted=False)

    @contextmanager
    def scene(self, screen: ScreenName) -> Iterator[Scene]:
        """Hold still for one picture of a screen."""
        self.health.want(screen not in SCREENS)
        with self.listener.look() as (current, phase, silent_s):
            yield Scene(current, phase, silent_s, self.trend.answer(), self.health.answer(), self.zone, self.scope)

    def _bootstrap(self) -> str | None:
        found = self._running()
        return found.bootstrap or None if found else None

    def _running(self) -> Settings | None:
        try:
            return running(self._asked)
        except NotRunningError:
            return None

    def _ask(self, statement: "Statement") -> "Sequence[Sequence[Any]]":
        with Reader(running(self._asked)) as reader:
            return reader.ask(statement)

    def _read_trend(self) -> Trend | None:
        as_of_s = self.listener.as_of_s()
        if as_of_s is None:
            return None
        names = tuple(dict.fromkeys(name for contents in SCREENS.values() for name in contents.kpis))
        return read_trend(names, as_of_s, self.zone, self.scope, self._ask)

    def _read_health(self) -> Health:
        try:
            return self._pipeline.look(self._asked, self._running(), self._ask)
        except StackError:  # the engine does not answer, and nobody can say what is in its tables
            return self._pipeline.look(self._asked, self._running(), None)


@contextmanager
def sources(asked: Settings, scope: "Scope | None") -> Iterator[Sources]:
    """Start all sources for the duration of the block."""
    found = Sources(asked, scope)
    parts = (found.listener, found.trend, found.health)
    for part in parts:
        part.start()
    try:
        yield found
    finally:
        for part in reversed(parts):
            part.stop()
