"""What the system writes down, as frozen records that carry a schema version."""
