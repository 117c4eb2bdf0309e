"""The closed vocabularies of events. An unknown word is a dead letter, never a new category."""

from __future__ import annotations

from typing import Literal, get_args

Direction = Literal["inbound", "outbound"]
Leg = Literal["operator", "specialist", "department"]
"""Who spoke or answered: an operator of the hotline, a policy specialist, or a department."""
Nature = Literal["consult", "other"]
Audience = Literal["citizen", "enterprise"]
Rating = Literal["very_satisfied", "satisfied", "fairly_satisfied", "dissatisfied", "very_dissatisfied"]
"""非常满意, 满意, 基本满意, 不满意, 非常不满意."""

SATISFIED: tuple[str, ...] = ("very_satisfied", "satisfied", "fairly_satisfied")
"""Ratings counted as satisfied (满意率 counts 基本满意)."""

WORDS: dict[str, tuple[str, ...]] = {
    "direction": get_args(Direction),
    "leg": get_args(Leg),
    "nature": get_args(Nature),
    "audience": get_args(Audience),
    "rating": get_args(Rating),
    "operator_rating": get_args(Rating),
}
"""Column name → the words it may hold."""

CHINESE: dict[str, dict[str, str]] = {
    "nature": {"consult": "咨询", "other": "非咨询"},
    "audience": {"citizen": "群众", "enterprise": "企业"},
}
"""Column by which numbers are split → what its words are in Chinese. In English they are themselves."""
