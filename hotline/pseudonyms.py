"""Callers and people are known by keyed hash alone: equal people stay equal, and nobody can be read back."""

from __future__ import annotations

import hashlib

import polars as pl

PSEUDONYM_BYTES = 12
PERSONAL_FIELDS = ("caller", "operator")
"""Fields of events that hold a pseudonym."""


def pseudonym(value: str, key: bytes) -> str:
    """Pseudonym of a phone number or name: keyed BLAKE2b (RFC 7693), 24 hexadecimal digits."""
    return hashlib.blake2b(value.encode(), key=key[:64], digest_size=PSEUDONYM_BYTES).hexdigest()


def pseudonyms(values: pl.Series, key: bytes) -> pl.Series:
    """The same for a column; null stays null."""
    known = values.drop_nulls().unique()
    table = {value: pseudonym(value, key) for value in known}
    return values.replace_strict(table, default=None, return_dtype=pl.String)
