"""Adapters: files of other systems → events. One file a source; `docs/adapters.md` says how to write one."""

from producers.adapters.adapter import CHUNK_BYTES, Adapter, Batch, Reading
from producers.adapters.errors import AdapterError, TruncatedError, UnknownAdapterError, UnreadableError
from producers.adapters.registry import ADAPTERS, adapter

__all__ = [
    "ADAPTERS",
    "CHUNK_BYTES",
    "Adapter",
    "AdapterError",
    "Batch",
    "Reading",
    "TruncatedError",
    "UnknownAdapterError",
    "UnreadableError",
    "adapter",
]
