"""Uploaded labels: the files that hold them and the values that they may have."""
