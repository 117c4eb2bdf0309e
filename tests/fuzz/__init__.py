"""Mutated records against every door of the product: nothing dies, hangs or grows, and each record is accounted for.

`python -m tests.fuzz --records 1000000 --seed 7` runs all targets; a record follows from the seed, the target's name and
its number alone, so that what was found comes again with `--case NUMBER`.

`spoilt_bytes`, `odd_json`, `odd_tables`, `odd_streams` mutate · `plain_reading` judges a second time, in plain Python ·
`intake`, `blocks`, `adapters`, `door` are the targets · `child` runs one in a process of its own, which may die ·
`flight` watches over it.
"""
