"""What a user asks of a simulation, read and judged before anything starts."""

import math
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from producers.simulator import Mishaps, Pacer

NO_PACE = "max"


@dataclass(frozen=True)
class Plan:
    """A simulation: instants in epoch seconds, `end_s` None for one without an end."""

    zone: str
    start_s: int
    end_s: int | None
    speed: float
    """Times real time; 0 is without a pace."""
    clock_s: float | None
    """What the clock shows at the start; None: whatever it shows when everything is ready."""
    ahead: bool
    """Whether simulated time may pass the real one."""
    seed: int
    scale: float
    days_before: int
    mishaps: "Mishaps"

    def pacer(self) -> "Pacer":
        """Make the city and its traffic, of which the first event is the first after the start."""
        from dataclasses import replace

        from producers.simulator import CITY, Delivery, Pacer, Traffic

        city = replace(CITY, zone=self.zone).scaled(CITY.tickets_per_day * self.scale, CITY.calls_per_day * self.scale)
        traffic = Traffic(city, self.seed, self.start_s, days_before=self.days_before)
        delivery = Delivery(self.mishaps, self.seed)
        return Pacer(
            traffic,
            speed=self.speed,
            clock_s=self.clock_s,
            end_s=self.end_s,
            ahead=self.ahead,
            delivery=delivery,
        )

    def local(self, instant: float) -> str:
        """Write an instant in the city's time."""
        from hotline.zone_names import zone

        return datetime.fromtimestamp(instant, zone(self.zone)).isoformat()


def speed_of(text: str) -> float:
    """Read a speed: a number of 0 or more, or max, which is 0. Raises ValueError."""
    try:
        speed = 0.0 if text.strip().lower() == NO_PACE else float(text)
    except ValueError:
        speed = math.nan
    if not 0 <= speed < math.inf:
        raise ValueError(f"{text!r} is no speed; write how many times as fast as real time, such as 60, or {NO_PACE}")
    return speed


def span_s(start: str, until: str | None, days: int | None, *, zone_name: str, now: datetime) -> tuple[int, int | None]:
    """Read when a simulation begins and ends, if it does. Raises ValueError that says what to write."""
    from hotline.periods import instant_s
    from hotline.zone_names import zone

    if until is not None and days is not None:
        raise ValueError("--until and --days both say when it ends; give one of them")
    place = zone(zone_name)
    start_s = instant_s(start, zone=place, now=now)
    if days is not None:
        local = datetime.fromtimestamp(start_s, place) + timedelta(days=days)
        return start_s, int(local.timestamp())
    end_s = None if until is None else instant_s(until, zone=place, now=now)
    if end_s is not None and end_s <= start_s:
        raise ValueError(f"it would end at {until}, which is not after its start, {start}")
    return start_s, end_s


def require_possible(plan: Plan, now: datetime) -> None:
    """Raise ValueError when simulated time would have to pass the real one, and may not."""
    if plan.ahead:
        return
    remedy = "begin in the past, or state an end" if plan.end_s is None else "begin in the past, or send blocks"
    if plan.start_s > now.timestamp():
        raise ValueError(f"it would begin in the future, at {plan.local(plan.start_s)}; {remedy}")
    if plan.speed > 1 and plan.start_s >= int(now.timestamp()):
        raise ValueError(f"from now on nothing goes {plan.speed:g} times as fast as real time; {remedy}")
