"""The embedded ClickHouse: one process that owns a data folder and serves it over ClickHouse's HTTP protocol.

Start it with ``python -m sinks.engine``; every other process uses an ordinary ClickHouse HTTP client.
It listens on 127.0.0.1 only and knows two accounts, ``reader`` and ``writer`` (see ``accounts``).
"""
