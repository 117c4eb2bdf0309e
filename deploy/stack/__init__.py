"""The embedded stack: engine, broker, sink and workers on one machine, started, watched and restarted in order.

`part` and `broker_part` are one of them · `log_keeper` keeps the embedded broker small by `changing`, which keeps an
`intake_tail` · `log_state` tells of it · `plan` lists those that settings ask for, on `ports` · `children` says how
programs of ours are started · `preparing` is what must be done between them, `migrating` the longest of it ·
`supervisor` keeps a list of parts up · `state` tells other processes about it, `locks` say who may · `running` is the
life of one supervised stack · `joining` uses one from a command, `stopping` ends one · `answering` asks the parts
themselves, `status` sums that up.
"""
