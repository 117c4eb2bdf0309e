ALTER TABLE hotline.marks ADD COLUMN IF NOT EXISTS accepted_output_id UInt64;
