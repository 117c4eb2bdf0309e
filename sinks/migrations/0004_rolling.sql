CREATE TABLE IF NOT EXISTS hotline.recent_sums_calls (
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
PARTITION BY toMonday(at)
ORDER BY (scope_kind, scope, at)
TTL at + INTERVAL 9 DAY
SETTINGS non_replicated_deduplication_window = 10000, fsync_after_insert = 1, fsync_part_directory = 1, default_compression_codec = 'ZSTD(1)', merge_selector_base = 25, ttl_only_drop_parts = 1;

CREATE TABLE IF NOT EXISTS hotline.recent_sums_tickets (
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
    handling_workdays_43001f Int64,
    handled_counted_c7d34e Int64,
    handling_s_54f570 Int64,
    handled_dispatched_c158ef Int64,
    left_open_5fdcea Int64,
    overdue_4424a5 Int64,
    left_overdue_1711d9 Int64,
    due_soon_399058 Int64,
    left_due_soon_470bce Int64,
    first_handled_reopened_b4c219 Int64,
    first_handled_fa4e44 Int64,
    dispatched_returned_874af0 Int64,
    asked_e92cdd Int64,
    rated_e2dc20 Int64,
    asked_rated_d1ac72 Int64,
    rated_satisfied_8d698d Int64,
    rated_valid_d614c4 Int64,
    rated_operator_satisfied_1dfcb7 Int64,
    rated_resolved_c4a274 Int64
) ENGINE = SummingMergeTree
PARTITION BY toMonday(at)
ORDER BY (scope_kind, scope, at)
TTL at + INTERVAL 9 DAY
SETTINGS non_replicated_deduplication_window = 10000, fsync_after_insert = 1, fsync_part_directory = 1, default_compression_codec = 'ZSTD(1)', merge_selector_base = 25, ttl_only_drop_parts = 1;

CREATE TABLE IF NOT EXISTS hotline.kpis (
    as_of DateTime64(3, '{zone}'),
    kpi LowCardinality(String),
    window LowCardinality(String),
    scope_kind LowCardinality(String),
    scope LowCardinality(String),
    numerator Int64,
    denominator Nullable(Int64),
    value Nullable(Float64),
    newest_at Nullable(DateTime('{zone}')),
    positions LowCardinality(String)
) ENGINE = ReplacingMergeTree
PARTITION BY toMonday(as_of)
ORDER BY (kpi, scope_kind, scope, window, as_of)
TTL toDateTime(as_of) + INTERVAL 35 DAY
SETTINGS non_replicated_deduplication_window = 1000, fsync_after_insert = 1, fsync_part_directory = 1, default_compression_codec = 'ZSTD(1)', merge_selector_base = 25, ttl_only_drop_parts = 1;
