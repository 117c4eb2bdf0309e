CREATE TABLE IF NOT EXISTS hotline.call_events (
    partition UInt16,
    type LowCardinality(String),
    source LowCardinality(String),
    entity String,
    born_at DateTime('{zone}'),
    occurred_at DateTime('{zone}'),
    id Nullable(String),
    revision UInt16,
    received_at Nullable(DateTime('{zone}')),
    schema UInt16,
    line LowCardinality(Nullable(String)),
    district LowCardinality(Nullable(String)),
    operator_group LowCardinality(Nullable(String)),
    direction LowCardinality(Nullable(String)),
    caller Nullable(String),
    leg LowCardinality(Nullable(String)),
    operator LowCardinality(Nullable(String)),
    wait_s Nullable(Int32),
    talk_s Nullable(Int32),
    digest UInt64
) ENGINE = MergeTree
PARTITION BY toYear(born_at, 'UTC')
ORDER BY (partition, born_at, source, entity, occurred_at)
SETTINGS non_replicated_deduplication_window = 10000, fsync_after_insert = 1, fsync_part_directory = 1, default_compression_codec = 'ZSTD(1)', merge_selector_base = 25;

CREATE TABLE IF NOT EXISTS hotline.calls (
    partition UInt16,
    source LowCardinality(String),
    entity String,
    born_at DateTime('{zone}'),
    version UInt64,
    line LowCardinality(String),
    district LowCardinality(String),
    operator_group LowCardinality(String),
    direction LowCardinality(String),
    operator LowCardinality(Nullable(String)),
    caller Nullable(String),
    offered_at Nullable(DateTime('{zone}')),
    queued_at Nullable(DateTime('{zone}')),
    answered_at Nullable(DateTime('{zone}')),
    abandoned_at Nullable(DateTime('{zone}')),
    outcome LowCardinality(Nullable(String)),
    outcome_at Nullable(DateTime('{zone}')),
    transferred_at Nullable(DateTime('{zone}')),
    ended_at Nullable(DateTime('{zone}')),
    lost_at Nullable(DateTime('{zone}')),
    wait_s Nullable(Int64),
    talk_s Nullable(Int64),
    gave_up_after_s Nullable(Int64),
    transfers Int64,
    left_queue_at Nullable(DateTime('{zone}')),
    left_talk_at Nullable(DateTime('{zone}'))
) ENGINE = ReplacingMergeTree(version)
PARTITION BY toYear(born_at, 'UTC')
ORDER BY (partition, born_at, source, entity)
SETTINGS non_replicated_deduplication_window = 10000, fsync_after_insert = 1, fsync_part_directory = 1, default_compression_codec = 'ZSTD(1)', merge_selector_base = 25;

CREATE TABLE IF NOT EXISTS hotline.minute_sums_calls (
    scope_kind LowCardinality(String),
    scope LowCardinality(String),
    at DateTime('{zone}'),
    offered_2868ce Int64,
    answered_f5f65c Int64,
    abandoned_da22cc Int64,
    connected_outbound_3a89dc Int64,
    answered_30s_076f77 Int64,
    outcomes_answered_30s_1a0fa7 Int64,
    outcomes_ebb904 Int64,
    outcomes_net_e6ce29 Int64,
    outcomes_answered_820989 Int64,
    outcomes_abandoned_36cb9b Int64,
    answer_wait_s_6596ca Int64,
    talk_s_e2cd0d Int64,
    talks_4b51d8 Int64,
    talks_long_35e3b0 Int64,
    talk_outbound_s_9d2152 Int64,
    talks_outbound_0e3cc9 Int64,
    talks_long_outbound_64985b Int64,
    talk_all_s_b0f00b Int64,
    talks_all_a063f1 Int64,
    talks_long_all_17dda2 Int64,
    queued_6630e9 Int64,
    left_queue_9f1f4c Int64,
    talking_568157 Int64,
    left_talk_1fde82 Int64
) ENGINE = SummingMergeTree
PARTITION BY toYear(at)
ORDER BY (scope_kind, scope, at)
SETTINGS non_replicated_deduplication_window = 10000, fsync_after_insert = 1, fsync_part_directory = 1, default_compression_codec = 'ZSTD(1)', merge_selector_base = 25;

