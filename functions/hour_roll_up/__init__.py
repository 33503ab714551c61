"""Rolling up a large hour of the log, one step at a time."""
