CREATE TABLE IF NOT EXISTS hotline.health (
    process LowCardinality(String),
    life LowCardinality(String),
    what LowCardinality(String),
    topic LowCardinality(String),
    partition UInt16,
    value Float64,
    told_at DateTime('{zone}') DEFAULT now()
) ENGINE = MergeTree
PARTITION BY toMonday(told_at)
ORDER BY (what, process, topic, partition, told_at)
TTL told_at + INTERVAL 35 DAY
SETTINGS non_replicated_deduplication_window = 1000, fsync_after_insert = 1, fsync_part_directory = 1, default_compression_codec = 'ZSTD(1)', merge_selector_base = 25, ttl_only_drop_parts = 1;

CREATE TABLE IF NOT EXISTS hotline.reconciliations (
    first_at DateTime('{zone}'),
    until_at DateTime('{zone}'),
    cells UInt64,
    rows UInt64,
    events UInt64,
    sums_differ UInt64,
    rows_differ UInt64,
    held Bool,
    reconciled_at DateTime('{zone}') DEFAULT now()
) ENGINE = MergeTree
ORDER BY (reconciled_at)
SETTINGS non_replicated_deduplication_window = 1000, fsync_after_insert = 1, fsync_part_directory = 1, default_compression_codec = 'ZSTD(1)', merge_selector_base = 25;
