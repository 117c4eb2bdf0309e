ALTER TABLE hotline.tickets ADD COLUMN IF NOT EXISTS rule_version Int64;
ALTER TABLE hotline.tickets ADD COLUMN IF NOT EXISTS calendar_version Int64;
ALTER TABLE hotline.tickets ADD COLUMN IF NOT EXISTS handling_workdays Nullable(Int64);

ALTER TABLE hotline.minute_sums_tickets ADD COLUMN IF NOT EXISTS handling_workdays_43001f Int64;
ALTER TABLE hotline.minute_sums_tickets ADD COLUMN IF NOT EXISTS handled_counted_c7d34e Int64;
