"""The label ingestion: an S3 upload becomes labels in the store."""
