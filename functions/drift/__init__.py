"""The scheduled monitoring run."""