CREATE TABLE IF NOT EXISTS hotline.ticket_events (
    partition UInt16,
    type LowCardinality(String),
    source LowCardinality(String),
    entity String,
    born_at DateTime('{zone}'),
    occurred_at DateTime('{zone}'),
    id Nullable(String),
    revision UInt16,
    received_at Nullable(DateTime('{zone}')),
    schema UInt16,
    line LowCardinality(Nullable(String)),
    district LowCardinality(Nullable(String)),
    department LowCardinality(Nullable(String)),
    channel LowCardinality(Nullable(String)),
    audience LowCardinality(Nullable(String)),
    category LowCardinality(Nullable(String)),
    nature LowCardinality(Nullable(String)),
    operator_group LowCardinality(Nullable(String)),
    dispatched_at Nullable(DateTime('{zone}')),
    due_at Nullable(DateTime('{zone}')),
    call Nullable(String),
    leg LowCardinality(Nullable(String)),
    merged_into Nullable(String),
    rating LowCardinality(Nullable(String)),
    operator_rating LowCardinality(Nullable(String)),
    resolved Nullable(Bool),
    valid Nullable(Bool),
    digest UInt64
) ENGINE = MergeTree
PARTITION BY toYear(born_at, 'UTC')
ORDER BY (partition, born_at, source, entity, occurred_at)
SETTINGS non_replicated_deduplication_window = 10000, fsync_after_insert = 1, fsync_part_directory = 1, default_compression_codec = 'ZSTD(1)', merge_selector_base = 25;

CREATE TABLE IF NOT EXISTS hotline.tickets (
    partition UInt16,
    source LowCardinality(String),
    entity String,
    born_at DateTime('{zone}'),
    version UInt64,
    line LowCardinality(String),
    district LowCardinality(String),
    department LowCardinality(String),
    channel LowCardinality(String),
    audience LowCardinality(String),
    category LowCardinality(String),
    nature LowCardinality(String),
    operator_group LowCardinality(String),
    call Nullable(String),
    created_at Nullable(DateTime('{zone}')),
    answered_online_at Nullable(DateTime('{zone}')),
    answered_by LowCardinality(Nullable(String)),
    dispatched_at Nullable(DateTime('{zone}')),
    due_at Nullable(DateTime('{zone}')),
    returned_at Nullable(DateTime('{zone}')),
    returns Int64,
    first_handled_at Nullable(DateTime('{zone}')),
    handled_at Nullable(DateTime('{zone}')),
    reopened_at Nullable(DateTime('{zone}')),
    reopenings Int64,
    merged_at Nullable(DateTime('{zone}')),
    merged_into Nullable(String),
    closed_at Nullable(DateTime('{zone}')),
    asked_at Nullable(DateTime('{zone}')),
    rated_at Nullable(DateTime('{zone}')),
    rating_valid Nullable(Bool),
    satisfied Nullable(Bool),
    operator_satisfied Nullable(Bool),
    resolved Nullable(Bool),
    dispatched Bool,
    handled Bool,
    rated Bool,
    has_deadline Bool,
    late Bool,
    handling_s Nullable(Int64),
    left_open_at Nullable(DateTime('{zone}')),
    overdue_at Nullable(DateTime('{zone}')),
    left_overdue_at Nullable(DateTime('{zone}')),
    due_soon_at Nullable(DateTime('{zone}')),
    left_due_soon_at Nullable(DateTime('{zone}'))
) ENGINE = ReplacingMergeTree(version)
PARTITION BY toYear(born_at, 'UTC')
ORDER BY (partition, born_at, source, entity)
SETTINGS non_replicated_deduplication_window = 10000, fsync_after_insert = 1, fsync_part_directory = 1, default_compression_codec = 'ZSTD(1)', merge_selector_base = 25;

