"""The embedded ClickHouse: one process that owns a data folder and serves it over ClickHouse's HTTP protocol.

Start it with ``python -m sinks.engine``; every other process uses an ordinary ClickHouse HTTP client.
It listens on 127.0.0.1 unless told otherwise, and then only with TLS (`serve`, `options`), and knows two
accounts, ``reader`` and ``writer`` (`accounts`).

A request comes in by `door` (`receive`, `bodies`), waits for its turn (`turns`), is made a job (`preparing`,
`arguments`, `inserts`, `handshake`), runs in a session of the engine (`session`, `sessions`), which writes to a file
(`results`), and goes out in pieces (`replies`). What a reader may run is decided in `admission`: by the engine's
parser (`parsed`), the lists (`allowed`, `tables`), the judgement (`screening`), and words that the tree does not show
(`spelling`, `lifting`).
"""
