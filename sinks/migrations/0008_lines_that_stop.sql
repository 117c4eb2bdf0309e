ALTER TABLE hotline.accounts ADD COLUMN IF NOT EXISTS given_up UInt64;

CREATE TABLE IF NOT EXISTS hotline.acceptances (
    kind LowCardinality(String),
    topic LowCardinality(String),
    partition UInt16,
    log UInt32,
    offset Int64,
    accepted_at DateTime('{zone}') DEFAULT now()
) ENGINE = ReplacingMergeTree
ORDER BY (kind, topic, partition, log, offset)
SETTINGS non_replicated_deduplication_window = 1000, fsync_after_insert = 1, fsync_part_directory = 1, default_compression_codec = 'ZSTD(1)', merge_selector_base = 25;

CREATE TABLE IF NOT EXISTS hotline.gaps (
    topic LowCardinality(String),
    partition UInt16,
    log UInt32,
    first_offset Int64,
    next_offset Int64,
    given_up_at DateTime('{zone}') DEFAULT now()
) ENGINE = ReplacingMergeTree
ORDER BY (topic, partition, log, first_offset)
SETTINGS non_replicated_deduplication_window = 1000, fsync_after_insert = 1, fsync_part_directory = 1, default_compression_codec = 'ZSTD(1)', merge_selector_base = 25;