CREATE TABLE IF NOT EXISTS hotline.minute_sums_tickets (
    scope_kind LowCardinality(String),
    scope LowCardinality(String),
    at DateTime('{zone}'),
    created_36ff84 Int64,
    answered_online_e8389e Int64,
    dispatched_aafa8b Int64,
    handled_ba4295 Int64,
    reopened_b9da51 Int64,
    closed_e21b99 Int64,
    due_in_time_cbd7e3 Int64,
    due_a6fa0d Int64,
    handled_in_time_5863b7 Int64,
    handled_due_d3c8b8 Int64,
    handled_not_late_023060 Int64,
    dispatched_handled_7d4074 Int64,
    handling_s_54f570 Int64,
    handled_dispatched_c158ef Int64,
    left_open_5fdcea Int64,
    overdue_4424a5 Int64,
    left_overdue_1711d9 Int64,
    due_soon_399058 Int64,
    left_due_soon_470bce Int64,
    asked_e92cdd Int64,
    rated_e2dc20 Int64,
    asked_rated_d1ac72 Int64,
    rated_satisfied_8d698d Int64,
    rated_valid_d614c4 Int64,
    rated_operator_satisfied_1dfcb7 Int64,
    rated_resolved_c4a274 Int64,
    first_handled_reopened_b4c219 Int64,
    first_handled_fa4e44 Int64,
    dispatched_returned_874af0 Int64
) ENGINE = SummingMergeTree
PARTITION BY toYear(at)
ORDER BY (scope_kind, scope, at)
SETTINGS non_replicated_deduplication_window = 10000, fsync_after_insert = 1, fsync_part_directory = 1, default_compression_codec = 'ZSTD(1)', merge_selector_base = 25;

CREATE TABLE IF NOT EXISTS hotline.accounts (
    log UInt32,
    topic LowCardinality(String),
    partition UInt16,
    offset Int64,
    first UInt32,
    last UInt32,
    final Bool,
    block_id String,
    counted UInt32,
    seen UInt32,
    revised UInt32,
    dead UInt32,
    reasons Map(LowCardinality(String), UInt32),
    newest_at Nullable(DateTime('{zone}')),
    deployment UInt32,
    fold UInt32,
    rule UInt32,
    calendar UInt32,
    catalogue LowCardinality(String),
    stored_at DateTime('{zone}') DEFAULT now()
) ENGINE = MergeTree
ORDER BY (block_id, topic, partition, log, offset, first)
SETTINGS non_replicated_deduplication_window = 1000, fsync_after_insert = 1, fsync_part_directory = 1, default_compression_codec = 'ZSTD(1)', merge_selector_base = 25;

CREATE TABLE IF NOT EXISTS hotline.dead_letters (
    subject LowCardinality(String),
    log UInt32,
    topic LowCardinality(String),
    partition UInt16,
    offset Int64,
    place UInt32,
    block_id String,
    reason LowCardinality(String),
    origin String,
    original String,
    set_aside_at DateTime('{zone}') DEFAULT now()
) ENGINE = MergeTree
ORDER BY (topic, partition, log, offset, place)
SETTINGS non_replicated_deduplication_window = 1000, fsync_after_insert = 1, fsync_part_directory = 1, default_compression_codec = 'ZSTD(1)', merge_selector_base = 25;

CREATE TABLE IF NOT EXISTS hotline.covered_days (
    subject LowCardinality(String),
    day Date
) ENGINE = ReplacingMergeTree
ORDER BY (subject, day)
SETTINGS non_replicated_deduplication_window = 1000, fsync_after_insert = 1, fsync_part_directory = 1, default_compression_codec = 'ZSTD(1)', merge_selector_base = 25;

CREATE TABLE IF NOT EXISTS hotline.marks (
    topic LowCardinality(String),
    partition UInt16,
    log UInt32,
    position Int64,
    accepted_log UInt32,
    accepted_offset Int64,
    accepted_last UInt32,
    accepted_final Bool,
    accepted_deployment UInt32,
    version UInt64,
    batch String,
    marked_at DateTime('{zone}') DEFAULT now()
) ENGINE = ReplacingMergeTree(version)
ORDER BY (topic, partition)
SETTINGS non_replicated_deduplication_window = 1000, fsync_after_insert = 1, fsync_part_directory = 1, default_compression_codec = 'ZSTD(1)', merge_selector_base = 25;

CREATE TABLE IF NOT EXISTS hotline.logs (
    topic LowCardinality(String),
    log UInt32,
    cluster String,
    claim String,
    registered_at DateTime('{zone}') DEFAULT now()
) ENGINE = MergeTree
ORDER BY (topic, log)
SETTINGS non_replicated_deduplication_window = 1000, fsync_after_insert = 1, fsync_part_directory = 1, default_compression_codec = 'ZSTD(1)', merge_selector_base = 25;

CREATE TABLE IF NOT EXISTS hotline.sink_epochs (
    epoch UInt64,
    claim String,
    taken_at DateTime('{zone}') DEFAULT now()
) ENGINE = MergeTree
ORDER BY (epoch)
SETTINGS non_replicated_deduplication_window = 1000, fsync_after_insert = 1, fsync_part_directory = 1, default_compression_codec = 'ZSTD(1)', merge_selector_base = 25;
