CREATE TABLE IF NOT EXISTS hotline.changed_days (
    subject LowCardinality(String),
    day Date,
    events UInt32,
    stored_at DateTime('{zone}') DEFAULT now()
) ENGINE = MergeTree
ORDER BY (day, subject)
SETTINGS non_replicated_deduplication_window = 1000, fsync_after_insert = 1, fsync_part_directory = 1, default_compression_codec = 'ZSTD(1)', merge_selector_base = 25;
