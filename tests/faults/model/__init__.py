"""A model of the delivery protocol, small enough to be searched exhaustively.

One partition and one ticket: a producer, the worker of measure, the sink, both logs, the database, and what of a dead
process is still on its way. Every state that a few faults lead to is visited and must be right; with any one fence
removed a wrong state must be found. Only the rule to accept is the product's own code (`hotline.accept`): the model
runs it as it stands. All else is written down again here, as plainly as it can be.

Bottom up: `fences` the switches · `state` what there is · `accepting` the product's rule · `rules` what one search
takes for granted · `database` inserts, tokens, epochs · `producing`, `measuring`, `sinking`, `forks` what the processes
do · `faults` what is done to them · `invariants` what must hold · `search` breadth first, so that a trace is a shortest
one · `scenarios` what is searched.

What is one step here and several in the product: the start of a worker (marks, log numbers, outputs behind the mark),
the start of a sink, a poll, an insert, unless it breaks off between two of its parts. Ids of outputs are random there
and digests here, so that equal outputs are equal states. What is left out: other partitions and tickets, roll, intake,
dead letters, revisions, `refold`, and retention. `HOTLINE_MODEL_DEPTH=1` searches one fault deeper, for minutes.
"""
