ALTER TABLE hotline.accounts ADD COLUMN IF NOT EXISTS rows UInt32;
ALTER TABLE hotline.accounts ADD COLUMN IF NOT EXISTS sums UInt32;

CREATE TABLE IF NOT EXISTS hotline.filled_columns (
    sums_table LowCardinality(String),
    sums_column String,
    told LowCardinality(String),
    lacked UInt64,
    told_at DateTime('{zone}') DEFAULT now()
) ENGINE = MergeTree
ORDER BY (sums_table, sums_column)
SETTINGS non_replicated_deduplication_window = 1000, fsync_after_insert = 1, fsync_part_directory = 1, default_compression_codec = 'ZSTD(1)', merge_selector_base = 25;
