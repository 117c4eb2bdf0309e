"""Why something was set aside. The list is closed; every reason says what the sender can do."""

from __future__ import annotations

PLACE = ("topic", "partition", "log", "offset", "place")
"""Where one stands. No two stand at the same place; with slashes between it is the id."""
ID_SQL = "concatWithSeparator('/', " + ", ".join(f"toString({part})" for part in PLACE) + ")"
NEWEST_FIRST_SQL = "set_aside_at DESC, " + ", ".join(PLACE)
"""The order of lists; all of a batch were set aside in the same second."""
ORIGINAL_BYTES_MAX = 64 * 1024
"""Bytes kept of something too large; its origin tells where the whole stands."""

WHOLE_RECORDS = frozenset({"undecodable", "too_large", "poison"})
"""Reasons against a record as a whole."""

REASONS: dict[str, str] = {
    "undecodable": "It cannot be read as text or as a block at all. Send UTF-8 JSON, or an Arrow IPC stream.",
    "unknown_type": "No event has this type. See the event types in docs/events.md.",
    "unknown_schema": "The schema version is newer than this hotline knows. Upgrade the hotline first.",
    "missing_field": "A required field is absent or empty. Send the event again with it.",
    "bad_value": "A field's value cannot be read as what the field holds. Correct it and send again.",
    "unknown_word": "A field with a closed list of words holds another word. Use one of the list.",
    "time_out_of_range": "A time lies outside the years 1990 to 2099. Correct it and send again.",
    "time_skipped": "A local time does not exist: daylight saving skips it. State the time with its offset.",
    "too_large": "It is larger than the limit. Split it.",
    "future_time": "A time lies further in the future than clocks differ. Set the sender's clock, then send it again.",
    "unknown_ticket": "It does not state born_at, and no call or ticket of this source and id came in time. Send that "
    "first, or state born_at.",
    "poison": "Whoever reads it crashes, also a process that reads nothing else. Tell who looks after the hotline; "
    "after an upgrade it can be sent again as it is.",
    "wrong_partition": "It belongs to another partition. Pack blocks with this product's partition function.",
}
