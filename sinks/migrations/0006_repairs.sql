CREATE TABLE IF NOT EXISTS hotline.repairs (
    id String,
    sums_table LowCardinality(String),
    first_at DateTime('{zone}'),
    last_at DateTime('{zone}'),
    sums UInt64,
    repaired_at DateTime('{zone}') DEFAULT now()
) ENGINE = MergeTree
ORDER BY (id, sums_table, first_at)
SETTINGS non_replicated_deduplication_window = 1000, fsync_after_insert = 1, fsync_part_directory = 1, default_compression_codec = 'ZSTD(1)', merge_selector_base = 25;
