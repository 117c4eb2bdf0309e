"""The one rule by which every reader of measured topics accepts records: the next source, upon the output before it.

Sink, roll and a starting measure all use it, so they agree on which outputs count, whatever repeats or zombies wrote.
Outputs hold differences, so one is right only after the very output that its writer had accepted last. Each names that
one. While logs keep what they acknowledged the next source always does; where a log lost its tail, what was written
upon it is astray, and its sources are measured again.
"""

from __future__ import annotations

import enum

import msgspec

from hotline.measured import FIRST, UNKNOWN, Measured


class GapError(RuntimeError):
    """A source is missing between the last accepted one and this: the line stops, somebody must look."""


class DeploymentError(RuntimeError):
    """An output of an older deployment than the last accepted one."""


class Decision(enum.Enum):
    """What to do with a record."""

    TAKE = "take"
    """It is the next one."""
    DROP = "drop"
    """Its source is accepted already: pass it over."""
    STRAY = "stray"
    """It follows an output that was not accepted: pass it over, its source is measured again."""


class Accepted(msgspec.Struct, frozen=True, kw_only=True):
    """How far the sources of one partition are accepted. The start, before any, is log 0."""

    log: int = 0
    offset: int = -1
    last: int = 0
    final: bool = True
    deployment: int = 0
    block_id: str = ""
    """Of the record at `offset`: another one there is another log under the same number."""
    output_id: int = UNKNOWN
    """Of the output accepted last."""

    @property
    def upon(self) -> int:
        """Id that the next output names as the one it follows."""
        return self.output_id if self.log else FIRST

    @property
    def next_offset(self) -> int:
        """Offset of the record that holds the next source, within the same log."""
        return self.offset + 1 if self.final else self.offset

    @property
    def next_first(self) -> int:
        """Place of the next source's first event in its block."""
        return 0 if self.final else self.last


def accept(state: Accepted, record: Measured) -> Decision:
    """Whether `record` is the next output of its partition, or one to pass over.

    Ids that are not known, as before they came into use, agree with all. Raises GapError when a source is missing,
    DeploymentError when an older deployment wrote the next one.
    """
    source = record.source
    at = (source.log, source.offset, source.first)
    if at < (state.log, state.next_offset, state.next_first):
        return Decision.DROP
    if UNKNOWN not in (state.upon, source.upon) and source.upon != state.upon:
        return Decision.STRAY
    starts_log = source.log > state.log and source.offset == 0 and source.first == 0
    follows = at == (state.log, state.next_offset, state.next_first)
    if not (starts_log or follows):
        raise GapError(
            f"{source.topic}[{source.partition}]: after log {state.log} offset {state.offset} event {state.last} "
            f"comes log {source.log} offset {source.offset} event {source.first}; outputs between them are missing"
        )
    if record.versions.deployment < state.deployment:
        raise DeploymentError(
            f"{source.topic}[{source.partition}]: deployment {record.versions.deployment} writes after "
            f"{state.deployment}; a rollback needs a new, higher number"
        )
    return Decision.TAKE


def advance(record: Measured) -> Accepted:
    """The state after accepting `record`."""
    source = record.source
    return Accepted(
        log=source.log,
        offset=source.offset + max(source.given_up - 1, 0),
        last=source.last,
        final=source.final,
        deployment=record.versions.deployment,
        block_id=source.block_id,
        output_id=source.output_id,
    )
