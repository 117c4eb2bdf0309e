CREATE TABLE IF NOT EXISTS hotline.calendar_days (
    calendar LowCardinality(String),
    version UInt8,
    day Date32,
    working Bool,
    listed Bool,
    holiday LowCardinality(String),
    holiday_zh LowCardinality(String),
    digest UInt64,
    epoch UInt64,
    written_at DateTime('{zone}') DEFAULT now()
) ENGINE = ReplacingMergeTree(epoch)
ORDER BY (day)
SETTINGS non_replicated_deduplication_window = 1000, fsync_after_insert = 1, fsync_part_directory = 1, default_compression_codec = 'ZSTD(1)', merge_selector_base = 25;
