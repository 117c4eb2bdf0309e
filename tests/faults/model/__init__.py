"""A model of the delivery protocol, small enough to be searched exhaustively.

One partition and one ticket: a producer, the worker of measure, the sink, two logs, the database, and whatever of a dead
process is still on its way. Every state that they can reach with a few faults is visited and must be right; with any one
fence removed a wrong state must be found. Only the rule to accept is the product's own code (`hotline.accept`): the
model runs it as it stands. All else is written down again here, as plainly as it can be.

Bottom up: `fences` the switches · `state` what there is · `accepting` the product's rule · `database` inserts, tokens,
epochs · `producing`, `measuring`, `sinking`, `forks` what the processes do · `faults` what is done to them ·
`invariants` what must hold · `search` breadth first, so that a trace is a shortest one · `scenarios` what is searched.
"""
