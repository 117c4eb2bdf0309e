"""The sink: what measure wrote, into ClickHouse, every row once, whatever dies in between.

Bottom up: `options` what it is told · `splice` many Arrow streams as one · `books` its own rows · `batch` what is
stored at once · `spool` batches made durable · `store` the engine, with tokens and epoch · `health` what it tells of
itself · `barrier` leases that hold it · `applier` one batch into the engine · `reader` the broker · `gatherer` records
into batches · `session` gathering and applying side by side · `door` the loopback port · `run` the process around it.
"""
