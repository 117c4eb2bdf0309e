"""Where events, rows and sums come to rest: the writer to ClickHouse and the embedded engine."""
