"""The last place that is shown is rounded by one rule, halves up."""

from __future__ import annotations

import math
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hotline.rounded import rounded


@given(st.integers(-(10**9), 10**9), st.integers(0, 3))
def test_it_is_the_next_multiple_of_the_last_place_and_the_upper_one_of_halves(eighths: int, places: int) -> None:
    """Eighths are exact in binary, and so are halves of a place among them."""
    exact, step = Fraction(eighths, 8), Fraction(1, 10**places)
    expected = math.floor(exact / step + Fraction(1, 2)) * step
    assert f"{rounded(eighths / 8, places):.{places}f}" == f"{float(expected):.{places}f}"


@pytest.mark.parametrize(
    ("value", "places", "text"), [(91.25, 1, "91.3"), (2.5, 0, "3"), (-0.001, 2, "0.00"), (-0.0, 0, "0")]
)
def test_halves_go_up_and_nothing_has_no_minus(value: float, places: int, text: str) -> None:
    assert f"{rounded(value, places):.{places}f}" == text
