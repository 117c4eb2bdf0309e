"""Mutated records against every door of the product: nothing dies, hangs or grows, and each record is accounted for.

`python -m tests.fuzz --records 1000000 --seed 7` runs all targets. A record follows from seed, target and number
alone, so that what was found comes again with `--case NUMBER`.

`spoilt_bytes`, `odd_json`, `odd_tables`, `odd_streams`, `odd_requests` mutate, `sample_files` and
`request_pieces` make what is mutated ·
`plain_reading` and `plain_json` judge a second time, in plain Python · `intake`, `blocks`, `adapters`, `door` are the
targets · `child` runs one in a process of its own, which may die · `flight` watches over it.
"""
