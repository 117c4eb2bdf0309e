ALTER TABLE hotline.marks ADD COLUMN IF NOT EXISTS digest UInt64;
ALTER TABLE hotline.marks ADD COLUMN IF NOT EXISTS accepted_block_id String;
