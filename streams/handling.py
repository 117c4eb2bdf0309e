"""What an agent's body is made of: take a record, write its output, ack."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeAlias

from faust.types.tuples import RecordMetadata

from hotline.names import RECORD_BYTES_MAX
from streams.app import StreamsApp
from streams.ending import end_process

Handle: TypeAlias = Callable[[Any], Awaitable[None]]
ENVELOPE_BYTES = 64 << 10  # room for headers and the batch around a value


async def handle_each(app: StreamsApp, stream: Any, handle: Handle) -> None:
    """Run an agent's body: await `handle(event)` for each record in order, and ack it only when that returned.

    Whatever `handle` raises ends the process with `EXIT_UNEXPECTED`; the record is read again after the restart.
    `handle` may wait as long as it likes: nothing is lost or fetched without bound meanwhile.
    """
    async for event in stream.noack().events():
        if app.stopping:
            await asyncio.Event().wait()  # the process is about to end
        app.in_hand += 1
        try:
            await handle(event)
        except BaseException as error:
            if isinstance(error, asyncio.CancelledError) and app.should_stop:
                raise
            message = event.message
            end_process(f"handling {message.topic}/{message.partition}/{message.offset} failed", error=error)
        event.ack()
        app.in_hand -= 1


async def send(
    app: StreamsApp, *, topic: str, partition: int, value: bytes, headers: Sequence[tuple[str, bytes]]
) -> RecordMetadata:
    """Write one record and return what the broker acknowledged; `.offset` is where it stands.

    Waits while the broker is away. Raises ValueError for a value too large: the embedded broker would take it.
    """
    if len(value) > RECORD_BYTES_MAX - ENVELOPE_BYTES:
        raise ValueError(
            f"record of {len(value)} bytes for {topic}/{partition}: {RECORD_BYTES_MAX} is the most, cut it in slices"
        )
    return await app.producer.send_and_wait(topic, None, value, partition, None, list(headers))


async def send_alone(
    app: StreamsApp,
    *,
    topic: str,
    partition: int,
    value: bytes,
    headers: Sequence[tuple[str, bytes]],
    due: int | None,
) -> int:
    """Write one record where nobody else writes; its offset. `due` is what that must be, None where it is not known.

    Ends the process when it is another: somebody else wrote there. Raises ValueError as `send` does.
    """
    written = await send(app, topic=topic, partition=partition, value=value, headers=headers)
    if due not in {None, written.offset}:
        end_process(
            f"{topic}/{partition}: a record went to offset {written.offset} instead of {due}: "
            "another worker writes here. Stop one of the two."
        )
    return int(written.offset)
