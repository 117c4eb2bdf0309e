"""A city that never was: its calls and tickets, day by day, from a seed."""

from producers.simulator.city import CITY, City
from producers.simulator.day import day
from producers.simulator.timeline import timeline

__all__ = ["CITY", "City", "day", "timeline"]
