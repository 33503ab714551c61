"""Labelled rows: in memory, as the files of users, and as the Parquet that is kept."""
