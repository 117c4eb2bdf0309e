ALTER TABLE hotline.calls ADD INDEX IF NOT EXISTS by_entity entity TYPE bloom_filter(0.001) GRANULARITY 1;

ALTER TABLE hotline.tickets ADD INDEX IF NOT EXISTS by_entity entity TYPE bloom_filter(0.001) GRANULARITY 1;

ALTER TABLE hotline.dead_letters ADD COLUMN IF NOT EXISTS detail String;
