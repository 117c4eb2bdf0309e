"""A city that never was: its calls and tickets, day by day or as they happen, from a seed."""

from producers.simulator.city import CITY, City
from producers.simulator.day import day
from producers.simulator.live import batches, live
from producers.simulator.mishaps import Delivery, Mishaps
from producers.simulator.pacer import Pacer
from producers.simulator.timeline import timeline
from producers.simulator.traffic import Traffic

__all__ = ["CITY", "City", "Delivery", "Mishaps", "Pacer", "Traffic", "batches", "day", "live", "timeline"]
