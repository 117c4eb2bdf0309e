"""The room of the Faust workers: records in, exactly one output for each, whatever dies in between.

Bottom up, each module imports only those before it:
`ending` ends the process · `reading` says what a worker reads and from where · `bundles` makes many records one event ·
`record_batches` reads what other programs wrote · `positions` reads a topic's tail · `connecting` reaches ClickHouse ·
`same_log` tells a log from another under its name · `broker_logs` keeps a broker's absence to a few log lines ·
`fixed_partitions`, `consumer` and `transport` are the aiokafka driver made safe · `app` makes the Faust app ·
`handling` runs an agent's body and sends · `worker` is the process around it.
"""
