"""Batch scoring: files dropped under `batches/incoming/` are answered under `batches/done/`."""
