"""Files of users as tables: whatever their compression, encoding and format, read by the contract's `[file]` table."""
